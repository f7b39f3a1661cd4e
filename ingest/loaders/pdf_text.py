"""The text layer of a PDF page: its characters in reading order, each with PDFium's index for it, and its lines.

What is returned follows from the page alone, so that offsets into it can be led back to places on the page later.
PDFium gives letters for ligatures and for Arabic presentation forms; both letters of "ﬁ" then stand at one place.
Text is taken in the order of the file unless columns say otherwise; words that the page hides are text too (the
text layer of a scan is such). Of a page that holds more than `MAX_PAGE_CHARS` characters the first are taken.
"""

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import pypdfium2
import pypdfium2.raw as pdfium_c

from ingest.loaders.encoding import clean
from ingest.loaders.pdf_columns import reading_order
from ingest.loaders.pdf_hyphens import join_lines
from ingest.loaders.pdf_layout import Line

MAX_PAGE_CHARS = 500_000

Rect = tuple[float, float, float, float]
"""(left, bottom, right, top) in PDF points."""
Box = Callable[[int], Rect]
"""PDFium's index of a character -> its box as the page is shown, upright; zeros if it has none."""

_JOINED = "\x02"
_MORE_OR_LESS = re.compile("\r\n|[\ud800-\udbff][\udc00-\udfff]|" + _JOINED)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MAYBE_HYPHEN = re.compile("[\ufffe\x02]")
"""What PDFium puts for a hyphen at which it joined two lines, and for a glyph that has no character."""
_NO_BOX = (0.0, 0.0, 0.0, 0.0)


def page_text(textpage: pypdfium2.PdfTextPage) -> tuple[str, list[int]]:
    """Return the text of a page as stored, and for each of its characters PDFium's character index.

    The index is -1 for line ends that PDFium has not: the one at the end of the page and those between columns.
    Hyphens at line ends are gone where they only divide a word. The caller holds `PDFIUM_LOCK`.
    """
    text, indices, _ = read_text(textpage)
    return text, indices


def read_text(textpage: pypdfium2.PdfTextPage) -> tuple[str, list[int], list[Line]]:
    """Return what `page_text` does, and the lines of the page."""
    box = _boxes(textpage)
    text, indices = _characters(_units(textpage))
    spans = reading_order(text, indices, box)
    if spans is not None:
        indices = [index for start, end in spans for index in (*indices[start:end], -1)][:-1]
        text = "\n".join(text[start:end] for start, end in spans)
    text, indices = join_lines(text, indices)
    return text + "\n", [*indices, -1], list(_lines(text, indices, box))


def _characters(units: str) -> tuple[str, list[int]]:
    """Return the characters that PDFium's units stand for; a hyphen at a joined line gets its line end back."""
    parts: list[str] = []
    indices: list[int] = []
    at = 0
    for match in _MORE_OR_LESS.finditer(units):
        parts += units[at : match.start()], _stands_for(match[0])
        indices += range(at, match.start() + 1)
        indices += (-1,) if match[0] == _JOINED else ()
        at = match.end()
    indices += range(at, len(units))
    text = ("".join(parts) + units[at:]).replace("\r", "\n").replace("\xad", "-")
    return clean(_LONE_SURROGATE.sub("\ufffd", text)), indices


def _stands_for(units: str) -> str:
    if units in ("\r\n", _JOINED):
        return "\n" if units == "\r\n" else "-\n"
    return chr(0x10000 + ((ord(units[0]) - 0xD800) << 10) + (ord(units[1]) - 0xDC00))


def _units(textpage: pypdfium2.PdfTextPage) -> str:
    """Return PDFium's characters, which are UTF-16 units, one by one; `_JOINED` for a hyphen at a joined line."""
    count = min(textpage.count_chars(), MAX_PAGE_CHARS)
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium_c.FPDFText_GetText(textpage, 0, count, buffer) - 1 if count else 0
    if written == count:
        units = "".join(map(chr, buffer[:count]))
    else:  # the text in bulk lacks some of the characters that PDFium counts
        codes = (pdfium_c.FPDFText_GetUnicode(textpage, index) for index in range(count))
        units = "".join(chr(min(code, 0xFFFF)) for code in codes)

    def hyphen_or_space(match: re.Match[str]) -> str:
        return _JOINED if pdfium_c.FPDFText_IsHyphen(textpage, match.start()) == 1 else " "

    return _MAYBE_HYPHEN.sub(hyphen_or_space, units)


def _boxes(textpage: pypdfium2.PdfTextPage) -> Box:
    rectangle = pdfium_c.FS_RECTF()
    pointer = ctypes.byref(rectangle)
    raw = textpage.raw
    rotation = textpage.page.get_rotation()

    @cache
    def box(index: int) -> Rect:
        if not pdfium_c.FPDFText_GetLooseCharBox(raw, index, pointer):
            return _NO_BOX
        found = rectangle.left, rectangle.bottom, rectangle.right, rectangle.top
        return _upright(found, rotation) if rotation else found

    return box


def _upright(box: Rect, rotation: int) -> Rect:
    """Return the box as the page is shown, but for where the origin is."""
    left, bottom, right, top = box
    match rotation:
        case 90:
            return bottom, -right, top, -left
        case 180:
            return -right, -top, -left, -bottom
        case 270:
            return -top, left, -bottom, right
    return box


def _lines(text: str, indices: Sequence[int], box: Box) -> Iterator[Line]:
    for match in re.finditer(r"\S(?:[^\n]*\S)?", text):
        left, bottom, _, top = box(indices[match.start()])
        _, end_y, _, _ = box(indices[match.end() - 1])
        yield Line(match.start(), match.end(), left, bottom, end_y, top - bottom)
