"""Which row of a table names its columns.

A row is taken for a header if it holds short, distinct labels over cells of another shape (numbers, dates, codes,
long texts, a few values that recur), or, in a table all of short words, if it is complete and looks like nothing but
labels. Doubt means no header: a value that is taken for a label would make every row below say something untrue.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

Row = Sequence[str]

_SAMPLE = 100
"""As many rows below a header as are looked at."""
_MOST_OPENING = 4
"""As many rows may stand above the header, each with fewer cells than it has."""
_LONGEST_LABEL = 80
_LONGEST_BARE_LABEL = 40
_MOST_WORDS = 6
_LONG = 40

_CURRENCY = "$€£¥₹₽"
_NUMBER = re.compile(
    rf"[(+\-−~<>]*\s?(?:[{_CURRENCY}]|[A-Z]{{3}}\s)?\s?[+\-−]?\d[\d.,'’\u00a0\u202f ]*(?:[eE][+-]?\d+)?"
    rf"\s?(?:%|‰|[{_CURRENCY}]|[A-Z]{{3}})?\)?"
)
_DATE = re.compile(
    r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2}))(?:[T ]+\d{1,2}:\d{2}\S*)?"
    r"|\d{1,2}:\d{2}\S*"
)
_LINK = re.compile(r"\S+@\S+\.\S+|\w+://\S+|www\.\S+|[\w.-]*[/\\]\S+[/\\]\S*")
_PUNCTUATION = re.compile(r"[.,;:!?]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_EMPTY_VALUES = frozenset(("-", "–", "—", "n/a", "na", "null", "none", "nan", "?", "..."))
_BOOLEANS = frozenset(("true", "false", "yes", "no", "y", "n"))


class Header(NamedTuple):
    """`labels` of the columns ("" for none), the index of the header's first row, and how many rows it takes.

    No row is the header where `rows` is 0.
    """

    labels: list[str]
    at: int
    rows: int


NONE = Header([], 0, 0)


def shape(cell: str) -> str:
    """Return what a cell that is not blank looks like: "number", "date", "boolean", "link", "empty" or "text"."""
    if len(cell) > _LONG * 2:
        return "text"
    if _DATE.fullmatch(cell):
        return "date"
    if _NUMBER.fullmatch(cell):
        return "number"
    if _LINK.fullmatch(cell):
        return "link"
    lower = cell.lower()
    return "empty" if lower in _EMPTY_VALUES else "boolean" if lower in _BOOLEANS else "text"


def find_header(rows: Sequence[Row], usual: bool = False) -> Header:
    """Return the header among the first of `rows`, which are not blank and whose cells are trimmed.

    `usual` says that tables of this kind of file mostly have one, so that two columns of words may have one too.
    """
    widths = [filled(row) for row in rows[: _SAMPLE + _MOST_OPENING]]
    for at in range(min(_MOST_OPENING + 1, len(rows) - 1)):
        if any(width >= widths[at] for width in widths[:at]):
            continue
        body = rows[at + 1 : at + 1 + _SAMPLE]
        labels = _stacked(rows[at], body)
        if labels and _is_header(labels, body[1:], usual=False):
            return Header(labels, at, 2)
        if _is_header(rows[at], body, usual, bare=at == 0):
            return Header(list(rows[at]), at, 1)
    return NONE


def continues(labels: Sequence[str], body: Sequence[Row], row: Row, certain: bool) -> bool:
    """Whether a row that follows a blank one goes on with the table of `labels` and `body` above.

    Where `certain`, a table all of words has no such rows.
    """
    if not labels or len(row) > len(labels) or filled(row) * 2 <= filled(labels):
        return False
    agree = 0
    for column, cell in enumerate(row):
        expected = _main(_shapes(_column(body, column)))
        found = shape(cell) if cell else "empty"
        if expected in ("", "text") or found == "empty":
            continue
        if found != expected:
            return False
        agree += 1
    return agree > 0 or not certain


def filled(row: Row) -> int:
    """Return how many cells of a row are not blank."""
    return sum(1 for cell in row if cell)


def _column(rows: Sequence[Row], column: int) -> list[str]:
    return [row[column] for row in rows if column < len(row) and row[column]]


def _shapes(cells: Sequence[str]) -> list[str]:
    return [found for found in map(shape, cells) if found != "empty"]


def _main(shapes: Sequence[str]) -> str:
    """Return the shape that four in five cells have, "" if there is none."""
    most = max(set(shapes), key=shapes.count, default="")
    return most if shapes.count(most) * 5 >= len(shapes) * 4 else ""


def _stacked(top: Row, body: Sequence[Row]) -> list[str]:
    """Return the labels of a header of two rows ("2024" over "Q1" and "Q2"), [] if it is none.

    The upper label counts for what is below it, and for what is right of that while the lower label is one of several
    that are the same.
    """
    if len(body) < 2 or not filled(top):
        return []
    low = list(body[0])
    high = [*top, *[""] * len(low)][: len(low)]
    if len(top) > len(low) or not all(map(_may_be_label, filter(None, high + low))):
        return []
    doubled = {label for label in low if label and low.count(label) > 1}
    spread = any(high[i] and high[i] == high[i + 1] for i in range(len(high) - 1))
    if not doubled and not spread:
        return []
    for i in range(1, len(high)):
        if not high[i] and low[i] in doubled:
            high[i] = high[i - 1]
    labels = [below if above == below else f"{above} {below}".strip() for above, below in zip(high, low, strict=True)]
    return labels if len(set(labels)) == len(labels) else []


def _is_header(labels: Row, body: Sequence[Row], usual: bool, bare: bool = False) -> bool:
    """Whether `labels` name the columns of `body`; `bare`: they may do so with nothing but words below."""
    given = [label for label in labels if label]
    if not body or not given or not all(map(_may_be_label, given)):
        return False
    if not _wide_enough(len(labels), len(given), body, usual) or not _distinct(given):
        return False
    columns = [(label, _column(body, i)) for i, label in enumerate(labels) if label]
    if any(label in cells for label, cells in columns):
        return False
    return any(_differs(label, cells) for label, cells in columns) or (bare and _only_labels(labels, body, usual))


def _wide_enough(columns: int, given: int, body: Sequence[Row], usual: bool) -> bool:
    """Whether so many labels may be a header: nearly as many as there are columns, and no row of a form.

    One or two columns in few rows are as likely a form ("Name", "Ada") as a table.
    """
    widths = sorted(map(filled, body))
    if columns <= 2 and not usual and len(body) < 3:
        return False
    return given >= widths[len(widths) // 2] * 0.6 and (given > 1 or widths[-1] == 1)


def _distinct(labels: Sequence[str]) -> bool:
    """Whether most labels differ, one at least is a word, and numbers among them are a run of years."""
    years = [int(label) for label in labels if _YEAR.fullmatch(label)]
    return (
        len({label.casefold() for label in labels}) >= len(labels) * 0.75
        and len(years) < len(labels)
        and years in (sorted(set(years)), sorted(set(years), reverse=True))
    )


def _may_be_label(cell: str) -> bool:
    if len(cell) > _LONGEST_LABEL or shape(cell) in ("link", "boolean", "empty"):
        return False
    return shape(cell) not in ("number", "date") or bool(_YEAR.fullmatch(cell))


def _differs(label: str, cells: Sequence[str]) -> bool:
    """Whether the cells of a column are of another shape than its label."""
    found = _main(_shapes(cells))
    if _YEAR.fullmatch(label):
        years = sum(1 for cell in cells if _YEAR.fullmatch(cell))
        return found == "number" and years * 2 < len(cells)
    if found != "text":
        return found != ""
    four_fifths = len(cells) * 0.8
    if not re.search(r"\d", label) and sum(1 for cell in cells if re.search(r"\d", cell)) >= four_fifths:
        return True
    if len(cells) > 1 and sum(1 for cell in cells if len(cell) > max(_LONG, 2 * len(label))) >= four_fifths:
        return True
    return len(cells) >= 4 and len(set(cells)) * 2 <= len(cells)


def _only_labels(labels: Row, body: Sequence[Row], usual: bool) -> bool:
    """Whether a table all of words has labels in its first row: complete, distinct, short, without punctuation."""
    given = [label for label in labels if label]
    width = max(map(len, body))
    if len(given) < (2 if usual else 3) or len(body) < (1 if usual else 2) or width > len(labels):
        return False
    if not all(labels[1:width]) or len({label.casefold() for label in given}) < len(given):
        return False
    return all(
        len(label) <= _LONGEST_BARE_LABEL and len(label.split()) <= _MOST_WORDS and not _PUNCTUATION.search(label)
        for label in given
    )
