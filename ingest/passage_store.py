"""The passages of an index file: read for people, read for the search structures, and their vectors by content."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.database import Database
from ingest.errors import IndexMismatch
from ingest.passage import Passage
from ingest.records import StoredPassage

SEPARATOR = "\x1f"
"""Stands between the headings of a path."""
_CHUNK = 8192
_SAMPLE = 1000
"""Documents among which headings are looked for, about."""
_KEPT_REMOVALS = 10_000


class SearchRows(NamedTuple):
    """What the search structures hold of passages, by rising id: ids (n,), packed terms, vectors (n, dimension)."""

    ids: NDArray[np.int64]
    terms: Sequence[bytes]
    vectors: NDArray[np.float16]


class PassageStore(Database):
    """The table of passages."""

    def passages(self, ids: Sequence[int]) -> list[StoredPassage]:
        """Return the passages with these ids, in this order; ids that are gone are left out."""
        marks = ",".join("?" * len(ids))
        found = {row[0]: row for row in self._rows(f"{_SELECT_PASSAGE} WHERE p.id IN ({marks})", *ids)}
        return [_passage(found[i]) for i in ids if i in found]

    def passages_of(self, source: str) -> list[StoredPassage]:
        """Return the passages of one document, in order."""
        return [_passage(row) for row in self._rows(f"{_SELECT_PASSAGE} WHERE d.source = ? ORDER BY p.ordinal", source)]

    def all_passages(self) -> Iterator[StoredPassage]:
        """Yield every passage, by source and ordinal."""
        for row in self._rows(f"{_SELECT_PASSAGE} ORDER BY d.source, p.ordinal"):
            yield _passage(row)

    def headings(self, limit: int) -> list[str]:
        """Return up to `limit` distinct heading paths, spread over the documents; of many documents over a sample."""
        rows = self._rows(
            "SELECT min(p.heading) FROM passages p WHERE p.heading <> '' AND p.document IN "
            "(SELECT id FROM documents WHERE id % (SELECT count(*) / ? + 1 FROM documents) = 0) "
            "GROUP BY p.document, p.heading "
            "ORDER BY row_number() OVER (PARTITION BY p.document ORDER BY min(p.ordinal)), p.document LIMIT ?",
            _SAMPLE,
            limit,
        )
        return [row[0].split(SEPARATOR)[-1] for row in rows]

    def vectors_by_hash(self, hashes: Iterable[str]) -> dict[str, bytes]:
        """Return the vectors of those hashes that are already in the index, so that they are not made again."""
        found = {}
        for digest in hashes:
            rows = self._rows("SELECT vector FROM passages WHERE hash = ? LIMIT 1", digest)
            if rows:
                found[digest] = rows[0][0]
        return found

    # Vectors made ahead of their documents, so that an interrupted run need not make them again

    def stage(self, made_by: str, vectors: dict[str, bytes]) -> None:
        """Keep vectors (by hash) of the embedder with the fingerprint `made_by`. One transaction."""
        with self.transaction():
            for digest, vector in vectors.items():
                self._run("INSERT OR REPLACE INTO staged VALUES (?, ?, ?)", made_by, digest, vector)

    def staged(self, made_by: str, hashes: Iterable[str]) -> dict[str, bytes]:
        """Return those of the staged vectors that have these hashes."""
        sql = "SELECT vector FROM staged WHERE made_by = ? AND hash = ?"
        found = {digest: self._rows(sql, made_by, digest) for digest in hashes}
        return {digest: rows[0][0] for digest, rows in found.items() if rows}

    def clear_staged(self) -> None:
        """Forget all staged vectors."""
        if self._rows("SELECT 1 FROM staged LIMIT 1"):
            self._run("DELETE FROM staged")

    # What the search structures are made of, and what has changed since they were

    def search_rows(self, after: int, dimension: int) -> Iterator[SearchRows]:
        """Yield all passages with an id above `after`, some thousands at a time. Raises `IndexMismatch` if damaged."""
        sql = "SELECT id, terms, vector FROM passages WHERE id > ? ORDER BY id LIMIT ?"
        while rows := self._rows(sql, after, _CHUNK):
            ids, terms, blobs = zip(*rows, strict=True)
            joined = b"".join(blobs)
            if len(joined) != len(rows) * dimension * 2:
                raise IndexMismatch(
                    f"The index is damaged: vectors of {dimension} dimensions expected, other sizes found."
                )
            after = ids[-1]
            vectors = np.frombuffer(joined, dtype=np.float16).reshape(len(rows), dimension)
            yield SearchRows(np.array(ids, dtype=np.int64), terms, vectors)

    def whole_documents(self, ids: Sequence[int]) -> tuple[dict[int, int], dict[int, list[int]]]:
        """Return passage id -> document for these passages, and document -> the ids of all its passages."""
        marks = ",".join("?" * len(ids))
        of = {int(i): int(d) for i, d in self._rows(f"SELECT id, document FROM passages WHERE id IN ({marks})", *ids)}
        wholes: dict[int, list[int]] = {document: [] for document in of.values()}
        marks = ",".join("?" * len(wholes))
        for key, document in self._rows(f"SELECT id, document FROM passages WHERE document IN ({marks})", *wholes):
            wholes[document].append(key)
        return of, wholes

    def last_passage(self) -> int:
        """Return the highest id of a passage, 0 if there is none."""
        return int(self._rows("SELECT coalesce(max(id), 0) FROM passages")[0][0])

    def removals(self) -> tuple[int, int]:
        """Return the numbers of the oldest removal that is still listed and of the newest; (1, 0) before the first."""
        oldest, newest = self._rows("SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM removed")[0]
        return int(oldest), int(newest)

    def removed_since(self, number: int) -> list[tuple[int, int]]:
        """Return the (first, last) ids of the passages that were removed after the removal with this number."""
        return [tuple(row) for row in self._rows("SELECT first, last FROM removed WHERE seq > ? ORDER BY seq", number)]

    def prune_removals(self, needed_after: int) -> None:
        """Take old removals off the list, but none after `needed_after`, and not the newest ones."""
        oldest, newest = self.removals()
        until = min(needed_after, newest - _KEPT_REMOVALS)
        if until - oldest >= _KEPT_REMOVALS:
            self._run("DELETE FROM removed WHERE seq <= ?", until)

    def languages(self) -> frozenset[str]:
        """Return the languages of the indexed documents; "" is not one."""
        sql = (
            "WITH RECURSIVE found (name) AS (SELECT max(language) FROM documents UNION ALL SELECT "
            "(SELECT max(language) FROM documents WHERE language < found.name) FROM found WHERE found.name > '') "
            "SELECT name FROM found WHERE name > ''"
        )  # as many steps through the index as there are languages
        return frozenset(row[0] for row in self._rows(sql))


_SELECT_PASSAGE = (
    'SELECT p.id, d.title, d.metadata, d.source, p.ordinal, p.text, p.start, p."end", p.page, p.heading, p.place '
    "FROM passages p JOIN documents d ON d.id = p.document"
)


def _passage(row: Any) -> StoredPassage:
    key, title, metadata, source, ordinal, text, start, end, page, heading, place = row
    path = tuple(heading.split(SEPARATOR)) if heading else ()
    return StoredPassage(key, title, metadata, Passage(source, ordinal, text, start, end, page, path, place))
