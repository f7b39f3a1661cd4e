"""The index on disk: one SQLite file that is the truth, and the only code that speaks SQL.

Documents, passages, vectors (fp16), the full-text index and the identity of what made them change together, one
document in one transaction; with write-ahead logging readers never wait for a writer, and a crash at any moment
leaves everything up to the last stored document.
"""

import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import IndexMismatch, RagDollyError
from ingest.keyword import index_text
from ingest.passage import Document, Passage
from ingest.records import DocumentRow, StoredDocument, StoredPassage
from ingest.schema import connect

_SEPARATOR = "\x1f"


class Store:
    """One open connection, usable from several threads. Raises `IndexMismatch` for a foreign or damaged file."""

    def __init__(self, path: Path, create: bool = False) -> None:
        self._lock = threading.RLock()
        self._db = connect(path, create)

    def close(self) -> None:
        """Close the connection; the write-ahead log is folded into the file by the last to close."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is stored together or not at all."""
        with self._lock:
            try:
                self._run("BEGIN IMMEDIATE")
                yield
                self._run("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def version(self) -> tuple[int, int]:
        """Return a value that changes whenever anybody, in this process or another, has written."""
        with self._lock:
            (others,) = self._db.execute("PRAGMA data_version").fetchone()
            return others, self._db.total_changes

    # What is known of the index as a whole

    def get(self, key: str) -> str:
        """Return a value of `meta`, "" if it was never set."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else ""

    def set(self, key: str, value: str) -> None:
        """Set a value of `meta`."""
        self._run("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)

    def roots(self) -> list[tuple[int, str, str]]:
        """Return (id, path, prefix) of each ingested folder; the prefix stands before its sources."""
        return [
            (int(i), str(path), str(prefix)) for i, path, prefix in self._rows("SELECT id, path, prefix FROM roots")
        ]

    def add_root(self, path: str, prefix: str) -> int:
        """Store a folder, returning its id."""
        return int(self._run("INSERT INTO roots (path, prefix) VALUES (?, ?)", path, prefix).lastrowid or 0)

    def counts(self) -> dict[str, int]:
        """Return how many documents are indexed and failed, how many passages there are, and bytes read."""
        row = self._rows(
            "SELECT count(*) FILTER (WHERE state = 'indexed'), count(*) FILTER (WHERE state = 'failed'), "
            "(SELECT count(*) FROM passages), coalesce(sum(bytes) FILTER (WHERE state = 'indexed'), 0) FROM documents"
        )[0]
        return dict(zip(("documents", "failed", "passages", "bytes"), map(int, row), strict=True))

    # Documents

    def documents(self) -> list[DocumentRow]:
        """Return every file the index knows of, by source."""
        rows = self._rows(
            "SELECT source, kind, title, (SELECT count(*) FROM passages WHERE document = d.id), bytes, state, reason "
            "FROM documents d ORDER BY source"
        )
        return [DocumentRow(*row) for row in rows]

    def known(self, root: int) -> dict[str, tuple[str, str]]:
        """Return source -> (sha256, state) of the documents of one root."""
        rows = self._rows("SELECT source, sha256, state FROM documents WHERE root = ?", root)
        return {source: (sha256, state) for source, sha256, state in rows}

    def put_document(
        self,
        root: int,
        document: Document,
        sha256: str,
        size: int,
        passages: Sequence[tuple[Passage, str, bytes]],
        metadata: str = "",
    ) -> None:
        """Store a document with its (passage, hash, vector) rows, replacing what its source held. One transaction."""
        pages = " ".join(map(str, document.page_starts))
        text = zlib.compress(document.text.encode(), 3)
        with self.transaction():
            self._delete(document.source)
            key = self._insert_document(
                (
                    root,
                    document.source,
                    sha256,
                    size,
                    document.kind,
                    document.title,
                    "indexed",
                    "",
                    pages,
                    text,
                    metadata,
                )
            )
            for passage, digest, vector in passages:
                self._insert_passage(key, document.title, passage, digest, vector)

    def put_failure(self, root: int, source: str, sha256: str, size: int, kind: str, state: str, reason: str) -> None:
        """Store that a file could not be read; whatever it held before leaves the index."""
        with self.transaction():
            self._delete(source)
            self._insert_document((root, source, sha256, size, kind, "", state, reason, "", b"", ""))

    def delete_document(self, source: str) -> None:
        """Remove a document and everything that came from it. One transaction."""
        with self.transaction():
            self._delete(source)

    def read_document(self, source: str) -> StoredDocument | None:
        """Return a document's text as it was parsed, or None if there is no such source."""
        rows = self._rows(
            "SELECT d.kind, d.title, d.text, d.page_starts, r.path, r.prefix FROM documents d "
            "JOIN roots r ON r.id = d.root WHERE d.source = ?",
            source,
        )
        if not rows:
            return None
        kind, title, text, pages, root, prefix = rows[0]
        decoded = zlib.decompress(text).decode() if text else ""
        path = Path(root) / source.removeprefix(prefix)
        return StoredDocument(source, kind, title, decoded, tuple(map(int, pages.split())), path)

    # Passages

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
        """Return up to `limit` distinct heading paths, spread over the documents."""
        rows = self._rows(
            "SELECT min(p.heading) FROM passages p WHERE p.heading <> '' GROUP BY p.document, p.heading "
            "ORDER BY row_number() OVER (PARTITION BY p.document ORDER BY min(p.ordinal)), p.document LIMIT ?",
            limit,
        )
        return [row[0].split(_SEPARATOR)[-1] for row in rows]

    def drop_root(self, root: int) -> None:
        """Forget a folder and all that came from it. One transaction."""
        with self.transaction():
            for (source,) in self._rows("SELECT source FROM documents WHERE root = ?", root):
                self._delete(source)
            self._run("DELETE FROM roots WHERE id = ?", root)

    def vectors(self, dimension: int) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Return all passage ids, shape (n,), and their vectors, shape (n, dimension)."""
        rows = self._rows("SELECT id, vector FROM passages ORDER BY id")
        ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        joined = b"".join(row[1] for row in rows)
        if len(joined) != len(rows) * dimension * 2:
            raise IndexMismatch(f"The index is damaged: vectors of {dimension} dimensions expected, other sizes found.")
        return ids, np.frombuffer(joined, dtype=np.float16).reshape(len(rows), dimension)

    def vectors_by_hash(self, hashes: Iterable[str]) -> dict[str, bytes]:
        """Return the vectors of those hashes that are already in the index, so that they are not made again."""
        found = {}
        for digest in hashes:
            rows = self._rows("SELECT vector FROM passages WHERE hash = ? LIMIT 1", digest)
            if rows:
                found[digest] = rows[0][0]
        return found

    def match(self, query: str, k: int) -> list[tuple[int, float]]:
        """Return the `k` (passage id, BM25) best for an FTS5 query, best first; higher is better."""
        sql = "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
        return [(int(i), float(score)) for i, score in self._rows(sql, query, k)]

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the file; an empty list is a sound index."""
        found = [str(row[0]) for row in self._rows("PRAGMA quick_check")]
        return [] if found == ["ok"] else found

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._lock, _in_words():
            return self._db.execute(sql, values).fetchall()

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        with self._lock, _in_words():
            return self._db.execute(sql, values)

    def _delete(self, source: str) -> None:
        for item in self.passages_of(source):
            values = _words(item.title, item.passage)
            self._run(
                "INSERT INTO words (words, rowid, title, heading, body) VALUES ('delete', ?, ?, ?, ?)",
                item.id,
                *values,
            )
        self._run("DELETE FROM passages WHERE document IN (SELECT id FROM documents WHERE source = ?)", source)
        self._run("DELETE FROM documents WHERE source = ?", source)

    def _insert_document(self, values: tuple[Any, ...]) -> int:
        sql = (
            "INSERT INTO documents (root, source, sha256, bytes, kind, title, state, reason, page_starts, text, "
            "metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        return int(self._run(sql, *values).lastrowid or 0)

    def _insert_passage(self, document: int, title: str, passage: Passage, digest: str, vector: bytes) -> None:
        heading = _SEPARATOR.join(passage.heading)
        sql = (
            'INSERT INTO passages (document, ordinal, page, start, "end", heading, text, hash, vector) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        place = (document, passage.ordinal, passage.page, passage.start, passage.end, heading, passage.text)
        rowid = self._run(sql, *place, digest, vector).lastrowid
        self._run("INSERT INTO words (rowid, title, heading, body) VALUES (?, ?, ?, ?)", rowid, *_words(title, passage))


@contextmanager
def _in_words() -> Iterator[None]:
    """Say in a line what SQLite could not do: disk full, locked, damaged."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a mistake of ours
    except sqlite3.OperationalError as error:
        raise RagDollyError(f"The index cannot be used now: {error}; what was stored before is intact.") from error
    except sqlite3.DatabaseError as error:
        raise IndexMismatch(f"The index is damaged: {error}; ingest the folder into a new --index.") from error


_SELECT_PASSAGE = (
    'SELECT p.id, d.title, d.metadata, d.source, p.ordinal, p.text, p.start, p."end", p.page, p.heading '
    "FROM passages p JOIN documents d ON d.id = p.document"
)


def _passage(row: Any) -> StoredPassage:
    key, title, metadata, source, ordinal, text, start, end, page, heading = row
    path = tuple(heading.split(_SEPARATOR)) if heading else ()
    return StoredPassage(key, title, metadata, Passage(source, ordinal, text, start, end, page, path))


def _words(title: str, passage: Passage) -> tuple[str, str, str]:
    return index_text(title), index_text(" ".join(passage.heading)), index_text(passage.text)
