"""Passages to vectors: what is embedded for each passage, and each text embedded once."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ingest import chunk
from ingest.embed import GROUP, Embedder
from ingest.errors import UnreadableFile
from ingest.passage import Document, Passage
from ingest.store import Store


class Row(NamedTuple):
    """A passage, the text that is embedded for it, and the hash of that text."""

    passage: Passage
    text: str
    digest: str


def rows_of(document: Document, embedder: Embedder) -> list[Row]:
    """Cut a document into passages. Raises `UnreadableFile` if there is nothing to cut."""
    rows = []
    title = chunk.embedding_title(document.source, document.title)
    for passage in chunk.chunk(document, embedder.token_spans, min(embedder.max_tokens, chunk.PASSAGE_TOKENS - 2)):
        text = chunk.embedding_text(title, passage)
        rows.append(Row(passage, text, hashlib.sha256(text.encode()).hexdigest()))
    if not rows:
        raise UnreadableFile("no text was found in it")
    return rows


def vectors_for(store: Store, embedder: Embedder, rows: Sequence[Row], reuse: bool = True) -> dict[str, bytes]:
    """Return hash -> vector (fp16) for all rows. With `reuse`, vectors of the index's passages are taken.

    Of a great many texts, those done are staged group by group, so that an interrupted run need not do them again.
    """
    made_by = embedder.identity.fingerprint()
    texts = {row.digest: row.text for row in rows}
    vectors = store.vectors_by_hash(texts) if reuse else {}
    vectors |= store.staged(made_by, texts)
    missing = sorted((digest for digest in texts if digest not in vectors), key=lambda digest: len(texts[digest]))
    for first in range(0, len(missing), 2 * GROUP):
        group = missing[first : first + 2 * GROUP]
        made = embedder.embed_passages([texts[digest] for digest in group])
        fresh = {digest: row.astype(np.float16).tobytes() for digest, row in zip(group, made, strict=True)}
        vectors |= fresh
        if len(missing) > 2 * GROUP:
            store.stage(made_by, fresh)
    return vectors
