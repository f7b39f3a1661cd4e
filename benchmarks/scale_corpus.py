"""As many passages as wanted, made from real ones: sentences put together anew, vectors mixed and shaken.

Used by `benchmarks.scale`. A passage has sentences of one or two real documents, up to the length of a real passage,
and now and then a word that stands nowhere else, so that common and rare words are as in real text. Its vector is
a mixture of those of two real passages, mostly of one document, with noise, so that vectors gather as real ones do.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest import chunk, loaders
from ingest.embed import Embedder
from ingest.errors import UnreadableFile
from ingest.passage import Block, Document, Passage
from ingest.sentences import sentence_spans
from ingest.store import FileFacts, Store

PER_DOCUMENT = 20
_NOISE = 0.35
_SYLLABLES = "ka lo mi ra ten vor zu shi pel qua dri non bex ula gir tam".split()


class Real(NamedTuple):
    """Real text: the sentences of each document, and passages."""

    sentences: list[list[str]]
    texts: list[str]


def read_real(folder: Path, embedder: Embedder, most: int = 1500) -> Real:
    """Read the documents in a folder, up to `most` passages. Ends the program if there are none."""
    sentences, texts = list[list[str]](), list[str]()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and loaders.kind_of(path.name)):
        if len(texts) >= most:
            break
        try:
            document = loaders.load(path.name, path.read_bytes())
        except UnreadableFile:
            continue
        cut = chunk.chunk(document, embedder.token_spans, chunk.PASSAGE_TOKENS - 2)
        found = [p.text[a:b] for p in cut for a, b in sentence_spans(p.text)]
        if found:
            texts += [p.text for p in cut]
            sentences.append(found)
    if not texts:
        raise SystemExit(f"No passages in {folder}: expected a folder of documents.")
    return Real(sentences, texts)


def write(store: Store, real: Real, vectors: NDArray[np.float32], count: int) -> None:
    """Store `count` made passages, in documents of twenty; `vectors` are those of the real ones."""
    draw = random.Random(0)
    root = store.add_root("made", "")
    for number, made in enumerate(_mixed(vectors, count)):
        put(store, root, f"made/{number:06}.txt", [_text(real, draw) for _ in made], made)


def put(store: Store, root: int, source: str, texts: list[str], vectors: NDArray[np.float32]) -> None:
    """Store one document of these passages."""
    rows, start = [], 0
    for ordinal, (text, vector) in enumerate(zip(texts, vectors, strict=True)):
        passage = Passage(source, ordinal, text, start, start + len(text), None, ())
        rows.append((passage, f"{source} {ordinal}", vector.astype(np.float16).tobytes()))
        start += len(text) + 1
    text = "\n".join(texts)
    document = Document(source, "text", "", text, (Block(0, len(text)),))
    store.put_document(root, document, FileFacts(size=len(text)), rows)


def _text(real: Real, draw: random.Random) -> str:
    """Return sentences of one or two documents up to the length of a real passage."""
    length, parts = len(draw.choice(real.texts)), list[str]()
    homes = draw.choices(real.sentences, k=2)
    while sum(map(len, parts)) < length:
        parts.append(draw.choice(homes[draw.random() < 0.2]))
    if draw.random() < 0.7:
        parts.append(f"{''.join(draw.choices(_SYLLABLES, k=draw.randint(2, 5)))}{draw.choice(_SYLLABLES)}.")
    return " ".join(parts)


def _mixed(real: NDArray[np.float32], count: int) -> Iterator[NDArray[np.float32]]:
    """Yield unit vectors, twenty at a time, shape (20, dimension)."""
    draw = np.random.default_rng(0)
    size = real.shape[1]
    for first in range(0, count, PER_DOCUMENT):
        many = min(PER_DOCUMENT, count - first)
        one = draw.integers(len(real), size=many)
        near = np.clip(one + draw.integers(-8, 9, size=many), 0, len(real) - 1)
        other = np.where(draw.random(many) < 0.7, near, draw.integers(len(real), size=many))
        share = draw.random((many, 1), dtype=np.float32) * 0.6
        noise = draw.normal(scale=_NOISE / size**0.5, size=(many, size)).astype(np.float32)
        mixed = real[one] * (1 - share) + real[other] * share + noise
        yield (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


def questions(real: Real, count: int) -> list[str]:
    """Return real sentences of 4 to 15 words to search for, without their ends."""
    draw = random.Random(1)
    fitting = [said for home in real.sentences for said in home if 4 <= len(said.split()) <= 15]
    return [said.rstrip(".!?") for said in draw.choices(fitting, k=count)]
