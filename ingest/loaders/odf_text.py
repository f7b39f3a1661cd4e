"""The body of an OpenDocument file (ODF text and drawing elements) to pieces, in document order.

Left out are deletions that are still tracked, text and sections set to be hidden, hidden table rows, page numbers, and
phonetic guides. Footnotes and endnotes follow their paragraph, and the text of frames follows the paragraph they are
anchored in; comments are collected for the caller. White space is collapsed as the format demands.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ingest.loaders.compose import Piece, list_pieces
from ingest.loaders.encoding import clean
from ingest.loaders.grid import Cell, grid
from ingest.loaders.table import read_table

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
OFFICE, TEXT, TABLE, DRAW, STYLE, PRESENTATION, SVG = (
    _OASIS % name for name in ("office", "text", "table", "drawing", "style", "presentation", "svg-compatible")
)
_DC = "{http://purl.org/dc/elements/1.1/}"
P, H, LIST = TEXT + "p", TEXT + "h", TEXT + "list"
_NOTE, _COMMENT = TEXT + "note", OFFICE + "annotation"
_SKIPPED = frozenset(
    [TEXT + name for name in ("tracked-changes", "page-number", "page-count", "ruby-text", "note-citation")]
    + [OFFICE + "forms", PRESENTATION + "notes", SVG + "title", SVG + "desc", TABLE + "desc", TABLE + "title"]
    + [DRAW + "object", DRAW + "image", DRAW + "glue-point", OFFICE + "event-listeners"]
)
_ROW_GROUPS = (TABLE + "table-header-rows", TABLE + "table-rows", TABLE + "table-row-group")
_SPACE = re.compile(r"[ \t\r\n]+")
_MOST_SPACES = 100
_MOST_REPEATED = 1000
_MOST_ROOM = 2_000_000
"""As many characters may come of cells and rows that are written once and said to be repeated."""
_LONGEST_CHAIN = 20


class Flow:
    """Turns elements into pieces; `comments` gathers (author, text) of what is written in the margin on the way.

    `styled` are the elements that hold styles.
    """

    def __init__(self, styled: Iterable[Any]) -> None:
        self.comments: list[tuple[str, str]] = []
        self._room = _MOST_ROOM
        styles = {style.get(STYLE + "name", ""): style for root in styled for style in root.iter(STYLE + "style")}
        self._hidden = {name for name, style in styles.items() if _hides(style)}
        self._titles = {name for name in styles if _is_title(name, styles)} | {"Title"}

    def pieces(self, parent: Any) -> Iterator[Piece]:
        """Yield what stands below `parent`."""
        for child in parent:
            if self._left_out(child):
                continue
            if child.tag in (P, H):
                yield from self._paragraph(child)
            elif child.tag == LIST and next(child.iter(H), None) is None:  # chapters may be numbered as a list
                yield from list_pieces(self._items(child, 0))
            elif child.tag == TABLE + "table":
                yield self._table(child)
            elif child.tag == _COMMENT:
                self._keep_comment(child)
            else:
                yield from self.pieces(child)

    def line(self, parent: Any) -> str:
        """Return all text below `parent` in one line, without the marks of lists."""
        return " ".join(" ".join(self._texts(parent)).split())

    def _texts(self, parent: Any) -> Iterator[str]:
        for child in parent:
            if child.tag == _COMMENT:
                self._keep_comment(child)
            elif child.tag in (P, H) and not self._left_out(child):
                text, aside = self._inline(child)
                yield text
                yield from (piece.text for piece in self._aside(aside))
            elif not self._left_out(child):
                yield from self._texts(child)

    def _paragraph(self, element: Any) -> Iterator[Piece]:
        text, aside = self._inline(element)
        level = self._level(element)
        yield Piece(" ".join(text.split()), "heading", level) if level else Piece(text)
        yield from self._aside(aside)

    def _level(self, element: Any) -> int:
        """Return the level of a heading, 0 for a paragraph."""
        level = element.get(TEXT + "outline-level", "1")
        if element.tag == H:
            return max(1, min(int(level), 9)) if level.isdecimal() else 1
        return int(element.get(TEXT + "style-name") in self._titles)

    def _inline(self, paragraph: Any) -> tuple[str, list[Any]]:
        """Return the text of a paragraph, and the notes and frames anchored in it."""
        aside: list[Any] = []
        text = "".join(self._runs(paragraph, aside))
        return clean(re.sub(" *\n *", "\n", text)).strip(), aside

    def _runs(self, element: Any, aside: list[Any]) -> Iterator[str]:
        yield _SPACE.sub(" ", element.text or "")
        for child in element:
            if child.tag == TEXT + "s":
                count = child.get(TEXT + "c", "1")
                yield " " * (min(int(count), _MOST_SPACES) if count.isdecimal() else 1)
            elif child.tag == TEXT + "tab":
                yield "\t"
            elif child.tag == TEXT + "line-break":
                yield "\n"
            elif child.tag == _COMMENT:
                self._keep_comment(child)
            elif child.tag == _NOTE or (child.tag.startswith(DRAW) and child.tag != DRAW + "a"):
                aside.append(child)
            elif not self._left_out(child):
                yield from self._runs(child, aside)
            yield _SPACE.sub(" ", child.tail or "")

    def _aside(self, elements: list[Any]) -> Iterator[Piece]:
        for element in elements:
            if element.tag != _NOTE:
                yield from self.pieces([element])
                continue
            name = "Endnote" if element.get(TEXT + "note-class") == "endnote" else "Footnote"
            if text := self.line(element):
                yield Piece(f"{name}: {text}")

    def _items(self, element: Any, depth: int) -> list[str]:
        """Return the items of a list, a line for each paragraph, those of lists within it below them."""
        items: list[str] = []
        indent = "  " * min(depth, 8)
        for item in element:
            lines: list[str] = []
            for child in item:
                if child.tag == LIST:
                    lines += self._items(child, depth + 1)
                    continue
                for piece in self.pieces([child]):
                    lead = "  " if lines else "- "
                    lines.append(indent + lead + piece.text.replace("\n", f"\n  {indent}") if piece.text else "")
            if any(lines):
                items.append("\n".join(filter(None, lines)))
        return items

    def _table(self, table: Any) -> Piece:
        header = table.find(TABLE + "table-header-rows")
        usual = header is not None or table.get(TABLE + "use-first-row-styles") == "true"
        lines = read_table(grid(self._rows(table)), usual=usual)
        return Piece("\n".join(line.text for line in lines), "table")

    def _rows(self, parent: Any) -> Iterator[list[Cell]]:
        for child in parent:
            if child.tag in _ROW_GROUPS:
                yield from self._rows(child)
            elif child.tag == TABLE + "table-row" and child.get(TABLE + "visibility", "visible") == "visible":
                cells = [cell for element in child for cell in self._cells(element)]
                size = sum(len(cell.text) for cell in cells)
                yield from [cells] * (self._times(_number(child, "number-rows-repeated"), size) if size else 1)

    def _cells(self, element: Any) -> list[Cell]:
        if element.tag != TABLE + "table-cell":  # a covered one is where another reaches into
            return []
        spans = (_number(element, "number-columns-spanned"), _number(element, "number-rows-spanned"))
        cell = Cell(self.line(element), *spans)
        return [cell] * self._times(_number(element, "number-columns-repeated"), len(cell.text))

    def _times(self, wanted: int, size: int) -> int:
        """Return how often something of `size` characters may be repeated: at least once, less when room gets short."""
        times = min(wanted, 1 + self._room // (size + 1))
        self._room -= (times - 1) * (size + 1)
        return times

    def _keep_comment(self, element: Any) -> None:
        author = element.find(_DC + "creator")
        name = "" if author is None else " ".join((author.text or "").split())
        if text := self.line(element):
            self.comments.append((name, text))

    def _left_out(self, element: Any) -> bool:
        if element.tag in _SKIPPED or element.get(TEXT + "is-hidden") == "true":
            return True
        if element.get(PRESENTATION + "placeholder") == "true":  # "Click to add text"
            return True
        if element.tag in (P, H) and element.find(f"{TEXT}hidden-paragraph[@{TEXT}is-hidden='true']") is not None:
            return True
        shown = element.get(TEXT + "display") if element.tag == TEXT + "section" else None
        return shown in ("none", "condition") or element.get(TEXT + "style-name") in self._hidden


def _number(element: Any, name: str) -> int:
    """Return a count of columns or rows, between 1 and what memory allows."""
    value = element.get(TABLE + name, "1")
    return max(1, min(int(value), _MOST_REPEATED)) if value.isdecimal() else 1


def _hides(style: Any) -> bool:
    return any(found.get(TEXT + "display") == "none" for found in style.iter(STYLE + "text-properties"))


def _is_title(name: str, styles: dict[str, Any]) -> bool:
    for _ in range(_LONGEST_CHAIN):  # a chain of styles may be a loop
        if name == "Title":
            return True
        if name not in styles:
            return False
        name = styles[name].get(STYLE + "parent-style-name", "")
    return False
