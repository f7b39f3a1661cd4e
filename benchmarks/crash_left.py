"""What an ingestion that was killed has left: is every document in it whole, and does all of it agree?

Used by `benchmarks.crash`. Beside the public API it reads the tables themselves, so that a mistake in reading them
cannot hide one in writing them.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ingest.embed import Embedder
from ingest.index import FILE, Index
from ingest.terms import pack

Content = dict[tuple[str, str], list[tuple[Any, ...]]]
"""(source, sha256 of the file) -> what is stored of it: state, title, text, and each passage with its vector."""
_ROWS = (
    'SELECT d.source, d.sha256, d.state, d.title, d.text, p.ordinal, p.page, p.start, p."end", p.heading, p.text, '
    "p.vector FROM documents d LEFT JOIN passages p ON p.document = d.id ORDER BY d.source, p.ordinal"
)

_TERMS = (
    "SELECT p.id, p.terms, d.title, p.heading, p.text, d.language FROM passages p JOIN documents d ON d.id = p.document"
)


def content(folder: Path, with_vectors: bool) -> Content:
    """Return all that an index holds; vectors are left out where the embedder does not repeat them bit for bit."""
    found: Content = {}
    for source, sha256, *values, vector in _read(folder, _ROWS):
        found.setdefault((source, sha256), []).append((*values, vector if with_vectors else b""))
    return found


def faults(folder: Path, embedder: Embedder, whole: Content, with_vectors: bool) -> list[str]:
    """Return a line for everything that is wrong, `whole` being what uninterrupted runs made of each version.

    Raises what `Index.open` raises.
    """
    index = Index.open(folder, embedder)
    with closing(index):
        found = [*index.problems(), *_disagreements(folder, index, embedder), *_misplaced(index)]
        for key, rows in content(folder, with_vectors).items():
            if key not in whole:
                found.append(f"{key[0]}: of no version of the file that there was")
            elif rows != whole[key]:
                found.append(f"{key[0]}: {len(rows)} rows, an uninterrupted run stores {len(whole[key])}, or others")
    return found


def _disagreements(folder: Path, index: Index, embedder: Embedder) -> list[str]:
    passages = {row[0] for row in _read(folder, "SELECT id FROM passages")}
    words = {row[0] for row in _read(folder, _TERMS) if row[1] == pack(row[2], row[3].split("\x1f"), *row[4:])}
    vectors = {key for key, _ in index.dense(embedder.embed_query("harbour"), max(1, len(passages)))}
    listed = {stored.id for stored in index.all_passages()}
    others = {"passages with the terms of their text": words, "vectors": vectors, "passages with a document": listed}
    return [
        f"{len(passages)} passages, {len(ids)} {name}: {len(passages ^ ids)} in one of them alone"
        for name, ids in others.items()
        if ids != passages
    ]


def _misplaced(index: Index) -> list[str]:
    found = []
    for row in index.documents():
        document = index.read_document(row.source)
        text = document.text if document else ""
        for stored in index.passages_of(row.source):
            passage = stored.passage
            if text[passage.start : passage.end] != passage.text:
                found.append(f"{row.source}: passage {passage.ordinal} is not its document's text")
    return found


def _read(folder: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(folder / FILE, timeout=10)) as db:
        return db.execute(sql).fetchall()
