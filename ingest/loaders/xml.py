"""XML of any schema: its text in document order; entities of its own are refused.

An element named title is the heading of what it stands in; elements of short values become a block of lines, "name:
value", attributes included; elements with words and markup mixed become paragraphs. Lists, tables and listings are
known by the names that DocBook, DITA, XHTML and TEI have for them. RSS and Atom have an entry under a heading each.
Attributes in prose and in SVG are passed over. Elements nested more than 256 deep are refused by the parser.
"""

import html as html_entities
import re
from collections.abc import Iterator
from typing import Any

from ingest.errors import UnreadableFile
from ingest.loaders.archive import parse_xml
from ingest.loaders.compose import Piece, compose, list_pieces
from ingest.loaders.encoding import clean
from ingest.loaders.title import pick
from ingest.passage import Document

_BOM = b"\xef\xbb\xbf"
_TITLES = frozenset("title head heading".split())
_PROSE = frozenset("para simpara p paragraph text seg l line ab quote abstract shortdesc".split())
_LISTS = frozenset("itemizedlist orderedlist simplelist variablelist ul ol dl list".split())
_TABLES = frozenset("table informaltable simpletable".split())
_ROWS = frozenset("row tr strow sthead".split())
_CODE = frozenset("programlisting screen pre literallayout sourcecode codeblock synopsis eg".split())
_DROPPED = frozenset("script style".split())
_INFOS = frozenset("info bookinfo articleinfo".split())
"""Elements whose title is that of the element around them."""
_BLOCKS = (
    _PROSE
    | _LISTS
    | _TABLES
    | _ROWS
    | _CODE
    | frozenset("listitem item li varlistentry dlentry dt dd entry td th".split())
)
"""Names that end a line where they stand among words."""
_PLAIN = frozenset(
    "body text div section sect1 sect2 sect3 sect4 sect5 chapter part book article channel content contents main group "
    "g svg front back info bookinfo articleinfo header teiheader document doc root data item entry record row feed rss "
    "topic conbody refbody taskbody listitem example figure note".split()
)
"""Names of elements that say nothing about what is in them."""
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>")
_SVG = "{http://www.w3.org/2000/svg}"


def load(source: str, data: bytes) -> Document:
    """Return an XML file as a `Document`. Raises `UnreadableFile` if it is broken or declares entities."""
    root = parse_xml(data.lstrip())
    text, blocks = compose(_pieces(root, 1, top=True))
    inner = list(_children(root))
    title = _title(root) or (_title(inner[0]) if len(inner) == 1 else "")
    return Document(source, "xml", pick(source, [title]), text, blocks)


def _pieces(element: Any, level: int, top: bool = False) -> Iterator[Piece]:
    """Yield what is in an element; `level` is that of its heading, if it has one."""
    name = _name(element)
    if name in _DROPPED:
        return
    if name in _CODE:
        yield Piece(_raw(element), "code")
    elif name in _TABLES and (rows := list(_rows(element))):
        yield Piece("\n".join(rows), "table")
    elif name in _LISTS and len(element):
        yield from list_pieces([f"- {item}" for child in _children(element) if (item := _words(child))])
    elif name in _PROSE or _is_mixed(element):
        yield from (Piece(part) for part in _words(element).split("\n"))
    elif not len(element):
        yield from _value(element)
    else:
        yield from _container(element, name, level, top)


def _container(element: Any, name: str, level: int, top: bool) -> Iterator[Piece]:
    """Yield an element of elements: its heading, its short values as lines, all else in its place."""
    titled = _title(element)
    heading = "" if name in _INFOS else titled
    attributes = "" if top and name in _PLAIN else _attributes(element)
    children = [child for child in _children(element) if not (titled and _name(child) in _TITLES)]
    is_record = not any(len(child) and not _is_mixed(child) for child in children)
    if heading or not (top or is_record or name in _PLAIN):
        yield Piece(heading or _label(element), "heading", level)
        level += 1
    lines = [attributes and f"{_label(element)}: {attributes}"] if not heading or attributes else []
    if not any(lines) and is_record and not heading and not top and name not in _PLAIN:
        lines = [_label(element)]
    repeated = len(children) > 3 and len({child.tag for child in children}) == 1
    for child in children:
        if not len(child) and _name(child) not in _PROSE | _CODE | _DROPPED and (line := _line(child)) is not None:
            lines.append(line)
            continue
        yield from _lines(lines, repeated)
        lines = []
        yield from _pieces(child, level)
    yield from _lines(lines, repeated)


