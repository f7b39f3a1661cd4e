"""A PDF opened, and its pages: every use of PDFium goes through here.

PDFium is not thread-safe: every call in this process, from any file, must hold `PDFIUM_LOCK`.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pypdfium2

from ingest.errors import UnreadableFile

PDFIUM_LOCK = threading.RLock()

_PASSWORD_ERROR = 4


@contextmanager
def opened(data: bytes, passwords: Sequence[str] = ()) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF: an encrypted one with the empty password or the first of `passwords` that fits.

    Raises `UnreadableFile` if it is broken or no password fits.
    """
    with PDFIUM_LOCK:
        pdf = _unlocked(data, passwords)
    try:
        yield pdf
    finally:
        with PDFIUM_LOCK:
            pdf.close()


@contextmanager
def opened_page(pdf: pypdfium2.PdfDocument, index: int) -> Iterator[pypdfium2.PdfPage]:
    """Open the page `index`, from 0. Raises `UnreadableFile` if there is none, `PdfiumError` if it is broken."""
    if not 0 <= index < len(pdf):
        raise UnreadableFile(f"expected one of {len(pdf)} pages, found page {index + 1} asked for")
    page = pdf[index]
    try:
        yield page
    finally:
        page.close()


@contextmanager
def opened_text(page: pypdfium2.PdfPage) -> Iterator[pypdfium2.PdfTextPage]:
    """Open the text layer of a page."""
    textpage = page.get_textpage()
    try:
        yield textpage
    finally:
        textpage.close()


def _unlocked(data: bytes, passwords: Sequence[str]) -> pypdfium2.PdfDocument:
    for password in dict.fromkeys(("", *passwords)):
        try:
            return pypdfium2.PdfDocument(data, password=password or None)
        except pypdfium2.PdfiumError as error:
            if error.err_code != _PASSWORD_ERROR:
                raise UnreadableFile(f"broken: PDFium cannot open the file: {error}") from error
        except UnicodeError:  # a password that no encoding of PDF can hold
            continue
    if passwords:
        raise UnreadableFile("encrypted: none of the given passwords opens it; give another with --password")
    raise UnreadableFile("encrypted: needs a password; give it with --password or save a copy without one")
