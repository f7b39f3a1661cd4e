"""Texts that come from a program instead of a folder: added, replaced and deleted by id.

Each text is one document of one passage; whoever adds it has already cut it to size.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ingest import derived
from ingest.embed import Embedder
from ingest.index import FILE
from ingest.passage import Block, Document, Passage
from ingest.store import FileFacts, Store
from ingest.writing import claim, now, writing

FOLDER = "texts"
"""Stands for a root in the index that no folder on disk belongs to."""


def add_texts(index_dir: Path, embedder: Embedder, rows: Sequence[tuple[str, str, str]]) -> None:
    """Store (id, text, metadata as JSON) rows, replacing those with the same id, creating the index if need be."""
    vectors = embedder.embed_passages([text for _, text, _ in rows])
    with writing(index_dir):
        store = Store(index_dir / FILE, create=True)
        try:
            claim(store, embedder, index_dir)
            root = _root(store)
            for (key, text, metadata), vector in zip(rows, vectors, strict=True):
                digest = hashlib.sha256(text.encode()).hexdigest()
                passage = Passage(key, 0, text, 0, len(text), None, ())
                document = Document(key, "text", "", text, (Block(0, len(text)),))
                blob = np.asarray(vector, dtype=np.float16).tobytes()
                store.put_document(root, document, FileFacts(digest, len(text)), [(passage, digest, blob)], metadata)
            store.set("updated", now())
            derived.refresh(store, index_dir)
        finally:
            store.close()


def delete_texts(index_dir: Path, ids: Sequence[str]) -> None:
    """Delete texts by id; ids that are not there are passed over, documents from folders are not touched."""
    with writing(index_dir):
        store = Store(index_dir / FILE)
        try:
            known = store.known(_root(store))
            for key in ids:
                if key in known:
                    store.delete_document(key)
            derived.refresh(store, index_dir)
        finally:
            store.close()


def _root(store: Store) -> int:
    for key, path, _ in store.roots():
        if path == FOLDER:
            return key
    return store.add_root(FOLDER, "")