def _lines(lines: list[str], repeated: bool) -> list[Piece]:
    lines = list(filter(None, lines))
    return list_pieces(lines) if repeated else [Piece("\n".join(lines))]


def _line(element: Any) -> str | None:
    """Return an element without children as "name: value", None if its value is markup of its own."""
    if _MARKUP.search(element.text or ""):
        return None
    value, attributes = _words(element), _attributes(element)
    if not value and not attributes:
        return ""
    return f"{_label(element)}: " + (f"{value} ({attributes})" if value and attributes else value or attributes)


def _value(element: Any) -> list[Piece]:
    """Return an element without children that stands alone; feeds put whole pages of HTML in one."""
    text = element.text or ""
    if _MARKUP.search(text):
        from ingest.loaders import html

        try:
            document = html.load("", _BOM + text.encode())
        except UnreadableFile:
            return [Piece(_words(element))]
        return [
            Piece(document.text[block.start : block.end], "text" if block.kind == "heading" else block.kind)
            for block in document.blocks
        ]
    return [Piece(_line(element) or "" if _attributes(element) else _words(element))]


def _title(element: Any) -> str:
    """Return the title that an element has, itself or in what informs about it."""
    for child in _children(element):
        name = _name(child)
        if name in _TITLES:
            return " ".join(_words(child).split())
        if name in _INFOS and (title := _title(child)):
            return title
    return ""


def _rows(table: Any) -> Iterator[str]:
    """Yield the title and each row of a table as a line."""
    if title := _title(table):
        yield title
    for row in table.iter("{*}*"):
        if _name(row) in _ROWS:
            cells = [" ".join(_words(cell).split()) for cell in _children(row)]
            if any(cells):
                yield " | ".join(cells)


def _is_mixed(element: Any) -> bool:
    """Whether words stand between the elements in it."""
    return bool(len(element)) and bool((element.text or "").strip() or any((c.tail or "").strip() for c in element))


def _words(element: Any) -> str:
    """Return the text of an element with white space collapsed, a line for each block in it."""
    lines = "".join(_strings(element)).split("\x1e")
    return "\n".join(filter(None, (" ".join(clean(line).split()) for line in lines)))


def _raw(element: Any) -> str:
    return clean("".join(_strings(element)).replace("\x1e", "\n"))


def _strings(element: Any) -> Iterator[str]:
    """Yield the texts in an element, a record separator where a block begins or ends."""
    yield element.text or ""
    for child in element:
        if not isinstance(child.tag, str):  # an entity that the file does not declare
            yield html_entities.unescape(child.text or "")
        elif _name(child) not in _DROPPED:
            edge = "\x1e" if _name(child) in _BLOCKS else " " if _name(child) == "tspan" else ""
            yield edge
            yield from _strings(child)
            yield edge
        yield child.tail or ""


def _attributes(element: Any) -> str:
    """Return the attributes that may say something, in a line: "id 5, language en"."""
    if element.tag.startswith(_SVG):
        return ""
    shown = (
        (name.rpartition("}")[2], value) for name, value in element.items() if not name.startswith("{http://www.w3")
    )
    return ", ".join(f"{name} {' '.join(clean(value).split())[:500]}" for name, value in shown if value.strip())


def _children(element: Any) -> Iterator[Any]:
    return (child for child in element if isinstance(child.tag, str))


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _label(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].replace("_", " ").replace("-", " ")
