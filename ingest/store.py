"""The index on disk: one SQLite file that is the truth.

Documents, passages, vectors (fp16), the full-text index and the identity of what made them change together, one
document in one transaction; with write-ahead logging readers never wait for a writer, and a crash at any moment
leaves everything up to the last stored document.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.database import Database
from ingest.document_json import dump_structure, with_structure
from ingest.errors import IndexMismatch
from ingest.keyword import index_text
from ingest.passage import Document, Passage
from ingest.records import DocumentRow, StoredDocument, StoredPassage

_SEPARATOR = "\x1f"


class FileFacts(NamedTuple):
    """What is stored of a file beside what was read: `stamp` says how it stood, `read_with` what read it."""

    sha256: str = ""
    size: int = 0
    stamp: str = ""
    read_with: str = ""


class Known(NamedTuple):
    """What the index knows of a file; `state` is "indexed", "failed" or "skipped"."""

    sha256: str
    stamp: str
    read_with: str
    state: str
    reason: str


class Store(Database):
    """The tables as documents and passages."""

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

    def known(self, root: int) -> dict[str, Known]:
        """Return source -> what is known of it, for the documents of one root."""
        sql = "SELECT source, sha256, stamp, read_with, state, reason FROM documents WHERE root = ?"
        return {source: Known(*facts) for source, *facts in self._rows(sql, root)}

    def restamp(self, source: str, stamp: str) -> None:
        """Note how the file of a document stands now; its content is the same."""
        self._run("UPDATE documents SET stamp = ? WHERE source = ?", stamp, source)

    def parsed(self, sha256: str, read_with: str, suffix: str) -> Document | None:
        """Return a document that was read from the same content under a name of the same suffix, if there is one."""
        sql = (
            "SELECT source, kind, title, text, page_starts, structure, reason FROM documents "
            "WHERE sha256 = ? AND read_with = ? AND state = 'indexed' AND structure <> x''"
        )
        for source, kind, title, text, pages, structure, reason in self._rows(sql, sha256, read_with):
            if PurePosixPath(source).suffix.lower() == suffix:
                read = zlib.decompress(text).decode(), tuple(map(int, pages.split())), zlib.decompress(structure)
                found = with_structure(source, kind, title, *read)
                return replace(found, warnings=tuple(reason.split("\n")) if reason else ())
        return None

    def document_sources(self) -> list[tuple[int, str]]:
        """Return (root, source) of every indexed document."""
        rows = self._rows("SELECT root, source FROM documents WHERE state = 'indexed' ORDER BY id")
        return [(int(root), source) for root, source in rows]

    def stored(self, source: str) -> tuple[Document, FileFacts, str] | None:
        """Return an indexed document as it was read, its facts and metadata; None without structure (format 1)."""
        sql = (
            "SELECT kind, title, text, page_starts, structure, reason, sha256, bytes, stamp, read_with, metadata "
            "FROM documents WHERE source = ? AND state = 'indexed' AND structure <> x''"
        )
        rows = self._rows(sql, source)
        if not rows:
            return None
        kind, title, text, pages, structure, reason, sha256, size, stamp, read_with, metadata = rows[0]
        read = zlib.decompress(text).decode(), tuple(map(int, pages.split())), zlib.decompress(structure)
        document = with_structure(source, kind, title, *read)
        document = replace(document, warnings=tuple(reason.split("\n")) if reason else ())
        return document, FileFacts(sha256, size, stamp, read_with), metadata

    def put_document(
        self,
        root: int,
        document: Document,
        file: FileFacts,
        passages: Sequence[tuple[Passage, str, bytes]],
        metadata: str = "",
    ) -> None:
        """Store a document with its (passage, hash, vector) rows, replacing what its source held. One transaction."""
        structure = zlib.compress(dump_structure(document), 3)
        text = zlib.compress(document.text.encode(), 3)
        pages = " ".join(map(str, document.page_starts))
        with self.transaction():
            self._delete(document.source)
            said = (document.kind, document.title, "indexed", "\n".join(document.warnings))
            key = self._insert_document((root, document.source, *file, *said, pages, text, structure, metadata))
            for passage, digest, vector in passages:
                self._insert_passage(key, document.title, passage, digest, vector)

    def put_failure(self, root: int, source: str, file: FileFacts, kind: str, state: str, reason: str) -> None:
        """Store that a file could not be read; whatever it held before leaves the index."""
        with self.transaction():
            self._delete(source)
            self._insert_document((root, source, *file, kind, "", state, reason, "", b"", b"", ""))

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

    def match(self, query: str, k: int) -> list[tuple[int, float]]:
        """Return the `k` (passage id, BM25) best for an FTS5 query, best first; higher is better."""
        sql = "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
        return [(int(i), float(score)) for i, score in self._rows(sql, query, k)]

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
            "INSERT INTO documents (root, source, sha256, bytes, stamp, read_with, kind, title, state, reason, "
            "page_starts, text, structure, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        return int(self._run(sql, *values).lastrowid or 0)

    def _insert_passage(self, document: int, title: str, passage: Passage, digest: str, vector: bytes) -> None:
        heading = _SEPARATOR.join(passage.heading)
        sql = (
            'INSERT INTO passages (document, ordinal, page, start, "end", heading, text, place, hash, vector) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        where = (document, passage.ordinal, passage.page, passage.start, passage.end, heading, passage.text)
        rowid = self._run(sql, *where, passage.place, digest, vector).lastrowid
        self._run("INSERT INTO words (rowid, title, heading, body) VALUES (?, ?, ?, ?)", rowid, *_words(title, passage))


_SELECT_PASSAGE = (
    'SELECT p.id, d.title, d.metadata, d.source, p.ordinal, p.text, p.start, p."end", p.page, p.heading, p.place '
    "FROM passages p JOIN documents d ON d.id = p.document"
)


def _passage(row: Any) -> StoredPassage:
    key, title, metadata, source, ordinal, text, start, end, page, heading, place = row
    path = tuple(heading.split(_SEPARATOR)) if heading else ()
    return StoredPassage(key, title, metadata, Passage(source, ordinal, text, start, end, page, path, place))


def _words(title: str, passage: Passage) -> tuple[str, str, str]:
    return index_text(title), index_text(" ".join(passage.heading)), index_text(passage.text)
