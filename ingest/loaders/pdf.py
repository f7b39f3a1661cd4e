"""PDF to text with pages; `pdf_view` leads back from offsets to rectangles on a page.

The text of page k is `text[page_starts[k]:page_starts[k + 1]]` and exactly what `pdf_page.read_page` returns for it;
it ends with a line end and follows from that page alone. Columns are read one after the other, words that a hyphen
divides at a line end are joined. Running heads, footers and page numbers stay in the text but are in no block, so
that no passage holds them. Scanned pages are read with Tesseract if it is installed, at most `MAX_RECOGNISED` of a
file; of longer files than `MAX_PAGES` the first pages are read. What was not read, or only recognised, is told in
`Document.warnings`; a page that PDFium cannot load counts as empty.

The lock of PDFium is taken for a page at a time, so a viewer need not wait for a whole file.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import pypdfium2

from ingest.errors import UnreadableFile
from ingest.loaders import pdf_ocr
from ingest.loaders.encoding import clean
from ingest.loaders.pdf_file import PDFIUM_LOCK, opened
from ingest.loaders.pdf_layout import Line, blocks
from ingest.loaders.pdf_outline import place
from ingest.loaders.pdf_page import read_page
from ingest.loaders.pdf_running import running_lines
from ingest.loaders.pdf_text import page_text
from ingest.loaders.pdf_view import highlight_rects, render_page
from ingest.loaders.pdf_warnings import refuse_textless, warnings
from ingest.loaders.reading import Reading
from ingest.loaders.title import pick
from ingest.passage import Block, Document

__all__ = ["MAX_PAGES", "MAX_RECOGNISED", "PDFIUM_LOCK", "highlight_rects", "load", "page_text", "render_page"]

MAX_PAGES = 5000
"""Of a longer file, so many pages from the first on are read."""
MAX_RECOGNISED = 200
"""So many scanned pages of a file are read with Tesseract, which takes some seconds for each."""

_MOST_LOST = 500
_MOST_BOOKMARKS = 20_000
_NOT_A_TITLE = re.compile(r"(?i)untitled|\(?anonymous\)?|microsoft \w+ - .*|.*\.\w{2,5}|.*[\\/].*|\S*slide \d+")

_Bookmarks = dict[int, list[tuple[str, int]]]


class _Read(NamedTuple):
    """What is kept of a page; `state` is that of `pdf_page`, or "lost"."""

    state: str
    text: str
    lines: Sequence[Line]


def load(source: str, data: bytes, reading: Reading = Reading()) -> Document:  # noqa: B008  frozen
    """Return a PDF as a `Document`. Raises `UnreadableFile` if it is broken, locked or has no text."""
    with opened(data, reading.passwords) as pdf:
        with PDFIUM_LOCK:
            count, title, bookmarks = len(pdf), _title(pdf), _bookmarks(pdf)
        pages = list(_pages(pdf, min(count, MAX_PAGES), reading.tick))
    found, starts = _structure(pages, bookmarks)
    states = [page.state for page in pages]
    refuse_textless(states, bool(found))
    text = "".join(page.text for page in pages)
    told = tuple(warnings(states, count, MAX_RECOGNISED))
    return Document(source, "pdf", pick(source, [title]), text, tuple(found), tuple(starts), warnings=told)


def _pages(pdf: pypdfium2.PdfDocument, count: int, tick: Callable[[], None]) -> Iterator[_Read]:
    can_recognise, recognised, lost = pdf_ocr.available(), 0, 0
    for index in range(count):
        try:
            page = read_page(pdf, index, can_recognise and recognised < MAX_RECOGNISED)
            recognised += page.state in ("recognised", "failed")
            if page.state == "recognised":
                tick()
            yield _Read(page.state, page.text, page.lines)
        except pypdfium2.PdfiumError as error:
            lost += 1
            if lost > _MOST_LOST:
                raise UnreadableFile(f"broken: more than {_MOST_LOST} of {count} pages cannot be loaded") from error
            yield _Read("lost", "\n", [])


def _structure(pages: Sequence[_Read], bookmarks: _Bookmarks) -> tuple[list[Block], list[int]]:
    """Return the blocks of all pages, and where each page starts."""
    found: list[Block] = []
    starts: list[int] = []
    at = 0
    running = running_lines([(page.text, page.lines) for page in pages])
    for index, (page, left_out) in enumerate(zip(pages, running, strict=True)):
        headings = place(page.text, page.lines, bookmarks.get(index, ()), left_out)
        found += _moved(blocks(page.text, page.lines, headings, left_out), at)
        starts.append(at)
        at += len(page.text)
    return found, starts


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


def _bookmarks(pdf: pypdfium2.PdfDocument) -> _Bookmarks:
    """Return (title, level) of the bookmarks by the page that they point to, levels from 1."""
    found: _Bookmarks = defaultdict(list)
    for number, bookmark in enumerate(pdf.get_toc()):
        if number == _MOST_BOOKMARKS:
            break
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        with suppress(UnicodeError):
            if page is not None:
                found[page].append((bookmark.get_title(), bookmark.level + 1))
    return found
