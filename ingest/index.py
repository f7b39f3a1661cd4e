"""The border between ingestion and answering: an `Index`, made by one and searched by the other."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest import keyword, phrases
from ingest.calibrate import needed_nearness
from ingest.derived import open_snapshot
from ingest.embed import Embedder, Vectors
from ingest.errors import IndexMismatch, IndexMissing
from ingest.filters import Filters, select
from ingest.named import Named, find_named
from ingest.places import Place, ids_at
from ingest.records import DocumentRow, StoredDocument, StoredPassage
from ingest.rows import Ids
from ingest.snapshot import Snapshot, catch_up
from ingest.store import Store

FILE = "index.sqlite3"
Scored = list[tuple[int, float]]
Terms = Sequence[tuple[str, float]]


class ByWords(NamedTuple):
    """Scores of n passages by a question's words, each of shape (n,): BM25 without what phrases add, and coverage, the
    sum of the weights of the words that a passage has.
    """

    keyword: NDArray[np.float32]
    coverage: NDArray[np.float32]


class Index:
    """An index opened for reading. Safe to share between threads; sees what others write without reopening.

    `embedder` embeds the questions; it must be the one that made the index. Where a search takes `among`, these are the
    ids of the only passages it may return, int64, rising; None allows all.
    """

    def __init__(self, folder: Path, store: Store, embedder: Embedder) -> None:
        self.folder = folder
        self.embedder = embedder
        self._store = store
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._selected: tuple[tuple[tuple[int, int], Filters], Ids | None] | None = None
        self._snapshot: Snapshot | None = None

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

    @property
    def database(self) -> Store:
        """The open file, for `ingest.listing` to look through."""
        return self._store

    def near_enough(self) -> float | None:
        """Return how near a question must come to be answered (`ingest.nearness`), None if that is not known."""
        return needed_nearness(self._store)

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

    def dense(self, query: Vectors, k: int, among: Ids | None = None) -> Scored:
        """Return the `k` (passage id, cosine) nearest to a query vector, shape (dimension,), best first."""
        return self._search().vectors.search(query, k, among)

    def keyword(self, question: str, k: int, among: Ids | None = None) -> Scored:
        """Return the `k` (passage id, BM25) that share most with the question's words, best first.

        Passages that say what stands in double quotes come first.
        """
        now = self._search()
        terms = _terms(question, now.languages)
        found = now.words.search(terms, k, among)
        if said := keyword.phrases(question):
            found = phrases.raised(found, now.words, terms, said, now.languages, k, among, self.passages)
        return found

    def keyword_terms(self, terms: Terms, k: int, among: Ids | None = None) -> Scored:
        """Return what `keyword` does, for (term, weight) pairs as `ingest.keyword.query_terms` gives them."""
        return self._search().words.search(terms, k, among)

    def vectors_of(self, ids: Sequence[int] | Ids) -> Vectors:
        """Return the stored vectors of these passages, shape (n, dimension); zeros for those that are gone."""
        return self._search().vectors.vectors_of(np.asarray(ids, dtype=np.int64))

    def word_scores(self, question: str, ids: Sequence[int] | Ids) -> NDArray[np.float32]:
        """Return the BM25 of these passages for a question, without what phrases add, shape (n,)."""
        now = self._search()
        return now.words.scores(_terms(question, now.languages), np.asarray(ids, dtype=np.int64))

    def by_words(self, question: str, ids: Ids) -> ByWords:
        """Return what the question's words say of these passages."""
        now = self._search()
        return ByWords(*now.words.scores_and_coverage(_terms(question, now.languages), ids))

    def named(self, question: str, among: Ids | None = None) -> Named:
        """Return the passages of the documents that a question names by words of their path."""
        now = self._search()
        return find_named(question, now.words, now.languages, among)

    def document_scores(self, question: str, ids: Sequence[int] | Ids) -> NDArray[np.float32]:
        """Return for each of these passages the BM25 of its whole document for a question, shape (n,)."""
        now = self._search()
        of, wholes = self._store.whole_documents([int(key) for key in ids])
        counts = self._store.counts()
        scores = now.words.joint_scores(
            _terms(question, now.languages),
            [np.array(whole, dtype=np.int64) for whole in wholes.values()],
            counts["passages"] / max(counts["documents"], 1),
        )
        by_document = dict(zip(wholes, scores.tolist(), strict=True))
        return np.array([by_document.get(of.get(int(key), 0), 0.0) for key in ids], dtype=np.float32)

    def select(self, filters: Filters | None) -> Ids | None:
        """Return the ids of the passages of the matching documents, rising; None for no filters. Raises `BadFilter`."""
        if not filters:
            return None
        asked, known = (self._store.version(), filters), self._selected
        if known is None or known[0] != asked:
            known = self._selected = asked, select(self._store, filters)
        return known[1]

    def ids_at(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return (source, ordinal) -> passage id; places where there is no passage are left out."""
        return ids_at(self._store, places)

    @property
    def languages(self) -> frozenset[str]:
        """The languages of the indexed documents, as `ingest.keyword` names them."""
        return self._search().languages

    def problems(self) -> list[str]:
        """Return what is wrong with the index; an empty list is a sound one."""
        return self._store.problems()

    def _search(self) -> Snapshot:
        """Return the search structures, brought up to date if anybody has written since they were."""
        with self._lock:
            version = self._store.version()
            if self._snapshot is None or version != self._seen:
                with self._store.reading():
                    check_identity(self._store, self.embedder, self.folder)
                    self._snapshot = (self._snapshot and catch_up(self._snapshot, self._store)) or open_snapshot(
                        self._store, self.folder, self.embedder.identity.dimension
                    )
                self._seen = version
            return self._snapshot


@lru_cache(maxsize=64)
def _terms(question: str, languages: frozenset[str]) -> list[tuple[str, float]]:
    """Return the terms of a question, which several stages ask for."""
    return keyword.query_terms(question, languages)


def check_identity(store: Store, embedder: Embedder, folder: Path) -> None:
    """Raise `IndexMismatch` if the index was made by another embedder."""
    made_by, ours = store.get("embedder"), embedder.identity
    if made_by and made_by != ours.fingerprint():
        raise IndexMismatch(
            f"The index in {folder} was made by the embedder '{store.get('embedder_name')}', '{ours.name}' is in use: "
            f"set --embedder to the first, or change it over with `rag-dolly reembed --embedder {ours.name}`."
        )
