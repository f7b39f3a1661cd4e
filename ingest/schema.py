"""The tables of an index file, and opening one that has them."""

import sqlite3
from pathlib import Path

from ingest.errors import IndexMismatch

FORMAT = 1
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, prefix TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES roots (id), source TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, page_starts TEXT NOT NULL, text BLOB NOT NULL,
    metadata TEXT NOT NULL DEFAULT '');
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents (id), ordinal INTEGER NOT NULL,
    page INTEGER, start INTEGER NOT NULL, "end" INTEGER NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL,
    hash TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX passages_by_document ON passages (document, ordinal);
CREATE INDEX passages_by_hash ON passages (hash);
CREATE VIRTUAL TABLE words USING fts5 (
    title, heading, body, content = '', tokenize = 'porter unicode61 remove_diacritics 2');
"""


def connect(path: Path, create: bool) -> sqlite3.Connection:
    """Open an index file, making it if asked. Raises `IndexMismatch` for a foreign, damaged or newer file."""
    uri = f"{path.resolve().as_uri()}?mode={'rwc' if create else 'rw'}"
    try:
        db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=10)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0 and create:
            db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
            version = FORMAT
    except sqlite3.DatabaseError as error:
        raise IndexMismatch(
            f"{path} cannot be opened as an index ({error}): expected one made by rag-dolly."
        ) from error
    if version != FORMAT:
        db.close()
        raise IndexMismatch(
            f"{path} has index format {version}, this version reads format {FORMAT}: ingest into a new --index."
        )
    return db
