"""Rich Text Format (.rtf) to text: paragraphs, headings, lists, tables and notes, as `rtf_reader` finds them.

Headings are told by their outline level or a style named "heading 1"; a row of a table is a line that names its
columns. Footnotes, endnotes and text boxes follow their paragraph; comments, and headers and footers once each, make up
sections at the end. Pictures and embedded documents are not read, which the warnings say. The text of a formula is
read without its form. Pages are not known.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from ingest.errors import UnreadableFile
from ingest.loaders.compose import Piece, compose, list_pieces
from ingest.loaders.rtf_body import Paragraph, Row
from ingest.loaders.rtf_reader import Reader
from ingest.loaders.table import read_table
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document


def load(source: str, data: bytes) -> Document:
    r"""Return an RTF file as a `Document`. Raises `UnreadableFile` if it does not begin with `{\rtf`."""
    data = data.lstrip(b"\xef\xbb\xbf\0\t\r\n ")
    if not data.startswith(b"{\\rtf"):
        raise UnreadableFile(r"broken: expected an RTF document, which begins with {\rtf, found something else")
    found = Reader(data)
    pieces = list(_pieces(found.body.content))
    heading = first_heading(compose(pieces)[1])
    for name, lines in (("Comments", found.comments), ("Headers and footers", list(found.running))):
        if lines:
            pieces += [Piece(name, "heading", 1), *map(Piece, lines)]
    text, blocks = compose(pieces)
    return Document(source, "rtf", pick(source, [found.title, heading]), text, blocks, warnings=tuple(_unread(found)))


def _pieces(content: list[Paragraph | Row]) -> Iterator[Piece]:
    for kind, group in groupby(content, key=_kind):
        if kind == "table":
            yield from _table([row for row in group if isinstance(row, Row)])
            continue
        paragraphs = [paragraph for paragraph in group if isinstance(paragraph, Paragraph)]
        if kind == "list":
            yield from list_pieces([_item(paragraph) for paragraph in paragraphs])
        for paragraph in paragraphs if kind == "text" else ():
            is_heading = paragraph.level and paragraph.text.strip()
            text = " ".join(paragraph.text.split()) if is_heading else paragraph.text
            yield Piece(text, "heading", paragraph.level) if is_heading else Piece(text)
            yield from map(Piece, paragraph.aside)


def _kind(part: Paragraph | Row) -> str:
    if isinstance(part, Row):
        return "table"
    return "list" if part.marker and not part.level and part.text.strip() else "text"


def _item(paragraph: Paragraph) -> str:
    indent = "  " * paragraph.depth
    lines = "\n".join([paragraph.text.strip(), *paragraph.aside]).replace("\n", f"\n  {indent}")
    return f"{indent}{paragraph.marker} {lines}"


def _table(rows: list[Row]) -> Iterator[Piece]:
    lines = read_table(list(_filled(rows)), usual=rows[0].is_header)
    yield Piece("\n".join(line.text for line in lines), "table")
    yield from (Piece(text) for row in rows for text in row.aside)


def _filled(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Yield the cells of each row; one that goes on from above has the text that began there."""
    above: list[str] = []
    for row in rows:
        cells = [(above[i] if i < len(above) else "") if cell is None else cell for i, cell in enumerate(row.cells)]
        yield cells
        above = cells


def _unread(found: Reader) -> Iterator[str]:
    if found.is_cut:
        yield "the file ends in the middle: what would have followed is missing"
    for count, name in ((found.pictures, "picture"), (found.objects, "embedded document")):
        if count:
            yield f"not read: {count} {name}{'s' if count > 1 else ''}"
