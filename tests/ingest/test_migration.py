"""An index of an older format opens, answers, and is brought up to date by the next run."""

import sqlite3
import zlib
from contextlib import closing

import pytest

from ingest.errors import IndexMismatch, IndexMissing
from ingest.index import FILE, Index
from ingest.keyword import language_of
from ingest.reembed import reembed
from ingest.terms import MADE_WITH, pack
from tests.fakes import HashingEmbedder

FORMAT_1 = """
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
PRAGMA user_version = 1;
"""

FORMAT_2 = """
ALTER TABLE documents ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN read_with TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN structure BLOB NOT NULL DEFAULT x'';
ALTER TABLE passages ADD COLUMN place TEXT NOT NULL DEFAULT '';
CREATE INDEX documents_by_content ON documents (sha256);
CREATE TABLE staged (
    made_by TEXT NOT NULL, hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (made_by, hash)) WITHOUT ROWID;
PRAGMA user_version = 2;
"""


@pytest.fixture(params=[1, 2])
def old(request, folder, tmp_path, embedder):
    """An index of an older format with one document of one passage."""
    home = tmp_path / "index"
    home.mkdir()
    text = "A hive gives about 15 kilograms of honey a year."
    heading = "Bees\x1fWhat they give"
    (folder / "old.txt").write_text(text)
    vector = embedder.embed_query(text).astype("float16").tobytes()
    db = sqlite3.connect(home / FILE)
    db.executescript(FORMAT_1)
    facts = {
        "embedder": embedder.identity.fingerprint(),
        "embedder_name": "hashing",
        "created": "2026-11-01T00:00:00+00:00",
        "made_with": "chunker 1, words 1",
    }
    db.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
    db.execute("INSERT INTO roots VALUES (1, ?, '')", (folder.as_posix(),))
    row = (1, 1, "old.txt", "sha", len(text), "text", "old", "indexed", "", "", zlib.compress(text.encode()), "")
    db.execute(f"INSERT INTO documents VALUES ({','.join('?' * 12)})", row)
    row = (1, 1, 0, None, 0, len(text), heading, text, "hash", vector)
    db.execute(f"INSERT INTO passages VALUES ({','.join('?' * 10)})", row)
    db.execute("INSERT INTO words (rowid, title, heading, body) VALUES (1, 'old', ?, ?)", (heading, text))
    db.commit()
    if request.param == 2:
        db.executescript(FORMAT_2)
    db.close()
    return home


def test_it_answers_as_it_is(old, embedder):
    index = Index.open(old, embedder)
    assert [p.passage.source for p in index.passages([i for i, _ in index.keyword("honey", 3)])] == ["old.txt"]
    assert index.dense(embedder.embed_query("hive honey"), 1)[0][0] == 1


def test_it_has_the_terms_that_a_new_index_has(old, embedder):
    Index.open(old, embedder).close()
    with closing(sqlite3.connect(old / FILE)) as db:
        (source, text, heading, terms, language, made_with) = db.execute(
            "SELECT source, p.text, heading, terms, language, value FROM passages p, documents, meta "
            "WHERE key = 'terms'"
        ).fetchone()
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'words%'").fetchone() == (0,)
    assert terms == pack(source, "old", heading.split("\x1f"), text, language)
    assert (language, made_with) == (language_of(text), MADE_WITH)


def test_terms_of_another_version_are_made_anew_by_the_next_run(folder, ingest, tmp_path, embedder, index):
    before = index.keyword("honey of bees", 9)
    assert before
    with closing(sqlite3.connect(tmp_path / "index" / FILE)) as db:
        db.execute("UPDATE passages SET terms = x''")
        db.execute("UPDATE meta SET value = 'keyword 0' WHERE key = 'terms'")
        db.commit()
    assert index.keyword("honey of bees", 9) == []
    assert ingest(folder).unchanged == 3
    assert (
        index.keyword("honey of bees", 9)
        == before
        == Index.open(tmp_path / "index", embedder).keyword("honey of bees", 9)
    )


def test_the_next_run_brings_it_up_to_date(old, folder, ingest, embedder):
    report = ingest(folder)
    assert (report.updated, report.added, report.deleted) == (1, 3, 0)
    assert ingest(folder).unchanged == 4
    index = Index.open(old, embedder)
    assert len(index.keyword("about 15 kilograms", 9)) >= 1 and index.problems() == []


def test_changing_its_embedder_asks_for_that_run_first(old):
    with pytest.raises(IndexMismatch, match="rag-dolly ingest"):
        reembed(old, HashingEmbedder("other"))


def test_a_newer_format_is_refused(old, embedder):
    db = sqlite3.connect(old / FILE)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(IndexMismatch, match="format 99"):
        Index.open(old, embedder)


def test_a_file_whose_making_was_interrupted_is_filled_by_the_next_run(folder, ingest, tmp_path, embedder):
    (tmp_path / "index").mkdir()
    sqlite3.connect(tmp_path / "index" / FILE).execute("PRAGMA journal_mode = WAL")
    with pytest.raises(IndexMissing, match="interrupted"):
        Index.open(tmp_path / "index", embedder)
    assert ingest(folder).added == 3


def test_a_foreign_database_is_not_written_to(folder, ingest, tmp_path):
    (tmp_path / "index").mkdir()
    db = sqlite3.connect(tmp_path / "index" / FILE)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(IndexMismatch):
        ingest(folder)
    rows = sqlite3.connect(tmp_path / "index" / FILE).execute("SELECT name FROM sqlite_master").fetchall()
    assert rows == [("mine",)]
