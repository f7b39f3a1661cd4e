"""What a Word document holds beside the text of its body: notes, comments, headers and footers, charts and diagrams."""

from collections.abc import Iterator
from typing import Any

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn

from ingest.loaders.archive import parse_xml
from ingest.loaders.compose import Piece
from ingest.loaders.docx_text import P, content, line_of, text_of
from ingest.loaders.drawing import A, chart_pieces, diagram_pieces

_ID, _TYPE, _AUTHOR = qn("w:id"), qn("w:type"), qn("w:author")
_NOTES = (
    (RELATIONSHIP_TYPE.FOOTNOTES, qn("w:footnote"), qn("w:footnoteReference"), "Footnote"),
    (RELATIONSHIP_TYPE.ENDNOTES, qn("w:endnote"), qn("w:endnoteReference"), "Endnote"),
)
_RUNNING = (RELATIONSHIP_TYPE.HEADER, RELATIONSHIP_TYPE.FOOTER)
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_LEAST_PICTURE = 3 * 360_000
"""Pictures with a side shorter than this (3 cm, in the unit of the format) are taken for ornaments."""


class Notes:
    """The footnotes and endnotes of a document, each given out once."""

    def __init__(self, opened: Any) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        for relation, tag, reference, name in _NOTES:
            for root in _related(opened, (relation,)):
                for note in root.iter(tag):
                    text = "" if note.get(_TYPE, "normal") != "normal" else line_of(note)
                    if text:
                        self._texts[reference, note.get(_ID, "")] = f"{name}: {text}"

    def of(self, element: Any) -> list[str]:
        """Return the notes that a paragraph or a table refers to, in order."""
        if not self._texts:
            return []
        references = element.iter(*(reference for _, _, reference, _ in _NOTES))
        found = (self._texts.pop((reference.tag, reference.get(_ID, "")), "") for reference in references)
        return [text for text in found if text]


def comments(opened: Any) -> Iterator[Piece]:
    """Yield a section "Comments": one piece for each comment, with the name of its author if it has one."""
    said = []
    for root in _related(opened, (RELATIONSHIP_TYPE.COMMENTS,)):
        for comment in root.iter(qn("w:comment")):
            author = " ".join(comment.get(_AUTHOR, "").split())
            if text := line_of(comment):
                said.append(Piece(f"{author}: {text}" if author else text))
    if said:
        yield Piece("Comments", "heading", 1)
        yield from said


def running_heads(opened: Any) -> Iterator[Piece]:
    """Yield a section "Headers and footers": each line that differs from the others by more than numbers, once."""
    lines: dict[str, str] = {}
    for root in _related(opened, _RUNNING):
        for element in content(root):
            line = " ".join(text_of(element).split()) if element.tag == P else line_of(element)
            words = "".join(char for char in line.casefold() if char.isalpha())
            if words and not (len(line.split()) < 3 and _has_page_field(element)):
                lines.setdefault(words, line)
    if lines:
        yield Piece("Headers and footers", "heading", 1)
        yield from map(Piece, lines.values())


def drawings(element: Any, part: Any) -> Iterator[Piece]:
    """Yield the charts and diagrams that stand in a paragraph or a table of `part`."""
    for found in element.iter(_CHART, _DIAGRAM):
        target = _drawn(found, part)
        if target is not None:
            root = parse_xml(target.blob)
            yield from chart_pieces(root) if found.tag == _CHART else diagram_pieces(root)


def unread(body: Any, part: Any) -> tuple[str, ...]:
    """Return a warning for each kind of thing in the body that holds what is not read."""
    kinds = [data for data in body.iter(A + "graphicData") if data.get("uri", "").endswith("/picture")]
    counts = (
        (sum(map(_is_large, kinds)), "picture"),
        (sum(1 for found in body.iter(_CHART, _DIAGRAM) if _drawn(found, part) is None), "drawing"),
        (sum(1 for _ in body.iter(qn("w:object"), qn("w:altChunk"))), "embedded document"),
    )
    return tuple(f"not read: {count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)


def _drawn(reference: Any, part: Any) -> Any:
    """Return the part that a chart or diagram refers to, None if it is missing."""
    relation = part.rels.get(reference.get(_R + ("id" if reference.tag == _CHART else "dm")))
    return None if relation is None or relation.is_external else relation.target_part


def _is_large(data: Any) -> bool:
    sizes = (extent for above in data.iterancestors() for extent in above.findall(_WP + "extent"))
    extent = next(sizes, None)
    sides = [extent.get(side, "") for side in ("cx", "cy")] if extent is not None else [""]
    return all(side.isdecimal() and int(side) >= _LEAST_PICTURE for side in sides)


def _has_page_field(element: Any) -> bool:
    simple = (field.get(qn("w:instr"), "") for field in element.iter(qn("w:fldSimple")))
    return "PAGE" in " ".join([*simple, *(part.text or "" for part in element.iter(qn("w:instrText")))])


def _related(opened: Any, relations: tuple[str, ...]) -> Iterator[Any]:
    """Yield the roots of the parts that stand in one of the relations to the document."""
    for relation in opened.part.rels.values():
        if relation.reltype in relations and not relation.is_external:
            yield parse_xml(relation.target_part.blob)
