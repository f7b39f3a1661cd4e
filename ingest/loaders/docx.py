"""Word documents (.docx) to text: the body in document order, as python-docx reads it.

Headings are told by their style or outline level. Consecutive list items are one block ("- item", indented by
level; the numbers that Word shows are not computed), a table is a line for each row ("a | b | c"). Text that is
hidden, deleted, or moved away is left out; insertions, content controls and text boxes are read. Headers,
footers, footnotes and comments are not. XML entities are never resolved (python-docx's parsers are set so).
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.oxml.ns import qn

from ingest.errors import UnreadableFile
from ingest.loaders.compose import Piece, compose, list_pieces
from ingest.loaders.encoding import clean
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

_MOST_BYTES = 512 * 1024 * 1024
_MOST_RATIO = 200

_P, _TBL, _TR, _TC = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_T, _R, _TEXT_BOX = qn("w:t"), qn("w:r"), qn("w:txbxContent")
_VAL = qn("w:val")
_SPACES = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_NOT_SHOWN = frozenset(
    (qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:sdtPr"), qn("w:tblPr"), qn("w:instrText"))
) | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
_LONGEST_CHAIN = 20
_BODY_LEVEL = 9
"""The outline level that Word gives to body text; 0 to 8 are those of headings."""


def load(source: str, data: bytes) -> Document:
    """Return a Word document as a `Document`. Raises `UnreadableFile` if it is broken or blown up."""
    _refuse_bomb(data)
    opened = docx.Document(io.BytesIO(data))
    text, blocks = compose(_pieces(opened.element.body, _styles(opened)))
    title = pick(source, [clean(opened.core_properties.title or ""), first_heading(blocks)])
    return Document(source, "docx", title, text, blocks)


def _refuse_bomb(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > _MOST_BYTES or size > _MOST_RATIO * len(data):
        raise UnreadableFile(
            f"expected at most {_MOST_BYTES >> 20} MB and {_MOST_RATIO} times the file's size when unpacked, "
            f"found {size >> 20} MB, {size // len(data)} times: this may be a zip bomb"
        )


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
        name = (_value(element, "w:name") or "").lower()
        level = level or _named_level(name) or _outline_level(element)
        is_list = is_list or name.startswith("list ") or element.find(f".//{qn('w:numPr')}") is not None
        current = _value(element, "w:basedOn")
    return _Style(level, is_list and not level)


def _named_level(name: str) -> int:
    if name == "title":
        return 1
    number = name.removeprefix("heading ")
    return int(number) if number != name and number in "123456789" else 0


def _outline_level(element: Any) -> int:
    """Return the level of a heading that a paragraph or a style is given in its own properties, from 1."""
    value = _value(element, "w:pPr/w:outlineLvl")
    return int(value) + 1 if value and value.isdecimal() and int(value) < _BODY_LEVEL else 0


def _value(element: Any, path: str) -> str | None:
    found = element.find("/".join(qn(step) for step in path.split("/")))
    return None if found is None else found.get(_VAL)


def _pieces(body: Any, styles: dict[str, _Style]) -> Iterator[Piece]:
    items: list[str] = []
    for element in _content(body):
        style = _PLAIN if element.tag == _TBL else styles.get(_value(element, "w:pPr/w:pStyle") or "", _PLAIN)
        item = _item(element, style)
        if item is None:
            yield from list_pieces(items)
            items = []
            yield from _table(element) if element.tag == _TBL else _paragraph(element, style)
        elif item:
            items.append(item)
    yield from list_pieces(items)


def _content(parent: Any) -> Iterator[Any]:
    """Yield the paragraphs and tables below `parent`, those of content controls and text boxes too."""
    stack = [parent]
    while stack:
        element = stack.pop()
        if element.tag in (_P, _TBL):
            yield element
        if element.tag == _P:
            stack.extend(reversed(list(_boxed(element))))
        elif element.tag != _TBL and element.tag not in _NOT_SHOWN:
            stack.extend(reversed(element))


def _boxed(paragraph: Any) -> Iterator[Any]:
    """Yield the text boxes anchored in a paragraph, once each."""
    for box in paragraph.iter(_TEXT_BOX):
        above = list(box.iterancestors())
        nearest = next(element for element in above if element.tag == _P)
        if nearest is paragraph and not any(element.tag in _NOT_SHOWN for element in above):
            yield box


def _paragraph(element: Any, style: _Style) -> Iterator[Piece]:
    text = _text(element)
    level = style.level or _outline_level(element)
    if level:
        yield Piece(" ".join(text.split()), "heading", level)
    else:
        yield Piece(text)


def _item(element: Any, style: _Style) -> str | None:
    """Return the line of a list item ("" if it is blank), None for what is no list item."""
    number = None if element.tag == _TBL else element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    if element.tag == _TBL or style.level or not (style.is_list or number is not None):
        return None
    if number is not None and _value(number, "w:numId") == "0":  # numbering switched off
        return None
    depth = _value(number, "w:ilvl") if number is not None else None
    indent = "  " * (min(int(depth), 8) if depth and depth.isdecimal() else 0)
    text = _text(element).strip()
    return indent + "- " + text.replace("\n", "\n  " + indent) if text else ""


def _table(table: Any) -> Iterator[Piece]:
    rows = ([_cell(cell) for cell in row.iter(_TC) if _owner(cell, _TR) is row] for row in _rows(table))
    yield Piece("\n".join(" | ".join(cells) for cells in rows if any(cells)), "table")


def _rows(table: Any) -> Iterator[Any]:
    """Yield the rows of a table that are its own and not deleted."""
    for row in table.iter(_TR):
        if _owner(row, _TBL) is table and row.find(f"{qn('w:trPr')}/{qn('w:del')}") is None:
            yield row


def _owner(element: Any, tag: str) -> Any:
    return next(element.iterancestors(tag), None)


def _cell(cell: Any) -> str:
    """Return all text of a cell, nested tables and text boxes included, in one line."""
    return " ".join(" ".join(_text(paragraph) for paragraph in cell.iter(_P)).split())


def _text(paragraph: Any) -> str:
    """Return the text that a paragraph shows, without that of text boxes anchored in it."""
    parts: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if element.tag == _T:
            parts.append(element.text or "")
        elif element.tag in _SPACES:
            parts.append(_SPACES[element.tag])
        elif element.tag not in _NOT_SHOWN and element.tag != _TEXT_BOX and not _is_hidden_run(element):
            stack.extend(reversed(element))
    return clean("".join(parts)).strip("\n")


def _is_hidden_run(element: Any) -> bool:
    if element.tag != _R:
        return False
    vanish = element.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and vanish.get(_VAL, "1") not in ("0", "false", "off")
