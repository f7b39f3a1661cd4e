"""Extracted pieces to one text with blocks; and spans of a text trimmed to what can be read."""

from collections.abc import Iterable
from typing import NamedTuple

from ingest.passage import Block, BlockKind

LONG_LIST = 1200
"""A list of more characters than this becomes one block for each of its top-level items."""


class Piece(NamedTuple):
    """A block that has no place yet. `level` is for headings, whose text is a single line."""

    text: str
    kind: BlockKind = "text"
    level: int = 0


def compose(pieces: Iterable[Piece]) -> tuple[str, tuple[Block, ...]]:
    """Return the pieces joined by blank lines and the blocks that they became; blank pieces vanish."""
    parts: list[str] = []
    blocks: list[Block] = []
    at = 0
    for piece in pieces:
        first, last = trim(piece.text, 0, len(piece.text))
        body = piece.text[first:last]
        if not body:
            continue
        title = body if piece.kind == "heading" else ""
        blocks.append(Block(at, at + len(body), piece.kind, piece.level, title))
        parts.append(body)
        at += len(body) + 2
    return "\n\n".join(parts), tuple(blocks)


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
