"""How far the cells of a workbook lie apart, measured before calamine reads it.

calamine allocates the whole rectangle between the outermost cells of a sheet, some 40 bytes for each place, and ends
the process if there is not enough memory. A single cell at XFD1048576 asks for 550 GB. So a sheet of an .xlsx whose
rectangle is larger than `MOST_PLACES` is cut before the row that makes it so; an .ods is refused. The rectangles of
.xls (at most 16.8 million places, if the file is not damaged) and .xlsb files are not measured.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator

from ingest.errors import UnreadableFile
from ingest.loaders.archive import MOST_BYTES, open_archive, parse_xml, read_member

MOST_PLACES = 10_000_000
"""As many places may a sheet have between its first and last cells, filled or not."""

_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Za-z]{1,30})(\d{1,30})[\"']")
_LAST_ROW = 1_048_576
"""Row numbers beyond this exist in broken files only; calamine takes some of them modulo 2^32."""
_ROW = re.compile(rb"<(\w+:)?row\b")
_ODS_TAG = re.compile(rb"<table:(table-row|table-cell|covered-table-cell|table)(?![\w-])([^>]*)>")
_ODS_REPEATED = re.compile(rb"number-(?:rows|columns)-repeated=[\"'](\d{1,9})[\"']")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def narrow_xlsx(data: bytes, warnings: list[str]) -> bytes:
    """Return the workbook without what lies too far away in its sheets; `warnings` get a line for each such sheet."""
    cut: dict[str, bytes] = {}
    with open_archive(data) as archive:
        names = archive.namelist()
        for name in names:
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                sheet = read_member(archive, name, MOST_BYTES)
                if (end := _end(sheet)) is not None:
                    at, row = end
                    cut[name] = _closed(sheet, at)
                    called = _sheet_names(archive).get(name, posixpath.basename(name))
                    warnings.append(
                        f"sheet {called}: row {row} and those below are left out, the cells lie too far apart "
                        f"(more than {MOST_PLACES} places between the first and the last)"
                    )
        return _replaced(archive, cut) if cut else data


def refuse_wide_ods(data: bytes) -> None:
    """Raise `UnreadableFile` if the sheets of an OpenDocument spreadsheet, read all at once, span too much."""
    with open_archive(data) as archive:
        content = read_member(archive, "content.xml", MOST_BYTES)
    places = sum(_ods_places(content))
    if places > MOST_PLACES:
        raise UnreadableFile(
            f"expected at most {MOST_PLACES} places between the first and last cells of the sheets, found {places}: "
            "delete the cells far away and save the file again"
        )


def _end(sheet: bytes) -> tuple[int, int] | None:
    """Return where the first cell stands with which the sheet is too large, and its row; None if it is not."""
    top, left, right = 0, 0, 0
    for match in _CELL.finditer(sheet):
        row, column = int(match[2]), _column(match[1])
        top = top or row
        left, right = min(left or column, column), max(right, column)
        if row > _LAST_ROW or (row - top + 1) * (right - left + 1) > MOST_PLACES:
            return match.start(), row
    return None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _closed(sheet: bytes, at: int) -> bytes:
    """Return the XML of a sheet up to the row that is open at `at`."""
    *_, last = _ROW.finditer(sheet, max(0, sheet.rfind(b"row", 0, at) - 100), at)
    prefix = last[1] or b""
    return sheet[: last.start()] + b"</%bsheetData></%bworksheet>" % (prefix, prefix)


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return archive member -> name of the sheet."""
    try:
        relations = parse_xml(read_member(archive, "xl/_rels/workbook.xml.rels"))
        workbook = parse_xml(read_member(archive, "xl/workbook.xml"))
    except UnreadableFile:
        return {}
    targets = {entry.get("Id"): posixpath.join("xl", entry.get("Target", "")).lstrip("/") for entry in relations}
    sheets = (element for element in workbook.iter() if element.get(_RELATION) in targets)
    return {targets[sheet.get(_RELATION)]: sheet.get("name", "") for sheet in sheets}


def _replaced(archive: zipfile.ZipFile, members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for name in archive.namelist():
            copy.writestr(name, members[name] if name in members else read_member(archive, name, MOST_BYTES))
    return buffer.getvalue()


def _ods_places(content: bytes) -> Iterator[int]:
    """Yield rows times columns for each table, as far as anything stands in them."""
    row = column = last_row = last_column = 0
    for tag in _ODS_TAG.finditer(content):
        found = _ODS_REPEATED.search(tag[2])
        repeated = int(found[1]) if found else 1
        if tag[1] == b"table":
            yield last_row * last_column
            row = last_row = last_column = 0
        elif tag[1] == b"table-row":
            row, column = row + repeated, 0
        else:
            column += repeated
            if not tag[2].rstrip().endswith(b"/") or b"value" in tag[2]:
                last_row, last_column = max(last_row, row), max(last_column, column)
    yield last_row * last_column
