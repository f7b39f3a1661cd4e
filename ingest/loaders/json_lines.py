"""JSON documents (.json) and JSON lines (.jsonl, .ndjson) to readable text (see `json_text`).

A line of JSON lines is a record and stands at "line 12"; lines that are no JSON are counted in the warnings and the
rest is kept. Files are taken for what they hold: several records in a .json are read as lines, one document over many
lines in a .jsonl as a document. Keys that occur twice are kept, numbers are never converted.
"""

import json
from collections.abc import Iterator
from typing import Any

from ingest.errors import UnreadableFile
from ingest.loaders.compose import Piece, Where, compose_placed
from ingest.loaders.encoding import decode
from ingest.loaders.json_text import Members, Number, document_pieces, record_pieces
from ingest.loaders.title import pick
from ingest.passage import Document

MOST_DEPTH = 100
"""Arrays and objects may be nested so deep."""
MOST_VALUES = 2_000_000
"""A file may hold so many values; of JSON lines the lines after them are left out, and the document says so."""

_SHOWN = 5
_TITLES = ("title", "name")


class _TooDeep(ValueError):
    """Nested deeper than `MOST_DEPTH`."""


def load(source: str, data: bytes, most_values: int = MOST_VALUES) -> Document:
    """Return a JSON file as a `Document` of kind "json" or "jsonl". Raises `UnreadableFile` if it is not JSON."""
    text = decode(data)
    by_line = source.lower().endswith((".jsonl", ".ndjson"))
    attempts = (_lines_document, _whole_document) if by_line else (_whole_document, _lines_document)
    failures: list[UnreadableFile] = []
    for attempt in attempts:
        try:
            return attempt(source, text, most_values)
        except UnreadableFile as error:
            failures.append(error)
    raise failures[0]


def _whole_document(source: str, text: str, most: int) -> Document:
    try:
        value, size = _parsed(text)
    except json.JSONDecodeError as error:
        raise UnreadableFile(_broken(error)) from error
    except _TooDeep as error:
        raise UnreadableFile(f"expected JSON nested at most {MOST_DEPTH} levels deep, found more") from error
    if size > most:
        raise UnreadableFile(f"expected at most {most} values in a JSON file, found {size}: split the file")
    body, blocks, places = compose_placed(document_pieces(value))
    return Document(source, "json", pick(source, _titles(value)), body, blocks, places=places)


def _lines_document(source: str, text: str, most: int) -> Document:
    warnings: list[str] = []
    pieces = list(_line_pieces(text, most, warnings))
    body, blocks, places = compose_placed(pieces)
    return Document(source, "jsonl", pick(source, []), body, blocks, places=places, warnings=tuple(warnings))


def _line_pieces(text: str, most: int, warnings: list[str]) -> Iterator[Piece]:
    records: list[tuple[Where, Any]] = []
    broken: list[int] = []
    size = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value, found = _parsed(line)
        except ValueError:
            broken.append(number)
            continue
        size += found
        if size > most and not records:
            raise UnreadableFile(f"expected at most {most} values in a file, found {found} in line {number}")
        if size > most:
            warnings.append(f"line {number} and those below are left out: expected at most {most} values; split it")
            break
        records.append((Where("line", number), value))
    _judge(broken, [value for _, value in records], warnings)
    return record_pieces(records)


def _judge(broken: list[int], values: list[Any], warnings: list[str]) -> None:
    """Report the broken lines. Raises `UnreadableFile` if there are more of them than of objects and arrays."""
    if not broken:
        return
    numbers = ", ".join(map(str, broken[:_SHOWN])) + (", ..." if len(broken) > _SHOWN else "")
    found = f"{len(broken)} of {len(broken) + len(values)} lines are no JSON (line {numbers})"
    if len(broken) > sum(isinstance(value, list) for value in values):
        raise UnreadableFile(f"broken: expected a JSON value in each line, found that {found}")
    warnings.append(f"{found} and are left out")


def _parsed(text: str) -> tuple[Any, int]:
    """Return the value in `text` and how many values it holds. Raises `ValueError` if it is none or too deep."""
    try:
        value = json.loads(
            text, object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=Number, strict=False
        )
    except RecursionError as error:
        raise _TooDeep from error
    return value, _size(value)


def _size(value: Any) -> int:
    """Return how many values there are in `value`. Raises `_TooDeep`."""
    size, level = 0, [value]
    for _ in range(MOST_DEPTH + 1):
        size += len(level)
        level = [member for item in level for member in _inside(item)]
        if not level:
            return size
    raise _TooDeep


def _inside(value: Any) -> list[Any]:
    if isinstance(value, Members):
        return [member for _, member in value]
    return value if isinstance(value, list) else []


def _titles(value: Any) -> list[str]:
    members = dict(value) if isinstance(value, Members) else {}
    return [members[key] for key in _TITLES if isinstance(members.get(key), str)]


def _broken(error: json.JSONDecodeError) -> str:
    found = repr(error.doc[error.pos : error.pos + 20]) if error.pos < len(error.doc) else "the end of the file"
    return f"broken: expected JSON, found {found} at line {error.lineno}, column {error.colno}: {error.msg}"
