"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) to lines that name their columns, as calamine reads the cells.

Each sheet is a heading and its rows are blocks that stand at "sheet Orders, row 2", numbered as the program shows
them. Hidden sheets are read, and their heading says that they are hidden. Formulas count with their last value;
numbers come without their format (12 % is 0.12), dates as ISO 8601. A merged cell stands in each of its places, unless
it is alone in its row. Charts, pictures, comments and macros are not read.
"""

import datetime
import io
import re
from collections.abc import Iterator
from typing import Any

from ingest.errors import UnreadableFile
from ingest.loaders import ole
from ingest.loaders.archive import open_archive, read_member, refuse_bomb
from ingest.loaders.compose import Piece, Where, compose_placed
from ingest.loaders.encoding import clean
from ingest.loaders.sheet_span import narrow_xlsx, refuse_wide_ods
from ingest.loaders.table import table_pieces
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

MOST_CELLS = 2_000_000
"""As many cells that are not empty are read of a workbook; what is left out is said."""

_MOST_MERGED = 100_000
_ENCRYPTED = "encrypted: this workbook needs a password; save it without one"
_DEFAULT_NAME = re.compile(r"(?:sheet|tabelle|feuille?|hoja|foglio|blad|planilha|лист|工作表|シート)[ _]?\d*", re.I)


def load(source: str, data: bytes, most_cells: int = MOST_CELLS) -> Document:
    """Return a workbook as a `Document` of kind "xlsx", "xls" or "ods".

    Raises `UnreadableFile` if it is encrypted, blown up, or spans more than can be held.
    """
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum

    warnings: list[str] = []
    kind, data = _guarded(data, warnings)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
            nameless = len(sheets) == 1 and bool(_DEFAULT_NAME.fullmatch(sheets[0].name)) and not _is_hidden(sheets[0])
            text, blocks, places = compose_placed(_pieces(book, sheets, nameless, most_cells, warnings))
    except PasswordError as error:
        raise UnreadableFile(_ENCRYPTED) from error
    title = pick(source, [first_heading(blocks)] if nameless else [])
    return Document(source, kind, title, text, blocks, places=places, warnings=tuple(warnings))


def _guarded(data: bytes, warnings: list[str]) -> tuple[str, bytes]:
    """Return the kind of workbook, and its bytes made safe to parse."""
    if data.startswith(ole.MAGIC):
        if "EncryptedPackage" in ole.top_names(data):
            raise UnreadableFile(_ENCRYPTED)
        return "xls", data
    refuse_bomb(data)
    with open_archive(data) as archive:
        names = set(archive.namelist())
        if "content.xml" not in names:
            return "xlsx", narrow_xlsx(data, warnings)
        manifest = "META-INF/manifest.xml"
        if manifest in names and b"encryption-data" in read_member(archive, manifest):
            raise UnreadableFile(_ENCRYPTED)
    refuse_wide_ods(data)
    return "ods", data


def _pieces(book: Any, sheets: list[Any], nameless: bool, most: int, warnings: list[str]) -> Iterator[Piece]:
    """Yield the pieces of all sheets; `nameless`: the name of the only one says nothing and makes no heading."""
    room = most
    for sheet in sheets:
        name = " ".join(clean(sheet.name).split())
        if room <= 0:
            warnings.append(
                f"sheet {name} is left out: at most {most} cells of a workbook are read; split the workbook"
            )
            continue
        rows, cells = _rows(book.get_sheet_by_name(sheet.name), name, room, warnings)
        room -= cells
        inside = f"sheet {name}, "
        if cells and not nameless:
            heading = f"{name} (hidden sheet)" if _is_hidden(sheet) else name
            yield Piece(heading, "heading", 1, Where("row", 1 + next(i for i, row in enumerate(rows) if row), inside))
        yield from table_pieces(rows, inside, level=1 if nameless else 2)


def _is_hidden(sheet: Any) -> bool:
    from python_calamine import SheetVisibleEnum

    return bool(sheet.visible != SheetVisibleEnum.Visible)


def _rows(sheet: Any, name: str, room: int, warnings: list[str]) -> tuple[list[list[str]], int]:
    """Return the rows from the sheet's first one on, a blank one as [], and how many cells are filled."""
    rows: list[list[str]] = []
    cells = 0
    for values in sheet.iter_rows():
        row = [_text(value) if value != "" else "" for value in values] if values.count("") < len(values) else []
        filled = sum(map(bool, row))
        cells += filled
        if cells > room:
            warnings.append(
                f"sheet {name}: row {len(rows) + 1} and those below are left out: the workbook has too many cells; "
                "split the workbook"
            )
            return rows, room
        rows.append(row if filled else [])
    _spread_merged(rows, sheet)
    return rows, cells


def _spread_merged(rows: list[list[str]], sheet: Any) -> None:
    """Write the text of a merged cell to all its places in rows that have other cells too."""
    left = sheet.start[1] if sheet.start else 0
    budget = _MOST_MERGED
    for (top, first), (bottom, last) in sheet.merged_cell_ranges or ():
        first, last, bottom = first - left, last - left, min(bottom, len(rows) - 1)
        budget -= max(0, bottom - top + 1) * (last - first + 1)
        if budget < 0:
            return
        if top >= len(rows) or not 0 <= first < len(rows[top]) or not rows[top][first]:
            continue
        for row in rows[top : bottom + 1]:
            if any(cell for column, cell in enumerate(row) if not first <= column <= last):
                row[first : last + 1] = [rows[top][first]] * len(row[first : last + 1])


def _text(value: Any) -> str:
    """Return what a cell says as a reader would write it."""
    if isinstance(value, str):
        return clean(value.replace("_x000D_", "\n")).strip() if value else ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else f"{value.date()} {_clock(value.time())}"
    if isinstance(value, datetime.time):
        return _clock(value)
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _clock(time: datetime.time) -> str:
    return time.isoformat("seconds" if time.second else "minutes")
