"""Changing the embedder of an index from its stored text, without reading a file again.

Vectors are made and staged group by group, so that an interrupted run goes on where it stopped; until the last
step, one transaction, the index answers with the embedder that it had.
"""

from collections.abc import Iterator
from pathlib import Path

from ingest import derived
from ingest.calibrate import calibrate
from ingest.embed import GROUP, Embedder
from ingest.errors import IndexMismatch, IndexMissing
from ingest.index import FILE
from ingest.passage import Document
from ingest.report import OnProgress, Progress
from ingest.store import FileFacts, Store
from ingest.vectorize import Row, rows_of, vectors_for
from ingest.writing import now, set_embedder, writing

Stored = tuple[int, Document, FileFacts, str]


def reembed(index_dir: Path, embedder: Embedder, on_progress: OnProgress = lambda _: None) -> int:
    """Cut and embed every stored document anew for `embedder`; return how many passages there are now.

    Raises `IndexMissing`, `IndexBusy`, and `IndexMismatch` if a document was stored by a version that did not keep
    its structure; then the index is as it was.
    """
    if not (index_dir / FILE).exists():
        raise IndexMissing(f"No index in {index_dir}: make one with `rag-dolly ingest FOLDER --index {index_dir}`.")
    with writing(index_dir):
        store = Store(index_dir / FILE)
        try:
            _stage_all(store, embedder, on_progress)
            _swap(store, embedder)
            store.clear_staged()
            derived.refresh(store, index_dir)
            calibrate(store, index_dir, embedder)
            return store.counts()["passages"]
        finally:
            store.close()


def _stage_all(store: Store, embedder: Embedder, on_progress: OnProgress) -> None:
    """Make the vectors of all documents and keep them beside those in use."""
    made_by = embedder.identity.fingerprint()
    total, waiting, passages = len(store.document_sources()), list[Row](), 0
    on_progress(Progress("found", "", 0, total))
    for done, (_, document, _, _) in enumerate(_documents(store), 1):
        waiting += rows_of(document, embedder)
        if len(waiting) >= 2 * GROUP or done == total:
            store.stage(made_by, vectors_for(store, embedder, waiting, reuse=False))
            passages += len(waiting)
            waiting = []
        on_progress(Progress("stored", document.source, done, total, passages + len(waiting)))


def _swap(store: Store, embedder: Embedder) -> None:
    """Put the new passages and vectors in place of the old, and name the embedder: one transaction."""
    with store.transaction():
        for root, document, file, metadata in _documents(store):
            rows = rows_of(document, embedder)
            vectors = store.staged(embedder.identity.fingerprint(), [row.digest for row in rows])
            stored = [(row.passage, row.digest, vectors[row.digest]) for row in rows]
            store.put_document(root, document, file, stored, metadata)
        set_embedder(store, embedder)
        store.set("updated", now())


def _documents(store: Store) -> Iterator[Stored]:
    for root, source in store.document_sources():
        found = store.stored(source)
        if found is None:
            raise IndexMismatch(
                f"{source} was stored by an older version, which did not keep its structure: bring the index up to "
                "date first, with `rag-dolly ingest` and the embedder that made it."
            )
        yield root, *found
