"""HTML to text: what a reader of the page sees, without the boilerplate tags.

Dropped are scripts, styles, templates, navigation, pictures and everything hidden by an attribute (`aria-hidden` too)
or an inline style; rules in style sheets are not evaluated, nor is it seen that text is as white as its ground or
stands outside the window. Headings, lists, tables (a line for each row, which names its columns) and preformatted text
become blocks of their kind; a table that holds another table is taken as layout.
The parser is selectolax (lexbor). Its time grows with the square of the nesting, so a page nested thousands
deep is refused; the walk over the tree does not recurse.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.errors import UnreadableFile
from ingest.loaders.compose import Piece, compose, list_pieces
from ingest.loaders.encoding import clean, decode
from ingest.loaders.grid import Cell, grid
from ingest.loaders.table import read_table
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

_DROPPED = frozenset(
    "script style template noscript head svg nav iframe object embed canvas audio video select datalist "
    "textarea map area dialog".split()
)
_BREAKING = frozenset(
    "html body main article section header footer aside div p blockquote figure figcaption address center "
    "form fieldset legend details summary hr table caption thead tbody tfoot tr td th dl hgroup search".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_ITEMS = frozenset(("li", "dt", "dd"))
_HIDING = re.compile(
    r"display\s*:\s*none|content-visibility\s*:\s*hidden|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0*\.?0+(?![\d.])",
    re.IGNORECASE,
)
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})|<\?xml[^>]{0,100}?encoding=[\"']([\w.:-]{1,40})",
    re.IGNORECASE,
)
_NESTING = re.compile(
    r"<(/?)(?:div|span|section|article|blockquote|ul|ol|dl|table|b|i|u|em|strong|font|small|big|center)\b",
    re.I,
)
_DEEPEST = 5000
_INVISIBLE = str.maketrans("", "", "\u200b\u00ad\u2060\ufeff")
_BREAK = "\x1e"
"""A line break inside a block, while other white space is still to be collapsed; `clean` keeps it out of texts."""


def load(source: str, data: bytes) -> Document:
    """Return an HTML page as a `Document`. Raises `UnreadableFile` if it is not text."""
    markup = decode(data, declared_encoding(data))
    title, pieces = read_markup(markup)
    text, blocks = compose(pieces)
    return Document(source, "html", pick(source, [title, first_heading(blocks)]), text, blocks)


def read_markup(markup: str) -> tuple[str, list[Piece]]:
    """Return the title that the page gives itself, "" if none, and its pieces.

    Raises `UnreadableFile` if elements are nested absurdly deep.
    """
    _refuse_deep(markup)
    parser = LexborHTMLParser(markup)
    walk = _Walk()
    root = parser.body or parser.root
    if root is not None:
        walk.run(root)
    named = parser.css_first("head > title")
    return clean(named.text()) if named is not None else "", walk.pieces


def declared_encoding(data: bytes) -> str | None:
    """Return the Python name of the encoding that the page's head declares, None if none is or it is odd."""
    match = _CHARSET.search(data[:4096])
    name = (match[1] or match[2]).decode("ascii", "ignore").lower() if match else ""
    name = _ALIASES.get(name, name)
    return (
        name
        if re.fullmatch(r"cp\d+|windows-\d+|iso-8859-\d+|koi8-[ru]|big5\w*|gb18030|euc[-_]\w+|utf-8", name)
        else None
    )


def _refuse_deep(markup: str) -> None:
    depth = deepest = 0
    for match in _NESTING.finditer(markup):
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise UnreadableFile(f"broken: expected HTML nested less than {_DEEPEST} deep, found {deepest} levels")


_ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "latin1": "cp1252",
    "iso-8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "euc-kr": "cp949",
    "utf8": "utf-8",
    "big5": "big5hkscs",
}
"""Labels as browsers understand them, which take each for the larger character set."""


