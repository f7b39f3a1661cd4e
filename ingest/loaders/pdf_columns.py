"""The order in which the lines of a PDF page are read where columns stand side by side.

The order of the file is kept unless it plainly reads across columns or takes the right column first. A column is
told from a table by being prose: lines with many letters, most of them as wide as the column, many beginning in the
middle of a sentence (in lower case, where the script has case), on both sides of a gap that several lines leave free.
Lines that PDFium made of two columns are divided at that gap. Lines as wide as the page part it into bands; in each
the columns are read one after the other, for Arabic and Hebrew from the right. Tables
keep their rows. Columns of very different width and text that runs upwards are left where they are.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import NamedTuple

Box = Callable[[int], tuple[float, float, float, float]]
Span = tuple[int, int]

_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_SPACE = re.compile(r"\s+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
_GUTTER = 0.75
"""A gap in a line that is so many times as wide as the line is high may divide columns."""
_SAMPLED = 10
_WIDE = 0.6
"""So many lines of a page are looked at for such a gap before all are, and only those of about full width."""
_FEWEST = 3
"""Lines that each of two columns has beside the other, at least."""
_LETTERS = 12
"""Letters in the middle one of a column's lines, at least."""
_FILLED = 0.6
"""Share of the column's width that its middle line takes, at least."""
_GOING_ON = 0.35
"""Share of a column's lines that begin with a letter that is no capital, at least."""
_ALIKE = 0.5
"""Ratio of the widths of two columns, at least."""
_MOST_CELLS = 800
"""A page with more lines and parts of lines is left as it is: it is no prose, and the search takes long."""


class Cell(NamedTuple):
    """A line, or a part of one between wide gaps: its span in the text and its box.

    `line` is the number of the line, `order` that of the cell.
    """

    start: int
    end: int
    left: float
    bottom: float
    right: float
    top: float
    line: int
    order: int = 0

    @property
    def middle(self) -> float:
        """Return the height at which the cell stands."""
        return (self.bottom + self.top) / 2


class _Column(NamedTuple):
    width: float
    is_prose: bool


def reading_order(text: str, indices: Sequence[int], box: Box) -> list[Span] | None:
    """Return the spans of `text` in the order in which they are read, None if that is the order of the text.

    `box` gives the box of the character with an index. Only white space lies between the spans.
    """
    pieces = [_cell(match.span(), indices, box, line) for line, match in enumerate(_LINE.finditer(text))]
    if not pieces or len(pieces) > _MOST_CELLS:
        return None
    if _is_glued(text, indices, box, pieces):
        pieces = [part for piece in pieces for part in _parts(text, indices, box, piece)]
    elif not any(_side_by_side(*pair) for pair in pairwise(pieces)):
        return None
    cells = list(_numbered(pieces))
    level = [cell for cell in cells if _is_level(cell)]
    if len(level) > _MOST_CELLS or not level:
        return None
    found = _Order(text, median(cell.top - cell.bottom for cell in level))
    ordered = found.of(level)
    return list(_spans(_with_others(cells, ordered))) if found.disordered else None


