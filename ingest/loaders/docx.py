"""Word documents (.docx) to text: the body in document order, as python-docx reads it.

Headings are told by their style or outline level. Consecutive list items are one block ("- item", indented by
level; the numbers that Word shows are not computed), a row of a table is a line that names its columns. Footnotes and
endnotes stand after the paragraph, list item or table that refers to them; the numbers that Word gives them are not
computed either. Comments make up a section at the end, then headers and footers, each once, without page numbers.
The numbers behind charts and the words of diagrams follow their paragraph. Pictures and embedded documents are not
read, which the warnings say. `docx_text` tells what else is left out. XML entities are refused in the body and never
resolved elsewhere (python-docx's parsers are set so).
"""

import io
from collections.abc import Iterator
from typing import Any

from docx.opc.part import PartFactory
from docx.oxml.ns import qn
from docx.package import Package
from docx.parts.document import DocumentPart

from ingest.errors import UnreadableFile
from ingest.loaders.archive import refuse_bomb, refuse_entities
from ingest.loaders.compose import Piece, compose, list_pieces
from ingest.loaders.docx_extras import Notes, comments, drawings, running_heads, unread
from ingest.loaders.docx_text import TBL, content, is_on, line_of, text_of, value
from ingest.loaders.encoding import clean
from ingest.loaders.grid import Cell, grid
from ingest.loaders.table import read_table
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

_ALSO_DOCUMENTS = (
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
)
PartFactory.part_type_for.update(dict.fromkeys(_ALSO_DOCUMENTS, DocumentPart))

_TR, _TC = qn("w:tr"), qn("w:tc")
_LONGEST_CHAIN = 20
_BODY_LEVEL = 9
"""The outline level that Word gives to body text; 0 to 8 are those of headings."""


def load(source: str, data: bytes) -> Document:
    """Return a Word document as a `Document`. Raises `UnreadableFile` if it is broken or blown up."""
    refuse_bomb(data)
    opened = _open(data)
    body = opened.element.body
    refuse_entities(opened.element)
    pieces = list(_pieces(body, _styles(opened), Notes(opened), opened.part))
    named = [clean(opened.core_properties.title or ""), _first_heading(pieces)]
    text, blocks = compose([*pieces, *comments(opened), *running_heads(opened)])
    return Document(source, "docx", pick(source, named), text, blocks, warnings=unread(body, opened.part))


def _open(data: bytes) -> Any:
    """Return the document as python-docx sees it; templates and documents with macros are opened too."""
    main: Any = Package.open(io.BytesIO(data)).main_document_part
    if not isinstance(main, DocumentPart):
        raise UnreadableFile(f"expected a Word document, found a file of type {main.content_type}")
    return main.document


def _first_heading(pieces: list[Piece]) -> str:
    return first_heading(compose(pieces)[1])


class _Style:
    """What a paragraph style says: `level` of a heading (0 for none), `is_list`."""

    def __init__(self, level: int, is_list: bool) -> None:
        self.level = level
        self.is_list = is_list


_PLAIN = _Style(0, False)


def _styles(opened: Any) -> dict[str, _Style]:
    """Return the styles by their id; one that says nothing itself says what it is based on."""
    elements = {style.style_id: style.element for style in opened.styles}
    return {style_id: _style(style_id, elements) for style_id in elements}


def _style(style_id: str, elements: dict[str, Any]) -> _Style:
    level, is_list = 0, False
    current: str | None = style_id
    for _ in range(_LONGEST_CHAIN):  # a chain of styles may be a loop
        element = elements.get(current or "")
        if element is None:
            break
        name = (value(element, "w:name") or "").lower()
        level = level or _named_level(name) or _outline_level(element)
        is_list = is_list or name.startswith("list ") or element.find(f".//{qn('w:numPr')}") is not None
        current = value(element, "w:basedOn")
    return _Style(level, is_list and not level)


def _named_level(name: str) -> int:
    if name == "title":
        return 1
    number = name.removeprefix("heading ")
    return int(number) if number != name and number in "123456789" else 0


def _outline_level(element: Any) -> int:
    """Return the level of a heading that a paragraph or a style is given in its own properties, from 1."""
    level = value(element, "w:pPr/w:outlineLvl")
    return int(level) + 1 if level and level.isdecimal() and int(level) < _BODY_LEVEL else 0


def _pieces(body: Any, styles: dict[str, _Style], notes: Notes, part: Any) -> Iterator[Piece]:
    items: list[str] = []
    for element in content(body):
        style = _PLAIN if element.tag == TBL else styles.get(value(element, "w:pPr/w:pStyle") or "", _PLAIN)
        item = _item(element, style)
        said = notes.of(element)
        drawn = list(drawings(element, part))
        if item is None or drawn:
            items += [item] if item else []
            yield from list_pieces(items)
            items = []
            if item is None:
                yield from _table(element) if element.tag == TBL else _paragraph(element, style)
            yield from [*map(Piece, said), *drawn]
        elif item:
            items.append("\n  ".join([item, *said]))
    yield from list_pieces(items)


def _paragraph(element: Any, style: _Style) -> Iterator[Piece]:
    text = text_of(element)
    level = style.level or _outline_level(element)
    if level:
        yield Piece(" ".join(text.split()), "heading", level)
    else:
        yield Piece(text)


def _item(element: Any, style: _Style) -> str | None:
    """Return the line of a list item ("" if it is blank), None for what is no list item."""
    number = None if element.tag == TBL else element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    if element.tag == TBL or style.level or not (style.is_list or number is not None):
        return None
    if number is not None and value(number, "w:numId") == "0":  # numbering switched off
        return None
    depth = value(number, "w:ilvl") if number is not None else None
    indent = "  " * (min(int(depth), 8) if depth and depth.isdecimal() else 0)
    text = text_of(element).strip()
    return indent + "- " + text.replace("\n", "\n  " + indent) if text else ""


def _table(table: Any) -> Iterator[Piece]:
    rows = list(_rows(table))
    has_header = bool(rows) and is_on(rows[0].find(f"{qn('w:trPr')}/{qn('w:tblHeader')}"))
    lines = read_table(grid(_cells(rows)), usual=has_header)
    yield Piece("\n".join(line.text for line in lines), "table")


def _rows(table: Any) -> Iterator[Any]:
    """Yield the rows of a table that are its own and not deleted."""
    for row in table.iter(_TR):
        if _owner(row, TBL) is table and row.find(f"{qn('w:trPr')}/{qn('w:del')}") is None:
            yield row


def _cells(rows: list[Any]) -> Iterator[list[Cell]]:
    """Yield the cells of each row; one that goes on from above has the text that began there."""
    above: dict[int, str] = {}
    for row in rows:
        cells: list[Cell] = []
        before = value(row, "w:trPr/w:gridBefore") or ""
        column = int(before) if before.isdecimal() else 0
        if column:
            cells.append(Cell("", column))
        for cell in (cell for cell in row.iter(_TC) if _owner(cell, _TR) is row):
            merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
            goes_on = merge is not None and merge.get(qn("w:val"), "continue") == "continue"
            above[column] = text = (goes_on and above.get(column)) or line_of(cell)
            span = value(cell, "w:tcPr/w:gridSpan") or ""
            cells.append(Cell(text, int(span) if span.isdecimal() else 1))
            column += cells[-1].columns
        yield cells


def _owner(element: Any, tag: str) -> Any:
    return next(element.iterancestors(tag), None)
