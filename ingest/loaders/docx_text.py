"""What of a Word document's XML is text that the reader sees, in the order in which it is read.

Text that is hidden, deleted, or moved away is left out, as are the page numbers that fields put into running heads and
the phonetic guides over East Asian words; insertions, content controls, text boxes and formulas (in one line, "a/b",
"x^2") are read.
"""

from collections.abc import Iterator
from typing import Any

from docx.oxml.ns import qn

from ingest.loaders.encoding import clean

P, TBL = qn("w:p"), qn("w:tbl")
VAL = qn("w:val")
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_R, _TEXT_BOX = qn("w:r"), qn("w:txbxContent")
_TEXTS = (qn("w:t"), _MATH + "t")
_SPACES = {
    qn("w:tab"): "\t",
    qn("w:ptab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_OPENING = {_MATH + "den": "/", _MATH + "sup": "^", _MATH + "sub": "_"}
"""What stands before a part of a formula."""
_FIELD, _FIELD_KIND = qn("w:fldChar"), qn("w:fldCharType")
_INSTRUCTION, _SIMPLE_FIELD = qn("w:instrText"), qn("w:fldSimple")
_PAGE_FIELDS = ("PAGE", "NUMPAGES", "SECTIONPAGES")
NOT_SHOWN = frozenset(
    (qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:sdtPr"), qn("w:tblPr"), qn("w:rt"))
) | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}


def content(parent: Any) -> Iterator[Any]:
    """Yield the paragraphs and tables below `parent`, those of content controls and text boxes too."""
    stack = [parent]
    while stack:
        element = stack.pop()
        if element.tag in (P, TBL):
            yield element
        if element.tag == P:
            stack.extend(reversed(list(_boxed(element))))
        elif element.tag != TBL and element.tag not in NOT_SHOWN:
            stack.extend(reversed(element))


def _boxed(paragraph: Any) -> Iterator[Any]:
    """Yield the text boxes anchored in a paragraph, once each."""
    for box in paragraph.iter(_TEXT_BOX):
        above = list(box.iterancestors())
        nearest = next(element for element in above if element.tag == P)
        if nearest is paragraph and not any(element.tag in NOT_SHOWN for element in above):
            yield box


def text_of(paragraph: Any) -> str:
    """Return the text that a paragraph shows, without that of text boxes anchored in it."""
    parts: list[str] = []
    fields: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        tag = element.tag
        if tag in _TEXTS:
            parts.append("" if any(map(_is_page_field, fields)) else element.text or "")
        elif tag in _SPACES:
            parts.append(_SPACES[tag])
        elif tag == _FIELD:
            _note_field(element, fields)
        elif tag == _INSTRUCTION:
            fields[-1:] = [fields[-1] + (element.text or "")] if fields else []
        elif tag not in NOT_SHOWN and tag != _TEXT_BOX and not _is_left_out(element):
            parts.append(_OPENING.get(tag, ""))
            stack.extend(reversed(element))
    return clean("".join(parts)).strip("\n")


def line_of(parent: Any) -> str:
    """Return all text below `parent`, nested tables and text boxes included, in one line."""
    found = (element for child in parent for element in content(child))
    return " ".join(" ".join(text_of(part) if part.tag == P else line_of(part) for part in found).split())


def value(element: Any, path: str) -> str | None:
    """Return the value of the property at `path` ("w:pPr/w:pStyle"), None if it is not given."""
    found = element.find("/".join(qn(step) for step in path.split("/")))
    return None if found is None else found.get(VAL)


def is_on(element: Any | None) -> bool:
    """Whether a property that is there or not (`w:vanish`) is there and not switched off."""
    return element is not None and element.get(VAL, "1") not in ("0", "false", "off")


def _note_field(mark: Any, fields: list[str]) -> None:
    """Keep `fields`, the instructions of the fields that are open."""
    kind = mark.get(_FIELD_KIND)
    if kind == "begin":
        fields.append("")
    elif kind == "end" and fields:
        fields.pop()


def _is_page_field(instruction: str) -> bool:
    return instruction.split()[:1] in ([name] for name in _PAGE_FIELDS)


def _is_left_out(element: Any) -> bool:
    """Whether an element is a hidden run or the number of a page."""
    if element.tag == _SIMPLE_FIELD:
        return _is_page_field(element.get(qn("w:instr"), ""))
    return element.tag == _R and is_on(element.find(f"{qn('w:rPr')}/{qn('w:vanish')}"))
