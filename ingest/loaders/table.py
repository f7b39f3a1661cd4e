"""Rows of cells to lines that describe themselves: "Region: North | Q1: 120 | Q2: 130".

Each cell carries the label of its column, so that a passage that is cut anywhere in a long table still says what its
numbers mean. Where no header can be told (see `table_header`) a line is "North | 120 | 130". Blank rows may divide
tables: what follows one has a header of its own, goes on with the table above if its cells are of the same shapes, or
has none. A row too long to be read at once becomes several lines, each of which begins with the row's first cell.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from ingest.loaders.compose import Piece, Where
from ingest.loaders.table_header import NONE, Header, Row, continues, filled, find_header, shape
from ingest.loaders.table_row import row_lines

__all__ = ["Line", "read_table", "table_lines", "table_pieces"]

_LONGEST_TITLE = 120
_BODY = 100
"""As many rows of a table are kept to compare those after a blank row with."""


class Line(NamedTuple):
    """A line of a table and the index of its row, from 0.

    A "title" is a lone cell above a header, a "note" one that belongs to no column; everything else is a "row".
    """

    row: int
    text: str
    kind: Literal["title", "note", "row"]


class _Segment(NamedTuple):
    """Rows that no blank row divides, but for one below a title or a header; `at` holds their indexes."""

    at: list[int]
    rows: list[Row]


def table_lines(rows: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """Return (index of the row in `rows`, from 0; its line) for what the table says, in order.

    Blank rows yield nothing, nor does the header row unless it is all there is. A very long row yields several lines
    with the same index.
    """
    return [(line.row, line.text) for line in read_table(rows)]


def read_table(rows: Sequence[Sequence[str]], usual: bool = False) -> Iterator[Line]:
    """Yield the lines of `rows`, as `table_lines` does, with their kind.

    `usual` says that nearly all tables in this kind of file have a header, and each row belongs to it.
    """
    labels: list[str] = []
    body: list[Row] = []
    ended = -1
    for segment in _segments(rows):
        opening = _opening(segment.rows)
        cells = segment.rows[opening:]
        follows = segment.at[0] - ended <= 2 and continues(labels, body, cells[0], certain=opening > 0)
        header = NONE if follows else find_header(cells, usual)
        if not follows:
            labels, body = header.labels, []
        yield from _opened(segment, opening, header)
        start = opening + header.at + header.rows
        for at, row in zip(segment.at[start:], segment.rows[start:], strict=True):
            yield from _lines(at, row, labels, usual)
        body = body or segment.rows[start : start + _BODY]
        ended = segment.at[-1]


def table_pieces(rows: Sequence[Sequence[str]], inside: str, level: int, usual: bool = False) -> Iterator[Piece]:
    """Yield the lines of `rows` as pieces that stand at "row" 1, 2, ... of what `inside` names.

    A title becomes a heading of `level`, a note a text.
    """
    for line in read_table(rows, usual):
        where = Where("row", line.row + 1, inside)
        if line.kind == "title":
            yield Piece(line.text, "heading", level, where)
        else:
            yield Piece(line.text, "text" if line.kind == "note" else "table", 0, where)


def _segments(rows: Sequence[Sequence[str]]) -> list[_Segment]:
    segments: list[_Segment] = []
    for at, row in enumerate(rows):
        cells = [_tidy(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if not segments or at - segments[-1].at[-1] > 1:
            segments.append(_Segment([], []))
        segments[-1].at.append(at)
        segments[-1].rows.append(cells)
    return _joined(segments)


def _joined(segments: list[_Segment]) -> list[_Segment]:
    """Join a title or a header with what stands below it after one or two blank rows."""
    joined: list[_Segment] = []
    for i, segment in enumerate(segments):
        if joined and joined[-1] is segments[i - 1] and _leads(joined, segment):
            joined[-1] = _Segment(joined[-1].at + segment.at, joined[-1].rows + segment.rows)
        else:
            joined.append(segment)
    return joined


def _leads(above: list[_Segment], segment: _Segment) -> bool:
    lead = above[-1]
    gap = segment.at[0] - lead.at[-1]
    if len(lead.rows) > 2 or gap > 3:
        return False
    if all(filled(row) == 1 for row in lead.rows):  # a title, unless it is as near to what it may be a note of
        first = len(above) == 1 or lead.at[0] - above[-2].at[-1] > gap
        return first and bool(find_header(segment.rows).rows)
    return len(lead.rows) == 1 and find_header([*lead.rows, *segment.rows])[1:] == (0, 1)


def _opening(rows: list[Row]) -> int:
    """Return how many lone cells stand above the first row of several; 0 for a single column."""
    return next((i for i, row in enumerate(rows) if filled(row) > 1), 0)


def _opened(segment: _Segment, opening: int, header: Header) -> Iterator[Line]:
    """Yield the lines above the header: a title, notes, and rows that belong to no header."""
    titled = False
    for i in range(opening + header.at):
        text = _one_line(segment.rows[i])
        lone = i < opening
        is_title = lone and header.rows > 0 and not titled and _may_be_title(text)
        titled = titled or is_title
        if is_title:
            yield Line(segment.at[i], text, "title")
        else:
            yield from (Line(segment.at[i], line, "note" if lone else "row") for line in row_lines([], segment.rows[i]))


def _may_be_title(text: str) -> bool:
    return len(text) <= _LONGEST_TITLE and not text.endswith((".", ":", ";", ",")) and shape(text) == "text"


def _lines(at: int, row: Row, labels: list[str], usual: bool) -> Iterator[Line]:
    """Yield the lines of one row, none for a header that is repeated further down."""
    if labels and list(row) == labels:
        return
    lone = filled(row) == 1 and not usual and (not labels or (len(labels) > 2 and bool(row[0])))
    for text in row_lines([] if lone else labels, row):
        yield Line(at, text, "note" if lone else "row")


def _one_line(row: Row) -> str:
    return " ".join(" ".join(row).split())


def _tidy(cell: str) -> str:
    """Return a cell in one line if it is short; the lines of a long one say where it may be divided."""
    return _one_line([cell]) if len(cell) <= _LONGEST_TITLE else cell.strip()
