"""The shapes of a PowerPoint slide (PresentationML) to its title and pieces, in the order in which they are drawn."""

from collections.abc import Iterator
from typing import Any

from ingest.loaders.archive import parse_xml
from ingest.loaders.compose import Piece, list_pieces
from ingest.loaders.drawing import A, chart_pieces, diagram_pieces
from ingest.loaders.encoding import clean
from ingest.loaders.grid import Cell, grid
from ingest.loaders.table import read_table

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_TITLES = ("title", "ctrTitle")
_BODIES = ("", "body", "obj")
"""Kinds of placeholders whose paragraphs are points of a list unless they say otherwise."""
RUNNING = ("ftr", "hdr", "dt")
NUMBER = "sldNum"


def shapes(tree: Any) -> Iterator[Any]:
    """Yield the shapes, tables, charts and pictures below a shape tree, those in groups too; hidden ones are not."""
    stack = list(reversed(tree))
    while stack:
        element = stack.pop()
        if _is_hidden(element):
            continue
        if element.tag in (P + "grpSp", _MC + "AlternateContent", _MC + "Choice"):
            stack.extend(reversed(element))
        elif element.tag in (P + "sp", P + "graphicFrame", P + "pic", P + "cxnSp"):
            yield element


def placeholder(shape: Any) -> str | None:
    """Return the kind of placeholder that a shape is ("" for one without a kind), None if it is none."""
    found = shape.find(f"./*/{P}nvPr/{P}ph")
    return None if found is None else found.get("type", "")


def is_title(shape: Any) -> bool:
    """Whether a shape holds the title of its slide."""
    return placeholder(shape) in _TITLES


def shape_pieces(shape: Any, part: Any) -> Iterator[Piece]:
    """Yield what a shape says; `part` is the slide's, which knows the charts and diagrams that belong to it."""
    table = next(shape.iter(A + "tbl"), None)
    if table is not None:
        yield from _table(table)
    elif (chart := next(shape.iter(_CHART), None)) is not None:
        yield from chart_pieces(_related(part, chart.get(_R + "id")))
    elif (diagram := next(shape.iter(_DIAGRAM), None)) is not None:
        yield from diagram_pieces(_related(part, diagram.get(_R + "dm")))
    else:
        yield from _paragraphs(shape, placeholder(shape) in _BODIES)


def text_of(shape: Any) -> str:
    """Return all text of a shape, a line for each paragraph."""
    return "\n".join(filter(None, (_text(paragraph).strip() for paragraph in shape.iter(A + "p"))))


def _paragraphs(shape: Any, is_body: bool) -> Iterator[Piece]:
    paragraphs = [(paragraph, _text(paragraph).strip()) for paragraph in shape.iter(A + "p")]
    shown = [(paragraph, text) for paragraph, text in paragraphs if text]
    items: list[str] = []
    for paragraph, text in shown:
        if _is_item(paragraph, is_body and len(shown) > 1):
            indent = "  " * _level(paragraph)
            items.append(f"{indent}- " + text.replace("\n", f"\n  {indent}"))
        else:
            yield from list_pieces(items)
            items = []
            yield Piece(text)
    yield from list_pieces(items)


def _is_item(paragraph: Any, usual: bool) -> bool:
    """Whether a paragraph has a bullet or a number; `usual`: it has one unless it says that it has none."""
    marks = {child.tag for child in paragraph.iterfind(f"{A}pPr/*")}
    if A + "buNone" in marks:
        return False
    return usual or bool(marks & {A + "buChar", A + "buAutoNum", A + "buBlip"}) or _level(paragraph) > 0


def _level(paragraph: Any) -> int:
    properties = paragraph.find(A + "pPr")
    level = "" if properties is None else properties.get("lvl", "")
    return min(int(level), 8) if level.isdecimal() else 0


def _table(table: Any) -> Iterator[Piece]:
    properties = table.find(A + "tblPr")
    has_header = properties is not None and properties.get("firstRow") in ("1", "true")
    rows = ([_cell(cell) for cell in row.findall(A + "tc") if not _is_covered(cell)] for row in table.findall(A + "tr"))
    lines = read_table(grid(rows), usual=has_header)
    yield Piece("\n".join(line.text for line in lines), "table")


def _cell(cell: Any) -> Cell:
    columns, rows = cell.get("gridSpan", ""), cell.get("rowSpan", "")
    return Cell(
        " ".join(text_of(cell).split()),
        int(columns) if columns.isdecimal() else 1,
        int(rows) if rows.isdecimal() else 1,
    )


def _is_covered(cell: Any) -> bool:
    return any(cell.get(merge) in ("1", "true") for merge in ("hMerge", "vMerge"))


def _text(paragraph: Any) -> str:
    """Return the text of a paragraph, formulas included, without the number of the slide."""
    parts: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if element.tag in (A + "t", _MATH_TEXT):
            parts.append((element.text or "").replace("\v", "\n"))
        elif element.tag == A + "br":
            parts.append("\n")
        elif element.tag != _MC + "Fallback" and element.get("type") != "slidenum":
            stack.extend(reversed(element))
    return clean("".join(parts))


def _is_hidden(element: Any) -> bool:
    named = element.find(f"./*/{P}cNvPr")
    return named is not None and named.get("hidden") in ("1", "true")


def _related(part: Any, name: str | None) -> Any:
    return parse_xml(part.related_part(name).blob)
