"""PowerPoint presentations (.pptx) to text: a page for each slide, numbered as PowerPoint numbers them.

A slide's title is its heading; then come its shapes in the order in which they are drawn: points as lists indented by
level, tables as lines that name their columns, the numbers behind charts, the words of diagrams, then comments and the
speaker's notes ("Notes: ..."). Hidden slides are read like others, since they count and whoever has the file may see
them; hidden shapes are not. Footers and dates stand on the first slide that has them, slide numbers nowhere. What
layouts and masters show behind the slides, and text inside pictures, is not read; slides that are little but pictures
are named in the warnings.
"""

import io
from collections.abc import Iterator
from typing import Any

from ingest.errors import UnreadableFile
from ingest.loaders.archive import parse_xml, refuse_bomb, refuse_entities
from ingest.loaders.compose import Piece
from ingest.loaders.drawing import A
from ingest.loaders.encoding import clean
from ingest.loaders.pptx_shapes import NUMBER, RUNNING, P, is_title, placeholder, shape_pieces, shapes, text_of
from ingest.loaders.slides import Slide, slides_document
from ingest.passage import Document

_RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MEANINGLESS = ("powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint", "presentation")
"""Titles that PowerPoint gives to a file whose author gave it none."""
_LITTLE_TEXT = 40
_SHOWN_NUMBERS = 20


def load(source: str, data: bytes) -> Document:
    """Return a presentation as a `Document`. Raises `UnreadableFile` if it is broken or blown up."""
    from pptx.package import Package

    refuse_bomb(data)
    main = Package.open(io.BytesIO(data)).main_document_part
    if not hasattr(main, "presentation"):
        raise UnreadableFile(f"expected a presentation, found a file of type {main.content_type}")
    refuse_entities(main._element)
    reader = _Reader(main)
    slides = [reader.read(number, part) for number, part in enumerate(_slide_parts(main), start=1)]
    title = clean(main.package.core_properties.title or "")
    titles = [] if " ".join(title.lower().split()) in _MEANINGLESS else [title]
    return slides_document(source, "pptx", titles, slides, reader.warnings())


def _slide_parts(main: Any) -> Iterator[Any]:
    """Yield the parts of the slides in order, None for one that is missing."""
    for entry in main._element.iterfind(f"{P}sldIdLst/{P}sldId"):
        relation = main.rels.get(entry.get(_RELATIONS + "id"))
        yield None if relation is None or relation.is_external else relation.target_part


class _Reader:
    """Reads slide after slide, and remembers what they repeat and what could not be read."""

    def __init__(self, main: Any) -> None:
        self._authors = _authors(main)
        self._running: set[str] = set()
        self._pictures: list[int] = []
        self._failed: list[str] = []

    def read(self, number: int, part: Any) -> Slide:
        """Return slide `number`, which counts from 1."""
        if part is None:
            self._failed.append(f"slide {number} is missing from the file")
            return Slide("", [])
        refuse_entities(part._element)
        found = list(shapes(part._element.find(f"{P}cSld/{P}spTree")))
        heading = next((shape for shape in found if is_title(shape) and text_of(shape)), None)
        pieces = [piece for shape in found if shape is not heading for piece in self._pieces(number, shape, part)]
        seen = any(shape.tag == P + "pic" for shape in found)
        if seen and sum(len(piece.text) for piece in pieces) < _LITTLE_TEXT:
            self._pictures.append(number)
        title = "" if heading is None else " ".join(text_of(heading).split())
        return Slide(title, [*pieces, *self._comments(part), *_notes(part)])

    def warnings(self) -> list[str]:
        """Return a line for each kind of thing that could not be read."""
        if not self._pictures:
            return self._failed
        shown = ", ".join(map(str, self._pictures[:_SHOWN_NUMBERS]))
        more = " and others" if len(self._pictures) > _SHOWN_NUMBERS else ""
        return [*self._failed, f"not read: text in pictures, on slides with little other text: {shown}{more}"]

    def _pieces(self, number: int, shape: Any, part: Any) -> list[Piece]:
        kind = placeholder(shape)
        if kind == NUMBER:
            return []
        if kind in RUNNING:
            text = text_of(shape)
            known = text in self._running
            self._running.add(text)
            return [] if known else [Piece(text)]
        if any(child.tag == P + "oleObj" for child in shape.iter()):
            self._failed.append(f"not read: an embedded document on slide {number}")
        try:
            return list(shape_pieces(shape, part))
        except (KeyError, UnreadableFile) as error:
            self._failed.append(f"not read: a chart or diagram on slide {number}: {error}")
            return []

    def _comments(self, part: Any) -> Iterator[Piece]:
        for root in _related(part, "/comments"):
            for comment in root.iter("{*}cm"):
                author = self._authors.get(comment.get("authorId", ""), "")
                parts = comment.findall(P + "text") or comment.findall(f"{{*}}txBody//{A}t")
                text = " ".join(clean(" ".join(part.text or "" for part in parts)).split())
                if text:
                    yield Piece(f"Comment by {author}: {text}" if author else f"Comment: {text}")


def _authors(main: Any) -> dict[str, str]:
    roots = (root for kind in ("/commentAuthors", "/authors") for root in _related(main, kind))
    return {author.get("id", ""): " ".join(author.get("name", "").split()) for root in roots for author in root}


def _notes(part: Any) -> Iterator[Piece]:
    for root in _related(part, "/notesSlide"):
        for shape in root.iter(P + "sp"):
            if placeholder(shape) == "body" and (text := text_of(shape)):
                yield Piece(f"Notes: {text}")


def _related(part: Any, kind: str) -> Iterator[Any]:
    """Yield the roots of the parts whose relation to `part` ends with `kind`."""
    for relation in part.rels.values():
        if relation.reltype.endswith(kind) and not relation.is_external:
            yield parse_xml(relation.target_part.blob)