class _Order:
    """Puts cells in order; `disordered` is whether that of the file reads across columns somewhere."""

    def __init__(self, text: str, height: float) -> None:
        self._text, self._height = text, height
        self._from_right = len(_RIGHT_TO_LEFT.findall(text)) * 3 > sum(map(str.isalpha, text))
        self.disordered = False

    def of(self, cells: Sequence[Cell]) -> list[Cell]:
        """Return the cells, given in the order of the file, as they are read."""
        gutter = self._gutter(cells)
        if gutter is None:
            return list(cells)
        sides = [side for _, line in groupby(cells, key=_line) for side in self._sides(list(line), gutter)]
        if len(set(sides)) == 1:
            return list(cells)
        across = sorted(-cell.middle for cell, side in zip(cells, sides, strict=True) if side is None)
        bands: dict[int, list[tuple[Cell, bool | None]]] = {}
        for cell, side in zip(cells, sides, strict=True):
            above = bisect_left(across, -cell.middle)
            bands.setdefault(2 * above + (side is None), []).append((cell, side))
        return [cell for _, band in sorted(bands.items()) for cell in self._band(band)]

    def _band(self, band: Sequence[tuple[Cell, bool | None]]) -> list[Cell]:
        """Return the cells between two lines across the page: column by column, unless that would cut up a table."""
        if band[0][1] is None:
            return [cell for cell, _ in band]
        first = [cell for cell, side in band if side is self._from_right]
        second = [cell for cell, side in band if side is not self._from_right]
        if min(len(first), len(second)) >= _FEWEST:
            if not (self._column(first).is_prose and self._column(second).is_prose):
                return [cell for cell, _ in band]
            self.disordered |= self._is_disordered([side is not self._from_right for _, side in band])
        return self.of(first) + self.of(second)

    def _is_disordered(self, are_second: Sequence[bool]) -> bool:
        """Whether cells given in the order of the file jump between columns, or begin with the second one."""
        changes = sum(one != other for one, other in pairwise(are_second))
        fewer = min(are_second.count(False), are_second.count(True))
        return changes >= max(3, fewer / 2) or (changes == 1 and are_second[0])

    def _sides(self, line: Sequence[Cell], gutter: float) -> list[bool | None]:
        """Return for each cell of a line whether it is right of the gutter, None if it reaches far to both sides.

        The line is divided only if all of it leaves the gutter free.
        """
        if all(self._is_left(cell, gutter) or self._is_right(cell, gutter) for cell in line):
            return [self._is_right(cell, gutter) for cell in line]
        left, right = min(cell.left for cell in line), max(cell.right for cell in line)
        if left < gutter - 3 * self._height and right > gutter + 3 * self._height:
            return [None] * len(line)
        return [(left + right) / 2 > gutter] * len(line)

    def _is_left(self, cell: Cell, gutter: float) -> bool:
        return cell.right <= gutter - 0.3 * self._height

    def _is_right(self, cell: Cell, gutter: float) -> bool:
        return cell.left >= gutter - 2

    def _gutter(self, cells: Sequence[Cell]) -> float | None:
        """Return where the right one of two columns begins, taking the place with the most lines on both sides."""
        if len(cells) < 2 * _FEWEST:
            return None
        best, where = 0, None
        for edge in self._edges(cells):
            score = self._score(cells, edge)
            if score > best:
                best, where = score, edge
        return where

    def _edges(self, cells: Sequence[Cell]) -> Iterator[float]:
        """Yield where at least `_FEWEST` cells begin, one below the other."""
        lefts = sorted(cell.left for cell in cells)
        beyond = lefts[0] + 3 * self._height
        last = beyond
        for index, left in enumerate(lefts[: 1 - _FEWEST]):
            if left > last and lefts[index + _FEWEST - 1] < left + 3:
                last = left + 3
                yield left

    def _score(self, cells: Sequence[Cell], edge: float) -> int:
        lefts = [cell for cell in cells if self._is_left(cell, edge)]
        rights = [cell for cell in cells if self._is_right(cell, edge)]
        left_rows, right_rows = self._rows(lefts), self._rows(rights)
        lefts = [cell for cell in lefts if self._row(cell) in right_rows]
        rights = [cell for cell in rights if self._row(cell) in left_rows]
        if min(len(lefts), len(rights)) < _FEWEST:
            return 0
        one, other = self._column(lefts), self._column(rights)
        if not (one.is_prose and other.is_prose) or min(one.width, other.width) < _ALIKE * max(one.width, other.width):
            return 0
        both = {self._row(cell) for cell in (*lefts, *rights)}
        across = sum(cell.left < edge - 2 < cell.right and self._row(cell) in both for cell in cells)
        return min(len(lefts), len(rights)) - across

    def _row(self, cell: Cell) -> int:
        return round(cell.middle / self._height)

    def _rows(self, cells: Sequence[Cell]) -> set[int]:
        """Return the rows beside the cells, being a little generous."""
        return {self._row(cell) + near for cell in cells for near in (-1, 0, 1)}

    def _column(self, cells: Sequence[Cell]) -> _Column:
        widths = sorted(cell.right - cell.left for cell in cells)
        letters = median(sum(map(str.isalpha, self._text[cell.start : cell.end])) for cell in cells)
        filled = median(widths) >= _FILLED * widths[int(0.9 * (len(widths) - 1))]
        firsts = [self._text[cell.start] for cell in cells]
        going_on = sum(first.isalpha() and not first.isupper() for first in firsts) >= _GOING_ON * len(cells)
        return _Column(median(widths), letters >= _LETTERS and filled and going_on)