class _Walk:
    """One pass over a page that collects its pieces."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._buffer: list[str] = []
        self._items: list[str] = []
        self._depth = 0
        self._item_starts = False

    def run(self, root: LexborNode) -> None:
        """Walk over everything below `root` in document order."""
        stack: list[tuple[LexborNode, bool]] = [(root, True)]
        while stack:
            node, entering = stack.pop()
            if not entering:
                self._leave(node.tag or "")
            elif node.is_text_node:
                self._buffer.append(clean(node.text_content or ""))
            elif node.is_element_node and not _is_dropped(node) and self._enter(node, node.tag or ""):
                stack.append((node, False))
                stack.extend((child, True) for child in _children(node))
        self._flush()
        self._end_list()

    def _enter(self, node: LexborNode, tag: str) -> bool:
        """Take note of an element that begins; return whether to walk into it."""
        if tag == "br":
            self._buffer.append(_BREAK)
        elif tag == "pre":
            self._add(Piece(_preformatted(node), "code"))
            return False
        elif tag == "table" and _is_data(node):
            self._add(Piece("\n".join(_table_lines(node)), "table"))
            return False
        elif tag in _LISTS:
            self._flush()
            self._depth += 1
        elif tag in _ITEMS or tag in _BREAKING or tag in _HEADINGS:
            self._flush()
            self._item_starts = tag in _ITEMS or (self._item_starts and tag in _BREAKING)
        return True

    def _leave(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._add(Piece(_collapse("".join(self._take())).replace("\n", " "), "heading", _HEADINGS[tag]))
        elif tag in _LISTS or tag == "dl":
            self._flush()
            self._depth = max(0, self._depth - (tag in _LISTS))
            if self._depth == 0:
                self._end_list()
        elif tag in _ITEMS or tag in _BREAKING:
            self._flush()

    def _take(self) -> list[str]:
        taken, self._buffer = self._buffer, []
        return taken

    def _add(self, piece: Piece) -> None:
        self._flush()
        self._end_list()
        self.pieces.append(piece)

    def _flush(self) -> None:
        """End the paragraph or the line of a list that was being collected."""
        text = _collapse("".join(self._take()))
        if not text:
            return
        if self._depth:
            self._flush_item(text)
        else:
            self.pieces.extend(Piece(part.strip("\n")) for part in text.split("\n\n"))

    def _flush_item(self, text: str) -> None:
        indent = "  " * (self._depth - 1)
        line = indent + ("- " if self._item_starts else "  ") + text.replace("\n", "\n  " + indent)
        if (self._depth == 1 and self._item_starts) or not self._items:
            self._items.append(line)
        else:
            self._items[-1] += "\n" + line
        self._item_starts = False

    def _end_list(self) -> None:
        self.pieces.extend(list_pieces(self._items))
        self._items = []


def _children(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the children, last one first, as a stack wants them."""
    child = node.last_child
    while child is not None:
        yield child
        child = child.prev


def _is_dropped(node: LexborNode) -> bool:
    if node.tag in _DROPPED:
        return True
    attributes = node.attributes
    return bool(attributes) and (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") == "navigation"
        or bool(_HIDING.search(attributes.get("style") or ""))
    )


def _collapse(text: str) -> str:
    """Return `text` with white space collapsed; only `_BREAK` stays a line end, two or more a blank line."""
    lines = [" ".join(line.translate(_INVISIBLE).split()) for line in text.split(_BREAK)]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip("\n")


def _visible_text(root: LexborNode, line_end: str) -> str:
    """Return the text below `root` without what is dropped; block elements are set apart by spaces."""
    parts: list[str] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_text_node:
            parts.append(clean(node.text_content or ""))
        elif node.is_element_node and not _is_dropped(node):
            if node.tag in _BREAKING or node.tag in _ITEMS or node.tag == "br":
                parts.append(line_end)
            stack.extend(_children(node))
    return "".join(parts)


def _preformatted(node: LexborNode) -> str:
    return _visible_text(node, "\n").translate(_INVISIBLE)


def _is_data(table: LexborNode) -> bool:
    """Whether a table holds data: no table, heading or list within, and a row of at least two cells."""
    if any(node.mem_id != table.mem_id for node in table.css("table, h1, h2, h3, h4, h5, h6, pre")):
        return False
    return table.css_first("td + td, th + td, td + th, th + th") is not None


def _table_lines(table: LexborNode) -> Iterator[str]:
    """Yield the caption and each row as a line."""
    shown = [row for row in table.css("caption, tr") if not any(_is_dropped(node) for node in _up_to(row, table))]
    rows = [[cell for cell in _cells(row) if not _is_dropped(cell)] for row in shown if row.tag == "tr"]
    yield from filter(None, (_line(row) for row in shown if row.tag == "caption"))
    usual = bool(rows) and len(rows[0]) > 1 and all(cell.tag == "th" for cell in rows[0])
    cells = ([Cell(_line(cell), _span(cell, "colspan"), _span(cell, "rowspan")) for cell in row] for row in rows)
    yield from (line.text for line in read_table(grid(cells), usual=usual))


def _line(cell: LexborNode) -> str:
    return _collapse(_visible_text(cell, " ")).replace("\n", " ")


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or ""
    return int(value) if value.isdecimal() and len(value) < 6 else 1


def _up_to(node: LexborNode, top: LexborNode) -> Iterator[LexborNode]:
    """Yield `node` and what is around it, up to and without `top`."""
    current: LexborNode | None = node
    while current is not None and current.mem_id != top.mem_id:
        yield current
        current = current.parent


def _cells(row: LexborNode) -> list[LexborNode]:
    return [child for child in reversed(list(_children(row))) if child.tag in ("td", "th")]
