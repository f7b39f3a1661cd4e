"""PDF to text with pages, and the way back: from offsets to rectangles and a picture of the page.

PDFium (through pypdfium2) reads and draws. It is not thread-safe: every call in this process, from any file,
must hold `PDFIUM_LOCK`; here it is taken for a page at a time, so a viewer need not wait for a whole file.

The text of page k is `text[page_starts[k]:page_starts[k + 1]]` and exactly what `page_text` returns for it; it
ends with a line end. Text is taken in the order of the file; columns, running heads and hyphenation at line
ends are left as they are, and so are words that the page hides (the text layer of a scan is such). A page that
PDFium cannot load counts as an empty page.
"""

import ctypes
import io
import math
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pypdfium2
import pypdfium2.raw as pdfium_c

from ingest.errors import UnreadableFile
from ingest.loaders.encoding import clean
from ingest.loaders.pdf_layout import Line, blocks
from ingest.loaders.pdf_outline import place
from ingest.loaders.reading import Reading
from ingest.loaders.title import pick
from ingest.passage import Block, Document

Rect = tuple[float, float, float, float]
"""(left, bottom, right, top) in PDF points."""

PDFIUM_LOCK = threading.RLock()

_TWO_UNITS = re.compile("\r\n|[\ud800-\udbff][\udc00-\udfff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MAYBE_HYPHEN = re.compile("[\ufffe\x02]")
"""What PDFium puts for a hyphen at which it joined two lines, and for a glyph that has no character."""
_PASSWORD_ERROR = 4
_MOST_LOST = 500
_MOST_PIXELS = 20_000_000
_MOST_BOOKMARKS = 20_000
_YELLOW = (255, 235, 90)
_NOT_A_TITLE = re.compile(r"(?i)untitled|\(?anonymous\)?|microsoft \w+ - .*|.*\.\w{2,5}|.*[\\/].*|\S*slide \d+")


def load(source: str, data: bytes, reading: Reading = Reading()) -> Document:  # noqa: B008  frozen
    """Return a PDF as a `Document`. Raises `UnreadableFile` if it is broken, locked or has no text."""
    with _opened(data) as pdf:
        with PDFIUM_LOCK:
            pages, title, bookmarks = len(pdf), _title(pdf), _bookmarks(pdf)
        texts: list[str] = []
        found: list[Block] = []
        starts: list[int] = []
        at = lost = 0
        for index in range(pages):
            page = _read_page(pdf, index)
            lost += page is None
            if lost > _MOST_LOST:
                raise UnreadableFile(f"broken: more than {_MOST_LOST} of {pages} pages cannot be loaded")
            text, lines = page or ("\n", [])
            found += _moved(blocks(text, lines, place(text, lines, bookmarks.get(index, ()))), at)
            texts.append(text)
            starts.append(at)
            at += len(text)
    _refuse_textless(pages, lost, bool(found))
    return Document(source, "pdf", pick(source, [title]), "".join(texts), tuple(found), tuple(starts))


def page_text(textpage: pypdfium2.PdfTextPage) -> tuple[str, list[int]]:
    """Return the text of a page as stored, and for each of its characters PDFium's character index.

    The index is -1 for the line end that is added at the end of the page. The caller holds `PDFIUM_LOCK`.
    """
    units = _units(textpage)
    indices = list(range(len(units)))
    for match in reversed(list(_TWO_UNITS.finditer(units))):
        del indices[match.start() + (units[match.start()] != "\r")]
    text = _TWO_UNITS.sub(_one_char, units).replace("\r", "\n")
    return clean(_LONE_SURROGATE.sub("\ufffd", text)) + "\n", [*indices, -1]


def highlight_rects(data: bytes, page_index: int, start: int, end: int, expected: str) -> list[Rect]:
    """Return the rectangles that `expected` covers on a page, in PDF points; page_index counts from 0.

    `start` and `end` are offsets into the page's text. If that text does not hold exactly `expected` there,
    or the file cannot be read, nothing is returned: better no mark than a wrong one.
    """
    try:
        with PDFIUM_LOCK, _opened(data) as pdf, _page(pdf, page_index) as page, _textpage(page) as textpage:
            text, indices = page_text(textpage)
            if not 0 <= start < end <= len(text) or text[start:end] != expected:
                return []
            covered = [index for index in indices[start:end] if index >= 0]
            return _rects(textpage, covered[0], covered[-1]) if covered else []
    except (UnreadableFile, pypdfium2.PdfiumError):
        return []


def render_page(data: bytes, page_index: int, scale: float, rects: Sequence[Rect]) -> bytes:
    """Return a page as PNG, `scale` pixels to the point (less for a huge page), `rects` marked in yellow.

    Raises `UnreadableFile` if the file or the page cannot be read.
    """
    from PIL import Image, ImageChops, ImageDraw

    try:
        with PDFIUM_LOCK, _opened(data) as pdf, _page(pdf, page_index) as page:
            width, height = page.get_size()
            bitmap = page.render(scale=min(scale, math.sqrt(_MOST_PIXELS / max(1.0, width * height))))
            to_bitmap = bitmap.get_posconv(page).to_bitmap
            corners = [(*to_bitmap(left, top), *to_bitmap(right, bottom)) for left, bottom, right, top in rects]
            image = bitmap.to_pil().convert("RGB")
            bitmap.close()
    except pypdfium2.PdfiumError as error:
        raise UnreadableFile(f"broken: page {page_index + 1} cannot be drawn: {error}") from error
    marks = Image.new("RGB", image.size, "white")
    for x0, y0, x1, y1 in corners:
        ImageDraw.Draw(marks).rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), fill=_YELLOW)
    png = io.BytesIO()
    ImageChops.multiply(image, marks).save(png, "PNG")
    return png.getvalue()


