"""Values out of JSON to text: lines "path: value", records "key: value | key: value", prose as paragraphs.

Numbers are written as they stand in the file, strings without quotes; empty strings, arrays and objects are left out.
Paths are written as in `orders[0].customer.name`, counted from 0, and shortened when they are long.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ingest.loaders.compose import Piece, Where
from ingest.loaders.encoding import clean
from ingest.loaders.table_row import row_lines

_PROSE = 300
"""A string of more characters is prose, and so is one with a blank line in it."""
_LONGEST_LINE = 200
_LONGEST_PATH = 160
_LONGEST_KEY = 80
_LONGEST_HEADING = 120
_NAMING_KEYS = ("title", "headline", "subject", "name", "question", "heading", "label", "id", "_id", "url")
_BLANK_LINE = re.compile(r"\n\s*\n")


class Members(list[tuple[str, Any]]):
    """An object: its keys and values in the order of the file, a key that occurs twice twice."""


class Number(str):
    """A number as it is written, of any size; NaN and the infinities too."""

    __slots__ = ()


class Leaf(NamedTuple):
    """A value that holds no others, in words, and where it stands."""

    path: str
    text: str

    @property
    def is_prose(self) -> bool:
        """Whether it is to be read as paragraphs rather than in a line."""
        return (len(self.text) > _PROSE and " " in self.text) or (
            "\n" in self.text and bool(_BLANK_LINE.search(self.text))
        )


def document_pieces(value: Any) -> Iterator[Piece]:
    """Yield what a JSON document says.

    The objects in an array that is all there is, or the only array in an object, stand at "record" 1, 2, ...
    """
    path, records, others = _main_array(value)
    yield from _outline(others)
    if records is None:
        return
    inside = f"{path}, " if path else ""
    yield from record_pieces([(Where("record", i + 1, inside), record) for i, record in enumerate(records)])


def record_pieces(records: list[tuple[Where, Any]]) -> Iterator[Piece]:
    """Yield records: each one block, or, where most hold prose, each a section with a heading of its own."""
    told = [(where, list(leaves(record, ""))) for where, record in records]
    articles = sum(any(leaf.is_prose for leaf in record) for _, record in told) * 2 > len(told)
    for where, record in told:
        if articles:
            yield Piece(_heading(record, where), "heading", 1, where)
            short = [leaf for leaf in record if not leaf.is_prose]
            yield Piece(_record(short), "table", 0, where)
            for leaf in record:
                if leaf.is_prose:
                    yield from (Piece(text, "text", 0, where) for text in _paragraphs(leaf))
        else:
            yield Piece(_record(record), "table", 0, where)


def leaves(value: Any, path: str) -> Iterator[Leaf]:
    """Yield the values at and below `path`, an array of short plain values as one; `value` is not nested too deep."""
    if isinstance(value, Members):
        for key, member in value:
            yield from leaves(member, _joined(path, key))
    elif isinstance(value, list):
        texts = [_plain(item) for item in value]
        if all(text is not None and len(text) <= _LONGEST_LINE for text in texts):
            yield from _leaf(path, ", ".join(filter(None, texts)))
            return
        for i, item in enumerate(value):
            yield from leaves(item, _shortened(f"{path}[{i}]"))
    else:
        yield from _leaf(path, _plain(value) or "")


def _leaf(path: str, text: str) -> Iterator[Leaf]:
    if text:
        yield Leaf(path, text)


def _main_array(value: Any) -> tuple[str, list[Any] | None, Any]:
    """Return (path, array of objects, what stands beside it); no array if it is not the only nested value."""
    if isinstance(value, Members):
        nested = [(key, member) for key, member in value if isinstance(member, list)]
        if len(nested) == 1 and _are_records(nested[0][1]):
            beside = Members(item for item in value if item is not nested[0] and item[1] is not nested[0][1])
            return _joined("", nested[0][0]), nested[0][1], beside
    elif _are_records(value):
        return "", value, Members()
    return "", None, value


def _are_records(value: Any) -> bool:
    return (
        isinstance(value, list)
        and not isinstance(value, Members)
        and bool(value)
        and all(isinstance(item, Members) for item in value)
    )


def _outline(value: Any) -> Iterator[Piece]:
    """Yield a block for each run of plain values and records, and the paragraphs of prose between them."""
    run: list[str] = []
    for entry in _entries(value, ""):
        prose = [leaf for leaf in entry if leaf.is_prose]
        run += row_lines(*_columns(leaf for leaf in entry if not leaf.is_prose))
        if prose:
            yield Piece("\n".join(run), "table")
            run = []
            yield from (Piece(text) for leaf in prose for text in _paragraphs(leaf))
    yield Piece("\n".join(run), "table")


def _entries(value: Any, path: str) -> Iterator[list[Leaf]]:
    """Yield what makes a line: a plain value, or an object in an array of objects, which begins with its path."""
    if isinstance(value, Members):
        for key, member in value:
            yield from _entries(member, _joined(path, key))
    elif _are_records(value) and path:
        for i, item in enumerate(value):
            at = _shortened(f"{path}[{i}]")
            found = leaves(item, "")
            yield [
                Leaf("", at),
                *(leaf._replace(path=f"{at}.{leaf.path}") if leaf.is_prose else leaf for leaf in found),
            ]
    else:
        yield from ([leaf] for leaf in leaves(value, path))


def _columns(record: Iterable[Leaf]) -> tuple[list[str], list[str]]:
    told = list(record)
    return [leaf.path for leaf in told], [leaf.text for leaf in told]


def _record(record: list[Leaf]) -> str:
    return "\n".join(row_lines(*_columns(record)))


def _heading(record: list[Leaf], where: Where) -> str:
    """Return what a record is called: its title, name or the like, else its first short value."""
    short = {leaf.path: leaf.text for leaf in reversed(record) if len(leaf.text) <= _LONGEST_HEADING}
    named = next((short[key] for key in _NAMING_KEYS if key in short), "")
    first = next((f"{leaf.path}: {leaf.text}" for leaf in record if leaf.path in short), "")
    return " ".join((named or first).split()) or f"{where.kind} {where.number}"


def _paragraphs(leaf: Leaf) -> Iterator[str]:
    paragraphs = [part.strip() for part in _BLANK_LINE.split(leaf.text) if part.strip()]
    for i, paragraph in enumerate(paragraphs):
        yield f"{leaf.path}: {paragraph}" if leaf.path and i == 0 else paragraph


def _plain(value: Any) -> str | None:
    """Return a value that holds no others in words, "" if it is blank, None if it holds others."""
    if isinstance(value, str):
        whole = value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return clean(whole).strip()
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return None if value else ""


def _joined(path: str, key: str) -> str:
    name = " ".join((_plain(key) or '""').split())
    name = name if len(name) <= _LONGEST_KEY else name[:_LONGEST_KEY] + "…"
    return _shortened(f"{path}.{name}" if path else name)


def _shortened(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else "…" + path[-_LONGEST_PATH:]
