"""A collection of documents with ids of its own, such as a data set, brought into an index that holds nothing else.

Documents are cut into passages and embedded as those of files are; `source` is the document's id. What is stored stays
when a run is interrupted, and the next run goes on from there.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ingest import chunk, derived
from ingest.embed import GROUP, Embedder
from ingest.errors import RagDollyError
from ingest.index import FILE
from ingest.passage import Block, Document
from ingest.store import FileFacts, Store
from ingest.vectorize import rows_of, vectors_for
from ingest.writing import claim, now, writing

FOLDER = "corpus"
"""Stands for a root in the index that no folder on disk belongs to."""
MARK = "corpus"
"""The key under which an index says which collection it holds, by its hash."""
OnStored = Callable[[int], None]


def document_of(key: str, title: str, text: str) -> Document:
    """Return a document of one block; the title stands above each of its passages."""
    return Document(key, "text", title, text, (Block(0, len(text)),))


def fill(
    index_dir: Path, embedder: Embedder, documents: Sequence[Document], on_stored: OnStored = lambda _: None
) -> None:
    """Make an index of these documents, or go on with one; nothing is done where it is complete.

    `on_stored` is told how many documents are stored. Each document must have visible text. Raises `RagDollyError` if
    the index holds anything else, and as `ingest.writing.writing` does.
    """
    mark = fingerprint(documents)
    with writing(index_dir):
        store = Store(index_dir / FILE, create=True)
        try:
            claim(store, embedder, index_dir)
            root = _root(store, mark, index_dir)
            known = store.known(root)
            on_stored(len(known))
            for group in _groups([document for document in documents if document.source not in known]):
                _store(store, embedder, root, group)
                on_stored(store.counts()["documents"])
            store.clear_staged()
            derived.refresh(store, index_dir)
        finally:
            store.close()


def is_corpus(index_dir: Path) -> bool:
    """Whether there is an index that `fill` made or began to make."""
    if not (index_dir / FILE).exists():
        return False
    store = Store(index_dir / FILE)
    try:
        return bool(store.get(MARK))
    finally:
        store.close()


def fingerprint(documents: Sequence[Document]) -> str:
    """Return a hash of what the documents say, in order, and of how they are cut."""
    made = hashlib.sha256(str(chunk.VERSION).encode())
    for document in documents:
        made.update("\x1f".join((document.source, document.title, document.text, "")).encode())
    return made.hexdigest()


def _root(store: Store, mark: str, index_dir: Path) -> int:
    """Return the root of the documents, made if the index is new."""
    held = store.get(MARK)
    if held != mark and (held or store.roots()):
        raise RagDollyError(f"The index in {index_dir} holds other documents than these: name another folder.")
    store.set(MARK, mark)
    return next((key for key, path, _ in store.roots() if path == FOLDER), 0) or store.add_root(FOLDER, "")


def _store(store: Store, embedder: Embedder, root: int, group: Sequence[Document]) -> None:
    cut = [rows_of(document, embedder) for document in group]
    vectors = vectors_for(store, embedder, [row for rows in cut for row in rows])
    for document, rows in zip(group, cut, strict=True):
        facts = FileFacts(hashlib.sha256(document.text.encode()).hexdigest(), len(document.text.encode()))
        passages = [(row.passage, row.digest, vectors[row.digest]) for row in rows]
        store.put_document(root, document, facts, passages)
    store.set("updated", now())


def _groups(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    for first in range(0, len(documents), GROUP):
        yield documents[first : first + GROUP]
