"""Other keyword engines over the passages of an index: SQLite FTS5, and bm25s and tantivy where they are installed.

    python -m benchmarks.scale_others {fts5,bm25s,tantivy} INDEX QUESTIONS

Used by `benchmarks.scale`, one process each so that memory can be told apart. QUESTIONS is a JSON list. Prints JSON:
seconds to build, milliseconds of each search for a hundred passages by the clock and of processor time, MiB on disk
and at most in memory.
"""

import importlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.index import FILE
from ingest.keyword import query_words

Search = Callable[[str], Any]
TOP = 100


def rows(index: Path) -> Any:
    """Return (id, title, heading, text) of every passage, read one by one."""
    db = sqlite3.connect(index / FILE)
    sql = "SELECT p.id, d.title, p.heading, p.text FROM passages p JOIN documents d ON d.id = p.document"
    return db.execute(sql)


def fts5(index: Path, home: Path) -> Search:
    db = sqlite3.connect(home / "fts5.sqlite3")
    db.execute(
        "CREATE VIRTUAL TABLE words USING fts5 (title, heading, body, content = '', "
        "tokenize = 'porter unicode61 remove_diacritics 2')"
    )
    with db:
        db.executemany("INSERT INTO words (rowid, title, heading, body) VALUES (?, ?, ?, ?)", rows(index))
    sql = "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
    return lambda said: db.execute(sql, (" OR ".join(f'"{word}"' for word in query_words(said)), TOP)).fetchall()


def tantivy(index: Path, home: Path) -> Search:
    engine: Any = importlib.import_module("tantivy")
    builder = engine.SchemaBuilder()
    builder.add_integer_field("id", stored=True)
    builder.add_text_field("body", stored=False, tokenizer_name="en_stem")
    made = engine.Index(builder.build(), path=str(home))
    writer = made.writer(256_000_000)
    for key, title, heading, text in rows(index):
        writer.add_document(engine.Document(id=key, body=f"{title}\n{heading}\n{text}"))
    writer.commit()
    writer.wait_merging_threads()
    made.reload()
    searcher = made.searcher()

    def search(said: str) -> list[Any]:
        query = made.parse_query(" ".join(query_words(said)), ["body"])
        return [searcher.doc(place)["id"] for _, place in searcher.search(query, TOP).hits]

    return search


def bm25s(index: Path, home: Path) -> Search:
    engine: Any = importlib.import_module("bm25s")
    texts = [f"{title}\n{heading}\n{text}" for _, title, heading, text in rows(index)]
    made = engine.BM25(method="lucene")
    made.index(engine.tokenize(texts, show_progress=False), show_progress=False)
    made.save(str(home / "bm25s"))

    def search(said: str) -> Any:
        query = engine.tokenize([" ".join(query_words(said))], show_progress=False, return_ids=False)
        return made.retrieve(query, k=TOP, show_progress=False)

    return search


def peak() -> float:
    """Return the most memory this process has had, MiB (0 where the system does not tell)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def main() -> None:
    name, index, questions = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    make = {"fts5": fts5, "tantivy": tantivy, "bm25s": bm25s}[name]
    with tempfile.TemporaryDirectory() as home:
        began = time.monotonic()
        search = make(index, Path(home))
        built, times = time.monotonic() - began, list[tuple[float, float]]()
        for said in questions:
            start = time.perf_counter(), time.thread_time()
            search(said)
            times.append(((time.perf_counter() - start[0]) * 1000, (time.thread_time() - start[1]) * 1000))
        size = sum(path.stat().st_size for path in Path(home).rglob("*") if path.is_file()) / 2**20
    print(json.dumps({"build": built, "times": times, "disk": size, "peak": peak()}))


if __name__ == "__main__":
    main()
