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
    or the file cannot be read, nothing is returned: better no mark than a wrong one. A scanned page is read with
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
                return [rect for run in _runs(covered) for rect in _rects(textpage, *run)]
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
    return [rect for rect in rects if rect[0] < rect[2] and rect[1] < rect[3]]