@contextmanager
def _opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF, with the empty password if it is encrypted."""
    with PDFIUM_LOCK:
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if error.err_code == _PASSWORD_ERROR:
                raise UnreadableFile("encrypted: needs a password; save a copy without one") from error
            raise UnreadableFile(f"broken: PDFium cannot open the file: {error}") from error
    try:
        yield pdf
    finally:
        with PDFIUM_LOCK:
            pdf.close()


@contextmanager
def _page(pdf: pypdfium2.PdfDocument, index: int) -> Iterator[pypdfium2.PdfPage]:
    if not 0 <= index < len(pdf):
        raise UnreadableFile(f"expected one of {len(pdf)} pages, found page {index + 1} asked for")
    page = pdf[index]
    try:
        yield page
    finally:
        page.close()


@contextmanager
def _textpage(page: pypdfium2.PdfPage) -> Iterator[pypdfium2.PdfTextPage]:
    textpage = page.get_textpage()
    try:
        yield textpage
    finally:
        textpage.close()


def _read_page(pdf: pypdfium2.PdfDocument, index: int) -> tuple[str, list[Line]] | None:
    """Return the text and the lines of a page, None if it cannot be loaded."""
    try:
        with PDFIUM_LOCK, _page(pdf, index) as page, _textpage(page) as textpage:
            text, indices = page_text(textpage)
            return text, list(_lines(textpage, text, indices))
    except pypdfium2.PdfiumError:
        return None


def _units(textpage: pypdfium2.PdfTextPage) -> str:
    """Return PDFium's characters, which are UTF-16 units, one by one; hyphens at joined lines are "-"."""
    count = textpage.count_chars()
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium_c.FPDFText_GetText(textpage, 0, count, buffer) - 1 if count else 0
    if written == count:
        units = "".join(map(chr, buffer[:count]))
    else:  # the text in bulk lacks some of the characters that PDFium counts
        codes = (pdfium_c.FPDFText_GetUnicode(textpage, index) for index in range(count))
        units = "".join(chr(min(code, 0xFFFF)) for code in codes)

    def hyphen_or_space(match: re.Match[str]) -> str:
        return "-" if pdfium_c.FPDFText_IsHyphen(textpage, match.start()) == 1 else " "

    return _MAYBE_HYPHEN.sub(hyphen_or_space, units)


def _one_char(match: re.Match[str]) -> str:
    """Return the line end or the character beyond U+FFFF that two units stand for."""
    first, second = match[0][0], match[0][1]
    return "\n" if first == "\r" else chr(0x10000 + ((ord(first) - 0xD800) << 10) + (ord(second) - 0xDC00))


def _lines(textpage: pypdfium2.PdfTextPage, text: str, indices: Sequence[int]) -> Iterator[Line]:
    for match in re.finditer(r"\S(?:[^\n]*\S)?", text):
        left, bottom, _, top = _box(textpage, indices[match.start()])
        _, end_y, _, _ = _box(textpage, indices[match.end() - 1])
        yield Line(match.start(), match.end(), left, bottom, end_y, top - bottom)


def _box(textpage: pypdfium2.PdfTextPage, index: int) -> Rect:
    try:
        left, bottom, right, top = textpage.get_charbox(index, loose=True)
    except pypdfium2.PdfiumError:
        return 0.0, 0.0, 0.0, 0.0
    return left, bottom, right, top


def _rects(textpage: pypdfium2.PdfTextPage, first: int, last: int) -> list[Rect]:
    count = textpage.count_rects(first, last - first + 1)  # get_rect answers for the latest count
    rects = [textpage.get_rect(index) for index in range(count)]
    return [rect for rect in rects if rect[0] < rect[2] and rect[1] < rect[3]]


def _moved(found: Iterator[Block], by: int) -> Iterator[Block]:
    for block in found:
        yield Block(block.start + by, block.end + by, block.kind, block.level, block.title)


def _title(pdf: pypdfium2.PdfDocument) -> str:
    """Return the title in the file's own data if it looks like one."""
    try:
        title = clean(pdf.get_metadata_value("Title")).strip()
    except UnicodeError:
        return ""
    wordy = sum(char.isalpha() for char in title) > 2 and title.isprintable()
    return "" if not wordy or _NOT_A_TITLE.fullmatch(title) else title


def _bookmarks(pdf: pypdfium2.PdfDocument) -> dict[int, list[tuple[str, int]]]:
    """Return (title, level) of the bookmarks by the page that they point to, levels from 1."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for number, bookmark in enumerate(pdf.get_toc()):
        if number == _MOST_BOOKMARKS:
            break
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        with suppress(UnicodeError):
            if page is not None:
                found[page].append((bookmark.get_title(), bookmark.level + 1))
    return found


def _refuse_textless(pages: int, lost: int, has_text: bool) -> None:
    if has_text:
        return
    if lost == pages:
        raise UnreadableFile(f"broken: none of {pages} pages can be loaded")
    looks = "1 page looks" if pages == 1 else f"{pages} pages look"
    raise UnreadableFile(f"no text layer: {looks} scanned; run OCR on the file and ingest the result")
