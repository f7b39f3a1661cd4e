"""Extracted pieces to one text with blocks and places; and spans of a text trimmed to what can be read."""

from collections.abc import Iterable
from typing import NamedTuple

from ingest.passage import Block, BlockKind, Place

LONG_LIST = 1200
"""A list of more characters than this becomes one block for each of its top-level items."""


class Where(NamedTuple):
    """Where a piece stands in its file: the `kind`, `number` and `inside` of a `Place`."""

    kind: str
    number: int
    inside: str = ""


class Piece(NamedTuple):
    """A block that has no offsets yet. `level` is for headings, whose text is a single line.

    A table is one piece (a line for each row), or a piece for each row where rows have a place.
    """

    text: str
    kind: BlockKind = "text"
    level: int = 0
    where: Where | None = None


def compose(pieces: Iterable[Piece]) -> tuple[str, tuple[Block, ...]]:
    """Return the pieces joined by blank lines and the blocks that they became; blank pieces vanish."""
    text, blocks, _ = compose_placed(pieces)
    return text, blocks


def compose_placed(pieces: Iterable[Piece]) -> tuple[str, tuple[Block, ...], tuple[Place, ...]]:
    """Return what `compose` does, and the places: one wherever `where` differs from that of the piece before.

    Rows of a table that have a place follow each other line by line, without blank lines. A piece without `where`
    counts as standing where the piece before it does.
    """
    parts: list[str] = []
    blocks: list[Block] = []
    places: list[Place] = []
    at = 0
    before: Piece | None = None
    for piece in pieces:
        first, last = trim(piece.text, 0, len(piece.text))
        body = piece.text[first:last]
        if not body:
            continue
        if before is not None:
            parts.append("\n" if _is_row(before) and _is_row(piece) else "\n\n")
            at += len(parts[-1])
        blocks.append(Block(at, at + len(body), piece.kind, piece.level, body if piece.kind == "heading" else ""))
        if piece.where and (not places or piece.where != _where(places[-1])):
            places.append(Place(at, *piece.where))
        parts.append(body)
        at += len(body)
        before = piece
    return "".join(parts), tuple(blocks), tuple(places)


def _where(place: Place) -> Where:
    return Where(place.kind, place.number, place.inside)


def _is_row(piece: Piece) -> bool:
    return piece.kind == "table" and piece.where is not None


def list_pieces(items: list[str]) -> list[Piece]:
    """Return a list as one piece, a long list as one piece for each item."""
    if sum(map(len, items)) > LONG_LIST:
        return [Piece(item, "list") for item in items]
    return [Piece("\n".join(items), "list")] if items else []


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without blank lines at its edges and white space at its end; empty spans give end == start.

    The indent of the first line stays.
    """
    body = text[start:end].rstrip()
    indent = len(body) - len(body.lstrip())
    return start + body.rfind("\n", 0, indent) + 1, start + len(body)
