"""The border between ingestion and answering: an `Index`, made by one and searched by the other."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ingest import keyword
from ingest.embed import Embedder, Vectors
from ingest.errors import IndexMismatch, IndexMissing
from ingest.records import DocumentRow, StoredDocument, StoredPassage
from ingest.store import Store
from ingest.vectors import VectorSearch

FILE = "index.sqlite3"
Scored = list[tuple[int, float]]


class Index:
    """An index opened for reading. Safe to share between threads; sees what others write without reopening.

    `embedder` embeds the questions; it must be the one that made the index.
    """

    def __init__(self, folder: Path, store: Store, embedder: Embedder) -> None:
        self.folder = folder
        self.embedder = embedder
        self._store = store
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._search: VectorSearch | None = None

    @classmethod
    def open(cls, folder: str | Path, embedder: Embedder) -> "Index":
        """Open the index in `folder`. Raises `IndexMissing`, or `IndexMismatch` if another embedder made it."""
        folder = Path(folder)
        path = folder / FILE
        if not path.exists():
            raise IndexMissing(f"No index in {folder}: make one with `rag-dolly ingest FOLDER --index {folder}`.")
        store = Store(path)
        check_identity(store, embedder, folder)
        return cls(folder, store, embedder)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    @property
    def passage_count(self) -> int:
        """How many passages there are now."""
        return self._store.counts()["passages"]

    def counts(self) -> dict[str, int]:
        """Return counts of documents, failed, passages and bytes."""
        return self._store.counts()

    def about(self) -> dict[str, str]:
        """Return when the index was created and last updated (ISO 8601, UTC)."""
        return {"created": self._store.get("created"), "updated": self._store.get("updated")}

    def documents(self) -> list[DocumentRow]:
        """Return every file the index knows of, with its state."""
        return self._store.documents()

    def read_document(self, source: str) -> StoredDocument | None:
        """Return a document's text as it was parsed, and where the file is; None for an unknown source."""
        found = self._store.read_document(source)
        if found is None or found.path.is_absolute():
            return found
        return replace(found, path=self.folder / found.path)

    def headings(self, limit: int) -> list[str]:
        """Return up to `limit` heading titles, spread over the documents."""
        return self._store.headings(limit)

    def passages(self, ids: Sequence[int]) -> list[StoredPassage]:
        """Return the passages with these ids, in this order; ids that are gone are left out."""
        return self._store.passages(ids)

    def passages_of(self, source: str) -> list[StoredPassage]:
        """Return the passages of one document, in order."""
        return self._store.passages_of(source)

    def all_passages(self) -> Iterator[StoredPassage]:
        """Yield every passage, by source and ordinal."""
        return self._store.all_passages()

    def dense(self, query: Vectors, k: int) -> Scored:
        """Return the `k` (passage id, cosine) nearest to a query vector, best first."""
        return self._vectors().search(query, k)

    def keyword(self, question: str, k: int) -> Scored:
        """Return the `k` (passage id, BM25) that share most with the question's words, best first."""
        query = keyword.match_query(question)
        return self._store.match(query, k) if query else []

    def problems(self) -> list[str]:
        """Return what is wrong with the index; an empty list is a sound one."""
        return self._store.problems()

    def _vectors(self) -> VectorSearch:
        """Return the search structure, rebuilt if anybody has written since it was made."""
        with self._lock:
            version = self._store.version()
            if self._search is None or version != self._seen:
                check_identity(self._store, self.embedder, self.folder)
                self._search = VectorSearch(*self._store.vectors(self.embedder.identity.dimension))
                self._seen = version
            return self._search


def check_identity(store: Store, embedder: Embedder, folder: Path) -> None:
    """Raise `IndexMismatch` if the index was made by another embedder."""
    made_by, ours = store.get("embedder"), embedder.identity
    if made_by and made_by != ours.fingerprint():
        raise IndexMismatch(
            f"The index in {folder} was made by the embedder '{store.get('embedder_name')}', '{ours.name}' is in use: "
            f"set --embedder to the first, or change it over with `rag-dolly reembed --embedder {ours.name}`."
        )