def _line(cell: Cell) -> int:
    return cell.line


def _cell(span: Span, indices: Sequence[int], box: Box, line: int) -> Cell:
    """Return the box around the first and the last character of a span."""
    boxes = [found for at in (span[0], span[1] - 1) if (found := box(indices[at]))[2] > found[0]]
    if not boxes:
        return Cell(*span, 0.0, 0.0, 0.0, 0.0, line)
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return Cell(*span, min(lefts), min(bottoms), max(rights), max(tops), line)


def _is_level(cell: Cell) -> bool:
    """Whether the cell has a box and does not run up or down the page."""
    height = cell.top - cell.bottom
    return height > 0 and (cell.end - cell.start <= 3 or cell.right - cell.left > height)


def _is_glued(text: str, indices: Sequence[int], box: Box, pieces: Sequence[Cell]) -> bool:
    """Whether there is a wide gap in one of some wide lines taken evenly from the page."""
    widest = max(piece.right - piece.left for piece in pieces)
    long = [piece for piece in pieces if piece.right - piece.left > _WIDE * widest]
    step = -(-len(long) // _SAMPLED)
    return any(len(_parts(text, indices, box, piece)) > 1 for piece in long[:: step or 1])


def _parts(text: str, indices: Sequence[int], box: Box, piece: Cell) -> list[Cell]:
    """Return the parts of a line between wide gaps."""
    _, foot, _, top = box(indices[piece.start])
    wide = _GUTTER * (top - foot)  # not the height of the piece, which may go back and down
    cuts = []
    for space in _SPACE.finditer(text, piece.start, piece.end):
        before, after = box(indices[space.start() - 1]), box(indices[space.end()])
        gap = max(after[0] - before[2], before[0] - after[2])
        if gap > wide and before[2] > before[0] and after[2] > after[0]:
            cuts.append(space.span())
    starts = [piece.start, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), piece.end]
    return [piece] if not cuts else [_cell(span, indices, box, piece.line) for span in zip(starts, ends, strict=True)]


def _numbered(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Yield the cells with their order; what PDFium took for one line is another one where it goes back."""
    line = 0
    for order, cell in enumerate(cells):
        before = cells[order - 1]
        line += order > 0 and (cell.line != before.line or cell.left < before.left)
        yield cell._replace(line=line, order=order)


def _side_by_side(one: Cell, next_one: Cell) -> bool:
    return next_one.left > one.right or next_one.right < one.left


def _with_others(cells: Sequence[Cell], ordered: Sequence[Cell]) -> Iterator[Cell]:
    """Yield the ordered cells, and those that are not among them after the cell that they follow in the file."""
    following: dict[int, list[Cell]] = {}
    known = {cell.order for cell in ordered}
    last = -1
    for cell in cells:
        if cell.order in known:
            last = cell.order
        else:
            following.setdefault(last, []).append(cell)
    yield from following.get(-1, ())
    for cell in ordered:
        yield cell
        yield from following.get(cell.order, ())


def _spans(cells: Iterator[Cell]) -> Iterator[Span]:
    """Yield the spans of the cells, those that follow each other on one line made one again."""
    start = end = -1
    order = line = -2
    for cell in cells:
        if cell.order == order + 1 and cell.line == line:
            end = cell.end
        else:
            if start >= 0:
                yield start, end
            start, end = cell.start, cell.end
        order, line = cell.order, cell.line
    yield start, end
