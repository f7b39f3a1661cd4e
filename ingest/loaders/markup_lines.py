"""Runs of lines in a markup file."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingest.passage import BlockKind

_CELL_EDGE = re.compile(r"\s*\|\s*|\s{2,}")
LONGEST_TITLE = 500
"""Characters of a line that are looked at for markup in a title, whose patterns take quadratic time."""


class Span(NamedTuple):
    """The lines from `first` up to and without `last` (counted from 0), and what they are, as in a `Block`."""

    first: int
    last: int
    kind: BlockKind = "text"
    level: int = 0
    title: str = ""


def indent_of(line: str) -> int:
    """Return how many white characters a line begins with."""
    return len(line) - len(line.lstrip())


def skip(lines: Sequence[str], at: int, end: int, within: Callable[[str], bool]) -> int:
    """Return the first line from `at` on, at most `end`, that is not `within`."""
    while at < end and within(lines[at]):
        at += 1
    return at


def indented_end(lines: Sequence[str], at: int, end: int, indent: int) -> int:
    """Return the line behind those from `at` on that are indented more than `indent`, blank ones between included."""
    last = at
    while at < end and (not lines[at].strip() or indent_of(lines[at]) > indent):
        at += 1
        if lines[at - 1].strip():
            last = at
    return last


def cells(row: str) -> str:
    """Return the words of a table's row, cells joined by " | "."""
    return " | ".join(filter(None, _CELL_EDGE.split(row.strip())))
