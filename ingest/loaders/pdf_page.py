"""One page of a PDF: its text layer, or what Tesseract reads where the page is only a picture.

Both come in the same form: the text, and for each character the index of what it was read from, by which it is
found on the page again. A page whose pictures cover a good part of it and that has no text layer counts as a
scan; so does one with a few stray characters on a picture as large as the page.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

import pypdfium2

from ingest.loaders import pdf_ocr
from ingest.loaders.encoding import clean
from ingest.loaders.pdf_file import PDFIUM_LOCK, opened_page, opened_text
from ingest.loaders.pdf_hyphens import join_lines
from ingest.loaders.pdf_layout import Line
from ingest.loaders.pdf_text import MAX_PAGE_CHARS, Rect, read_text

State = Literal["text", "cut", "blank", "recognised", "scan", "failed"]

_STRAY = 16
"""So many visible characters on a picture as large as the page are no text layer."""
_PART_COVERED = 0.25
_ALL_COVERED = 0.8


class PageRead(NamedTuple):
    """A page as it was read.

    `indices` are PDFium's for each character, or numbers of `words` if the state is "recognised"; -1 for characters
    that stand nowhere. The state "cut" says that the page holds more text, "scan" that it has no text layer and
    Tesseract was not asked, "failed" that Tesseract read nothing in time.
    """

    state: State
    text: str
    indices: Sequence[int]
    lines: Sequence[Line]
    words: Sequence[tuple[Rect, tuple[int, int, int]]] = ()
    """Of a recognised page: the box of each word, and the line that it stands in."""


def read_page(pdf: pypdfium2.PdfDocument, index: int, recognise: bool) -> PageRead:
    """Read the page `index`, from 0, with Tesseract if it is a scan and `recognise` is true.

    Takes `PDFIUM_LOCK` itself, and not while Tesseract works. Raises `PdfiumError` if PDFium cannot load the page.
    """
    with PDFIUM_LOCK, opened_page(pdf, index) as page:
        with opened_text(page) as textpage:
            is_cut = textpage.count_chars() > MAX_PAGE_CHARS
            text, indices, lines = read_text(textpage)
        visible = sum(map(len, text.split())) if len(text) < 1000 else len(text)
        if visible > _STRAY:
            return PageRead("cut" if is_cut else "text", text, indices, lines)
        if pdf_ocr.covered(page) < (_ALL_COVERED if visible else _PART_COVERED):
            return PageRead("text" if visible else "blank", text, indices, lines)
        if not recognise:
            return PageRead("scan", text, indices, lines)
        picture = pdf_ocr.picture(page)
    try:
        return _recognised(picture, visible) or PageRead("failed", text, indices, lines)
    except (TimeoutError, OSError):
        return PageRead("failed", text, indices, lines)


def recognised_rects(page: PageRead, covered: Sequence[int]) -> list[Rect]:
    """Return the rectangles around the words with the numbers `covered`, those side by side in a line as one."""
    words = [page.words[number] for number in sorted(set(covered))]
    grouped = ([box for box, _ in group] for _, group in groupby(words, key=lambda word: word[1]))
    return [_around(boxes) for boxes in grouped]


def _around(boxes: Sequence[Rect]) -> Rect:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _recognised(picture: pdf_ocr.Picture, least: int) -> PageRead | None:
    """Return the page as Tesseract reads it, None if that is no more than `least` characters."""
    words = pdf_ocr.words(picture)
    if sum(len(word.text) for word in words) <= least:
        return None
    parts: list[str] = []
    indices: list[int] = []
    for number, word in enumerate(words):
        if number:
            same_line = (word.paragraph, word.line) == (words[number - 1].paragraph, words[number - 1].line)
            parts.append(" " if same_line else "\n")
            indices.append(-1)
        parts.append(clean(word.text))
        indices += [number] * len(word.text)
    text, indices = join_lines("".join(parts), indices)
    boxes = [(picture.place(word), (*word.paragraph, word.line)) for word in words]
    return PageRead("recognised", text + "\n", [*indices, -1], list(_lines(text, indices, words, picture)), boxes)


def _lines(
    text: str, indices: Sequence[int], words: Sequence[pdf_ocr.Word], picture: pdf_ocr.Picture
) -> Iterator[Line]:
    paragraph = None
    for match in re.finditer(r"\S(?:[^\n]*\S)?", text):
        first, last = words[indices[match.start()]], words[indices[match.end() - 1]]
        left, foot, end_foot, height = (
            length * picture.points for length in (first.left, -first.bottom, -last.bottom, first.bottom - first.top)
        )
        yield Line(match.start(), match.end(), left, foot, end_foot, height, first.paragraph != paragraph)
        paragraph = last.paragraph
