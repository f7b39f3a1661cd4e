"""The index on disk: one SQLite file that is the truth.

Documents, passages, their vectors (fp16) and terms, and the identity of what made them change together, one document
in one transaction; with write-ahead logging readers never wait for a writer, and a crash at any moment leaves
everything up to the last stored document.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ingest import terms
from ingest.document_json import dump_structure, with_structure
from ingest.passage import Document, Passage
from ingest.passage_store import SEPARATOR, PassageStore
from ingest.records import DocumentRow, StoredDocument
from ingest.schema import RENEW_TERMS


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


class Store(PassageStore):
    """The tables as documents and their passages."""

    # What is known of the index as a whole

    def get(self, key: str) -> str:
        """Return a value of `meta`, "" if it was never set."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else ""

    def set(self, key: str, value: str) -> None:
        """Set a value of `meta`."""
        self._run("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)

    def dimension(self) -> int:
        """Return how many dimensions the vectors of the index's embedder have, 0 before there is one."""
        return int(json.loads(self.get("embedder") or "{}").get("dimension", 0))

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

    def mark_unread(self, within: str) -> None:
        """Let a document, or all below a folder ("" for all), count as read by an older version: it is read again."""
        sql = "UPDATE documents SET read_with = '' WHERE ? = '' OR source = ? OR (source >= ? AND source < ?)"
        self._run(sql, within, within, f"{within}/", f"{within}0")  # "0" is what comes after "/"

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
        language = terms.language(document.text)
        name = (document.source, document.title)
        packed = [terms.pack(*name, row[0].heading, row[0].text, language) for row in passages]
        with self.transaction():
            self._delete(document.source)
            said = (document.kind, document.title, "indexed", "\n".join(document.warnings))
            key = self._insert_document(
                (root, document.source, *file, *said, pages, text, structure, metadata, language)
            )
            for (passage, digest, vector), words in zip(passages, packed, strict=True):
                self._insert_passage(key, passage, digest, vector, words)

    def put_failure(self, root: int, source: str, file: FileFacts, kind: str, state: str, reason: str) -> None:
        """Store that a file could not be read; whatever it held before leaves the index."""
        with self.transaction():
            self._delete(source)
            self._insert_document((root, source, *file, kind, "", state, reason, "", b"", b"", "", ""))

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

    def drop_root(self, root: int) -> None:
        """Forget a folder and all that came from it. One transaction."""
        with self.transaction():
            for (source,) in self._rows("SELECT source FROM documents WHERE root = ?", root):
                self._delete(source)
            self._run("DELETE FROM roots WHERE id = ?", root)

    def renew_terms(self) -> None:
        """Make the terms of all passages anew from their text, if another version made them. One transaction."""
        if self.get("terms") != terms.MADE_WITH:
            with self.transaction():
                for statement in RENEW_TERMS.split(";\n"):
                    self._run(statement)

    def _delete(self, source: str) -> None:
        """Remove a document. The ids of its passages follow each other, as they were stored in one transaction."""
        for (key,) in self._rows("SELECT id FROM documents WHERE source = ?", source):
            first, last = self._rows("SELECT min(id), max(id) FROM passages WHERE document = ?", key)[0]
            if first is not None:
                self._run("INSERT INTO removed (first, last) VALUES (?, ?)", first, last)
                self._run("DELETE FROM passages WHERE document = ?", key)
            self._run("DELETE FROM documents WHERE id = ?", key)

    def _insert_document(self, values: tuple[Any, ...]) -> int:
        sql = (
            "INSERT INTO documents (root, source, sha256, bytes, stamp, read_with, kind, title, state, reason, "
            "page_starts, text, structure, metadata, language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        return int(self._run(sql, *values).lastrowid or 0)

    def _insert_passage(self, document: int, passage: Passage, digest: str, vector: bytes, words: bytes) -> None:
        heading = SEPARATOR.join(passage.heading)
        sql = (
            'INSERT INTO passages (document, ordinal, page, start, "end", heading, text, place, hash, vector, terms) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        where = (document, passage.ordinal, passage.page, passage.start, passage.end, heading, passage.text)
        self._run(sql, *where, passage.place, digest, vector, words)
