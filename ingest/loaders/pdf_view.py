"""From offsets back to the page: the rectangles that words cover, and a picture of the page with them marked."""

import io
import math
from collections.abc import Iterator, Sequence

import pypdfium2

from ingest.errors import UnreadableFile
from ingest.loaders import pdf_ocr
from ingest.loaders.pdf_file import PDFIUM_LOCK, opened, opened_page, opened_text
from ingest.loaders.pdf_page import read_page, recognised_rects
from ingest.loaders.pdf_text import Rect

_MOST_PIXELS = 20_000_000
_YELLOW = (255, 235, 90)


def highlight_rects(
    data: bytes, page_index: int, start: int, end: int, expected: str, passwords: Sequence[str] = ()
) -> list[Rect]:
    """Return the rectangles that `expected` covers on a page, in PDF points; page_index counts from 0.

    `start` and `end` are offsets into the page's text. If that text does not hold exactly `expected` there,
    or the file cannot be read, or other words stand under the rectangles too (letters at an angle, one text drawn over
    another), nothing is returned: better no mark than a wrong one. A scanned page is read with
    Tesseract again (seconds, unless it was among the latest ones); on it, whole words are marked.
    """
    try:
        with opened(data, passwords) as pdf:
            read = read_page(pdf, page_index, pdf_ocr.available())
            if not 0 <= start < end <= len(read.text) or read.text[start:end] != expected:
                return []
            covered = [index for index in read.indices[start:end] if index >= 0]
            if read.state == "recognised":
                return recognised_rects(read, covered)
            with PDFIUM_LOCK, opened_page(pdf, page_index) as page, opened_text(page) as textpage:
                by_line = [rect for run in _runs(covered) for rect in _rects(textpage, *run)]
                if not _strangers(textpage, covered, by_line):
                    return by_line
                by_character = [box for box in (textpage.get_charbox(index) for index in covered) if _has_area(box)]
                return [] if _strangers(textpage, covered, by_character) else by_character
    except (UnreadableFile, pypdfium2.PdfiumError):
        return []


def render_page(
    data: bytes, page_index: int, scale: float, rects: Sequence[Rect], passwords: Sequence[str] = ()
) -> bytes:
    """Return a page as PNG, `scale` pixels to the point (less for a huge page), `rects` marked in yellow.

    Raises `UnreadableFile` if the file or the page cannot be read.
    """
    from PIL import Image, ImageChops, ImageDraw

    try:
        with PDFIUM_LOCK, opened(data, passwords) as pdf, opened_page(pdf, page_index) as page:
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


def _runs(indices: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of indices that follow each other."""
    first = last = -2
    for index in sorted(set(indices)):
        if index > last + 1:
            if first >= 0:
                yield first, last
            first = index
        last = index
    if first >= 0:
        yield first, last


def _rects(textpage: pypdfium2.PdfTextPage, first: int, last: int) -> list[Rect]:
    count = textpage.count_rects(first, last - first + 1)  # get_rect answers for the latest count
    rects = [textpage.get_rect(index) for index in range(count)]
    return [rect for rect in rects if _has_area(rect)]


def _has_area(rect: Rect) -> bool:
    return rect[0] < rect[2] and rect[1] < rect[3]


def _strangers(textpage: pypdfium2.PdfTextPage, covered: Sequence[int], rects: Sequence[Rect]) -> int:
    """Return how many letters and digits besides those `covered` have their middle under the rectangles.

    The letters of a ligature stand at one place and are none, nor is a letter that is drawn twice to make it bold.
    """
    own, known = set(covered), {_seen_at(textpage, index) for index in covered}
    places = {_middle(textpage, index) for index in covered}
    count = 0
    for index in range(textpage.count_chars()):
        x, y = _middle(textpage, index)
        if index in own or (x, y) in places or not any(_holds(rect, x, y) for rect in rects):
            continue
        char, across, up = _seen_at(textpage, index)
        again = any((char, across + dx, up + dy) in known for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        count += char.isalnum() and not again
    return count


def _holds(rect: Rect, x: float, y: float) -> bool:
    return rect[0] <= x <= rect[2] and rect[1] <= y <= rect[3]


def _middle(textpage: pypdfium2.PdfTextPage, index: int) -> tuple[float, float]:
    left, bottom, right, top = textpage.get_charbox(index)
    return (left + right) / 2, (bottom + top) / 2


def _seen_at(textpage: pypdfium2.PdfTextPage, index: int) -> tuple[str, int, int]:
    """Return a character and roughly where it stands, in PDF points."""
    x, y = _middle(textpage, index)
    return chr(pypdfium2.raw.FPDFText_GetUnicode(textpage, index)), round(x / 2), round(y / 2)
