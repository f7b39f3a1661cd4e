"""The tables of an index file, the steps from older formats to this one, and opening a file that has them.

A step, once released, is never changed: a new format adds a step to `MIGRATIONS` and the same to `SCHEMA`.
"""

import sqlite3
import zlib
from pathlib import Path

from ingest import terms
from ingest.errors import IndexMismatch, IndexMissing

FORMAT = 3
_REMOVED = """CREATE TABLE removed (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, last INTEGER NOT NULL)"""
"""Which passages were removed, so that who has the search structures open need not read them anew."""
_STAGED = """CREATE TABLE staged (
    made_by TEXT NOT NULL, hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (made_by, hash)) WITHOUT ROWID"""
SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, prefix TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES roots (id), source TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, page_starts TEXT NOT NULL, text BLOB NOT NULL,
    metadata TEXT NOT NULL DEFAULT '', stamp TEXT NOT NULL DEFAULT '', read_with TEXT NOT NULL DEFAULT '',
    structure BLOB NOT NULL DEFAULT x'', language TEXT NOT NULL DEFAULT '');
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents (id), ordinal INTEGER NOT NULL,
    page INTEGER, start INTEGER NOT NULL, "end" INTEGER NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL,
    place TEXT NOT NULL DEFAULT '', hash TEXT NOT NULL, terms BLOB NOT NULL DEFAULT x'', vector BLOB NOT NULL);
CREATE INDEX passages_by_document ON passages (document, ordinal);
CREATE INDEX passages_by_hash ON passages (hash);
CREATE INDEX documents_by_content ON documents (sha256);
CREATE INDEX documents_by_language ON documents (language);
{_STAGED};
{_REMOVED};
INSERT INTO meta VALUES ('terms', terms_made_with())
"""
RENEW_TERMS = """
UPDATE documents SET language = language_of(text) WHERE state = 'indexed';
UPDATE passages SET terms = (
    SELECT terms_of(d.source, d.title, passages.heading, passages.text, d.language) FROM documents d
    WHERE d.id = passages.document);
INSERT INTO meta VALUES ('terms', terms_made_with()) ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
"""Makes the terms of all passages anew from the stored text."""
MIGRATIONS = {
    1: f"""
ALTER TABLE documents ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN read_with TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN structure BLOB NOT NULL DEFAULT x'';
ALTER TABLE passages ADD COLUMN place TEXT NOT NULL DEFAULT '';
CREATE INDEX documents_by_content ON documents (sha256);
{_STAGED};
DELETE FROM meta WHERE key = 'made_with'
""",
    2: f"""
ALTER TABLE documents ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE passages ADD COLUMN terms BLOB NOT NULL DEFAULT x'';
CREATE INDEX documents_by_language ON documents (language);
{_REMOVED};
{RENEW_TERMS};
DROP TABLE words
""",
}
"""Format -> the statements that lead from it to the next one."""


def connect(path: Path, create: bool) -> sqlite3.Connection:
    """Open an index file, making it if asked, brought to this format if it has an older one.

    Raises `IndexMismatch` for a foreign or damaged file, and for one of a newer format; `IndexMissing` for an empty
    one unless `create` is set.
    """
    uri = f"{path.resolve().as_uri()}?mode={'rwc' if create else 'rw'}"
    try:
        db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=10)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")
        _add_functions(db)
        version = _format(db)
        if version == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            _fill(db, path, create)
        for step in sorted(number for number in MIGRATIONS if number >= version > 0):
            _run(db, step, MIGRATIONS[step], step + 1)
        version = _format(db)
    except sqlite3.DatabaseError as error:
        raise IndexMismatch(
            f"{path} cannot be opened as an index ({error}): expected one made by rag-dolly."
        ) from error
    if version != FORMAT:
        db.close()
        raise IndexMismatch(
            f"{path} has index format {version}, this version reads formats 1 to {FORMAT}: "
            "update rag-dolly, or ingest into a new --index."
        )
    return db


def _fill(db: sqlite3.Connection, path: Path, create: bool) -> None:
    """Make the tables in an empty file: a new one, or one whose making was interrupted."""
    if not create:
        db.close()
        raise IndexMissing(f"{path} holds nothing yet: the run that began it was interrupted; run `rag-dolly ingest`.")
    _run(db, 0, SCHEMA, FORMAT)


def _add_functions(db: sqlite3.Connection) -> None:
    """Let SQL make terms of what is stored; see `ingest.terms`."""
    db.create_function("terms_made_with", 0, lambda: terms.MADE_WITH, deterministic=True)
    db.create_function("language_of", 1, lambda text: terms.language(zlib.decompress(text).decode()) if text else "")
    db.create_function("terms_of", 5, _terms_of)


def _terms_of(source: str, title: str, path: str, text: str, language: str) -> bytes:
    return terms.pack(source, title, path.split("\x1f"), text, language)


def _format(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _run(db: sqlite3.Connection, expected: int, statements: str, then: int) -> None:
    """Run statements as one transaction, unless another process has done so in the meantime."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if _format(db) == expected:
            for statement in statements.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {then}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
