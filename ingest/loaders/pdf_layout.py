"""The lines of a PDF page to paragraphs and headings, from where the lines stand.

Everything here is a guess from geometry, but for pages that Tesseract read, whose paragraphs it found. Lengths
are PDF points, y grows upwards.
"""

from collections.abc import Iterator, Sequence, Set
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from ingest.loaders.compose import trim
from ingest.passage import Block

_WIDER_GAP = 1.3
"""A gap between lines that is so many times the usual one ends a paragraph."""
_OTHER_SIZE = 1.2
"""So does a change of the letters' height by this factor."""
_SENTENCE_ENDS = (".", "!", "?", ":", "。", "！", "？", '."', ".”", "?”", "!”")


class Line(NamedTuple):
    """A line of text that is not blank: its span in the page's text and where its ends stand.

    `top_y` is the foot of its first letter, `end_y` that of its last one (a line that was joined to the next over
    a hyphen stands on two heights); `height` is that of the first letter's font. `begins` is whether a paragraph
    begins with the line, None if that is not known.
    """

    start: int
    end: int
    left: float
    top_y: float
    end_y: float
    height: float
    begins: bool | None = None


class Placed(NamedTuple):
    """A heading found on a page: the lines `first`..`last`, both included."""

    first: int
    last: int
    level: int


def blocks(
    text: str, lines: Sequence[Line], headings: Sequence[Placed], left_out: Set[int] = frozenset()
) -> Iterator[Block]:
    """Yield the blocks of a page: its headings, in order and not overlapping, and the paragraphs between.

    The lines with the numbers `left_out` are in no block, unless they are part of a heading.
    """
    usual = _usual_gap(lines)
    at = 0
    for heading in [*headings, Placed(len(lines), len(lines), 0)]:
        for first, last in _runs(at, heading.first, left_out):
            yield from _paragraphs(text, lines[first:last], usual)
        if heading.first < len(lines):
            start, end = trim(text, lines[heading.first].start, lines[heading.last].end)
            yield Block(start, end, "heading", heading.level, " ".join(text[start:end].split()))
        at = heading.last + 1


def _runs(first: int, end: int, left_out: Set[int]) -> Iterator[tuple[int, int]]:
    """Yield the pieces of the range first..end between the numbers that are left out."""
    for number in range(first, end):
        if number in left_out:
            if first < number:
                yield first, number
            first = number + 1
    if first < end:
        yield first, end


def _paragraphs(text: str, lines: Sequence[Line], usual: float) -> Iterator[Block]:
    first = 0
    for index in range(1, len(lines) + 1):
        if index == len(lines) or _breaks(text, lines[index - 1], lines[index], usual):
            start, end = trim(text, lines[first].start, lines[index - 1].end)
            yield Block(start, end)
            first = index


def _usual_gap(lines: Sequence[Line]) -> float:
    """Return the usual distance between lines, in heights of a line, at least 1."""
    gaps = [_gap(above, below) for above, below in pairwise(lines)]
    return max(1.0, median([gap for gap in gaps if 0.5 < gap < 3] or [1.0]))


def _gap(above: Line, below: Line) -> float:
    return (above.end_y - below.top_y) / (below.height or 1.0)


def _breaks(text: str, above: Line, below: Line, usual: float) -> bool:
    """Whether a new paragraph begins with the line `below`."""
    if below.begins is not None:
        return below.begins
    gap = _gap(above, below)
    if abs(gap) < 0.5:
        return False
    if gap < 0:
        return not text[below.start : below.end].lstrip()[:1].islower()
    if gap > usual * _WIDER_GAP or not 1 / _OTHER_SIZE < _ratio(above, below) < _OTHER_SIZE:
        return True
    ended = text[above.start : above.end].rstrip().endswith(_SENTENCE_ENDS)
    return ended and below.left > above.left + 0.8 * below.height


def _ratio(above: Line, below: Line) -> float:
    return above.height / below.height if below.height and above.height else 1.0
