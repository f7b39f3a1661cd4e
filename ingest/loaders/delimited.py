"""Comma, semicolon, tab and bar separated values (.csv, .tsv, .tab) to lines that name their columns.

The delimiter is the one that divides the first rows most evenly; a first line "sep=;" decides. No cell is lost: a row
may have more cells than the header, or fewer, and a quote that is never closed does not swallow what follows. Rows
are numbered as a spreadsheet program shows them: the header, blank lines and multi-line rows count one each.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

from ingest.loaders.compose import compose_placed
from ingest.loaders.encoding import decode
from ingest.loaders.table import table_pieces
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

MOST_CELLS = 2_000_000
"""Rows after so many cells are left out, and the document says so."""

_DELIMITERS = "\t;|,"
_SAMPLE_ROWS = 100
_SAMPLE = 1 << 18
_DECLARED = re.compile(r"sep=(.)[^\S\n]*\n")


def load(source: str, data: bytes, most_cells: int = MOST_CELLS) -> Document:
    """Return a table in a text file as a `Document`, a block for each row. Raises `UnreadableFile` if it is no text."""
    text = decode(data)
    declared = _DECLARED.match(text)
    if declared:
        text = text[declared.end() :]
    delimiter = declared[1] if declared else _delimiter(text, source.lower().endswith((".tsv", ".tab")))
    warnings: list[str] = []
    rows = _bounded(_rows(text, delimiter, warnings), most_cells, warnings)
    text, blocks, places = compose_placed(table_pieces(rows, "", level=1, usual=True))
    title = pick(source, [first_heading(blocks[:1])])
    return Document(source, "csv", title, text, blocks, places=places, warnings=tuple(warnings))


def _delimiter(text: str, tabs: bool) -> str:
    """Return what divides the rows into cells; `tabs`: the name of the file promises tabs."""
    sample = text[:_SAMPLE]
    if tabs and "\t" in sample:
        return "\t"
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows that have the most usual number of cells, if that is more than one, and that number."""
    _lift_limit(sample)
    widths: Counter[int] = Counter()
    for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
        if row:
            widths[len(row)] += 1
        if widths.total() == _SAMPLE_ROWS:
            break
    width, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
    return (rows / widths.total(), width) if width > 1 else (0.0, 0)


def _rows(text: str, delimiter: str, warnings: list[str]) -> Iterator[list[str]]:
    _lift_limit(text)
    unbalanced = text.count('"') % 2 == 1
    lines = text.split("\n") if unbalanced else []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    first = 0
    for row in reader:
        swallowed = lines[first : reader.line_num]
        if unbalanced and len(swallowed) > 1 and reader.line_num >= len(lines) - 1 and _is_open(swallowed):
            warnings.append(f"a quote in line {first + 1} is never closed: the lines from there on are read one by one")
            yield from csv.reader(swallowed, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        else:
            yield row
        first = reader.line_num


def _is_open(lines: list[str]) -> bool:
    return "\n".join(lines).count('"') % 2 == 1


def _bounded(rows: Iterator[list[str]], most: int, warnings: list[str]) -> list[list[str]]:
    kept: list[list[str]] = []
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > most:
            left_out = 1 + sum(1 for _ in rows)
            warnings.append(
                f"only rows 1 to {len(kept)} are read, {left_out} are left out: expected at most {most} cells; "
                "split the file"
            )
            break
        kept.append(row)
    return kept


def _lift_limit(text: str) -> None:
    """Allow a cell to be as long as the text; the limit of the csv module is one for the whole process."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
