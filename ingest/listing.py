"""The documents of an index as a person looks through them: counted, by folder, and some at a time.

Every question is one statement on the index file that returns no more than is shown, so that fifty thousand documents
are looked through in some tens of milliseconds. Words are compared without regard to case as far as SQLite does that
(A to Z), and for other letters as they were typed, in capitals, and with a capital first.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from ingest.database import Database
from ingest.passage_store import SEPARATOR
from ingest.records import DocumentRow

STATES = {
    "": "state <> 'skipped'",
    "indexed": "state = 'indexed' AND reason = ''",
    "partial": "state = 'indexed' AND reason <> ''",
    "failed": "state = 'failed'",
    "skipped": "state = 'skipped'",
}
"""What can be asked for -> the condition on `documents`: "" is all but what was passed over on purpose."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which documents are looked at: below `folder` ("" for all), with every word of `text` in source or title.

    `state` is a key of `STATES`.
    """

    folder: str = ""
    text: str = ""
    state: str = ""


class Tally(NamedTuple):
    """How many documents there are in each state, and the bytes of those that were read, wholly or in part."""

    indexed: int = 0
    partial: int = 0
    failed: int = 0
    skipped: int = 0
    bytes: int = 0


class Folder(NamedTuple):
    """A folder by its whole path, how many documents below it were read, wholly or in part, and how many were not."""

    path: str
    read: int
    partial: int
    failed: int
    bytes: int


class Piece(NamedTuple):
    """A passage as it is read: its number in the document, from 0, where it stands, and its text."""

    ordinal: int
    page: int | None
    place: str
    headings: tuple[str, ...]
    text: str


class Made(NamedTuple):
    """What is known of an index as a whole: its embedder, when it last changed (ISO 8601, UTC), folders, passages."""

    embedder: str
    updated: str
    folders: tuple[tuple[str, str], ...]
    passages: int


def made(db: Database) -> Made:
    """Return what is known of the index; `folders` are (path, what stands before its sources)."""
    known = dict(db._rows("SELECT key, value FROM meta WHERE key IN ('embedder_name', 'updated')"))
    roots = [(str(path), str(prefix)) for path, prefix in db._rows("SELECT path, prefix FROM roots ORDER BY id")]
    passages = int(db._rows("SELECT count(*) FROM passages")[0][0])
    return Made(known.get("embedder_name", ""), known.get("updated", ""), tuple(roots), passages)


def tally(db: Database, look: Look = Look()) -> Tally:
    """Count the documents of a look by state, whatever `look.state` is."""
    where, values = _where(look)
    rows = db._rows(
        f"SELECT {_count('indexed')}, {_count('partial')}, {_count('failed')}, {_count('skipped')}, "
        f"coalesce(sum(bytes) FILTER (WHERE state = 'indexed'), 0) FROM documents WHERE {where}",
        *values,
    )
    return Tally(*map(int, rows[0]))


def folders(db: Database, look: Look) -> list[Folder]:
    """Return the folders right below `look.folder` that hold documents of the look, by name."""
    where, values = _where(look)
    rest = f"substr(source, {_skip(look) + 1})"
    rows = db._rows(
        f"SELECT substr({rest}, 1, instr({rest}, '/') - 1) AS name, {_count('indexed')}, {_count('partial')}, "
        f"{_count('failed')}, coalesce(sum(bytes) FILTER (WHERE state = 'indexed'), 0) FROM documents "
        f"WHERE {where} AND {STATES[look.state]} AND instr(rtrim({rest}, '/'), '/') > 0 GROUP BY name ORDER BY name",
        *values,
    )
    return [Folder(_within(look) + name, *map(int, counts)) for name, *counts in rows]


def files(db: Database, look: Look, offset: int, limit: int, is_flat: bool = False) -> list[DocumentRow]:
    """Return up to `limit` documents of a look, by source, after the first `offset`.

    Those right in the folder, or all below it if `is_flat`.
    """
    where, values = _where(look)
    here = "" if is_flat else f"AND instr(rtrim(substr(source, {_skip(look) + 1}), '/'), '/') = 0"
    rows = db._rows(
        "SELECT source, kind, title, (SELECT count(*) FROM passages WHERE document = d.id), bytes, state, reason "
        f"FROM documents d WHERE {where} AND {STATES[look.state]} {here} ORDER BY source LIMIT ? OFFSET ?",
        *values,
        limit,
        offset,
    )
    return [DocumentRow(*row) for row in rows]


def count_here(db: Database, look: Look) -> int:
    """Return how many documents of a look lie right in its folder."""
    where, values = _where(look)
    rest = f"substr(source, {_skip(look) + 1})"
    sql = (
        f"SELECT count(*) FROM documents WHERE {where} AND {STATES[look.state]} AND instr(rtrim({rest}, '/'), '/') = 0"
    )
    return int(db._rows(sql, *values)[0][0])


def row_of(db: Database, source: str) -> DocumentRow | None:
    """Return what the index says of one file, None if it says nothing."""
    rows = db._rows(
        "SELECT source, kind, title, (SELECT count(*) FROM passages WHERE document = d.id), bytes, state, reason "
        "FROM documents d WHERE source = ?",
        source,
    )
    return DocumentRow(*rows[0]) if rows else None


def sources_below(db: Database, folder: str) -> list[str]:
    """Return every source the index knows of below a folder."""
    where, values = _where(Look(folder))
    return [source for (source,) in db._rows(f"SELECT source FROM documents WHERE {where} ORDER BY source", *values)]


def pieces(db: Database, source: str, offset: int, limit: int) -> list[Piece]:
    """Return up to `limit` passages of a document, in order, from number `offset` on."""
    rows = db._rows(
        "SELECT p.ordinal, p.page, p.place, p.heading, p.text FROM passages p JOIN documents d ON d.id = p.document "
        "WHERE d.source = ? AND p.ordinal >= ? ORDER BY p.ordinal LIMIT ?",
        source,
        offset,
        limit,
    )
    return [Piece(n, page, place, tuple(h.split(SEPARATOR)) if h else (), text) for n, page, place, h, text in rows]


def _count(state: str) -> str:
    return f"count(*) FILTER (WHERE {STATES[state]})"


def _within(look: Look) -> str:
    return f"{look.folder}/" if look.folder else ""


def _skip(look: Look) -> int:
    return len(_within(look))


def _where(look: Look) -> tuple[str, list[Any]]:
    """Return the condition for the folder and the words of a look, and the values for its marks."""
    clauses, values = ["1"], list[Any]()
    if look.folder:
        clauses.append("source >= ? AND source < ?")  # "0" is what comes after "/"
        values += [f"{look.folder}/", f"{look.folder}0"]
    for word in look.text.split():
        said = (word,) if word.isascii() else (word, word.lower(), word.upper(), word.capitalize())
        forms = sorted({f"%{_literal(form)}%" for form in said})
        clauses.append("(" + " OR ".join(["source LIKE ? ESCAPE '\\' OR title LIKE ? ESCAPE '\\'"] * len(forms)) + ")")
        values += [form for form in forms for _ in range(2)]
    return " AND ".join(clauses), values


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
