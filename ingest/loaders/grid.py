"""Tables with merged cells to rows of equal columns, so that every cell stands under the label of its column."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_MOST_SPANNED = 1000
"""As far as one cell may reach, which is also the limit of HTML."""
_MOST_FILLED = 1_000_000
"""As many places of one table as merged cells may fill; those that come after it stand in one place only."""
_LONGEST_REPEATED = 200


class Cell(NamedTuple):
    """The text of a cell, and how many columns to the right and rows down it takes, itself included."""

    text: str
    columns: int = 1
    rows: int = 1


def grid(rows: Iterable[Sequence[Cell]]) -> list[list[str]]:
    """Return the texts by row and column; places that other cells reach into are not to be among `rows`.

    A cell that takes several rows is repeated in each of them, one that takes several columns only in the first row,
    where it is a label over them, and not if it is alone there as a title is.
    """
    lines: list[list[str]] = []
    down: dict[int, tuple[str, int]] = {}
    room = _MOST_FILLED
    for row in rows:
        line = {column: text for column, (text, _) in down.items()}
        down = {column: (text, left - 1) for column, (text, left) in down.items() if left > 1}
        column = 0
        for cell in row:
            while column in line:
                column += 1
            columns = min(max(1, cell.columns), _MOST_SPANNED, max(1, room))
            repeated = cell.text if len(cell.text) <= _LONGEST_REPEATED else ""
            beside = repeated if not lines and len(row) > 1 else ""
            for at in range(column, column + columns):
                line.setdefault(at, cell.text if at == column else beside)
                if cell.rows > 1:
                    down[at] = (repeated if at == column else beside, min(cell.rows, _MOST_SPANNED) - 1)
            room -= columns * min(max(1, cell.rows), _MOST_SPANNED)
            column += columns
        lines.append([line.get(at, "") for at in range(max(line, default=-1) + 1)])
    return lines
