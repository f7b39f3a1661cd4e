"""What is said about pages of a PDF that were not read, or only by OCR: one line for each reason."""

from collections.abc import Iterator, Sequence

from ingest.errors import UnreadableFile
from ingest.loaders import pdf_ocr
from ingest.loaders.pdf_text import MAX_PAGE_CHARS

_NAMED = 10
"""So many page numbers are listed."""
_INSTALL = "install Tesseract (tesseract-ocr) and ingest again, or run OCR on the file and ingest the result"


def refuse_textless(states: Sequence[str], has_text: bool) -> None:
    """Raise `UnreadableFile` with the reason if no page has text. `states` are those of the pages."""
    if has_text:
        return
    pages = len(states)
    if states.count("lost") == pages:
        raise UnreadableFile(f"broken: none of {pages} pages can be loaded")
    scans, failed = states.count("scan"), states.count("failed")
    if not scans + failed:
        raise UnreadableFile(f"no text layer: {_count(pages, 'holds', 'hold')} neither text nor a scan of it")
    looks = f"no text layer: {_count(scans + failed, 'looks', 'look')} scanned"
    if failed:
        raise UnreadableFile(f"{looks}, and OCR found no words: scan it again, sharper, if it should hold some")
    raise UnreadableFile(f"{looks}; {_INSTALL}")


def warnings(states: Sequence[str], pages: int, most_recognised: int) -> Iterator[str]:
    """Yield a line for each thing that is missing or doubtful; `pages` is the number of pages of the file."""
    if len(states) < pages:
        yield f"only the first {len(states)} of {pages} pages were read: split the file to read the rest"
    if lost := _where(states, "lost"):
        yield f"cannot load {lost}: the file is damaged there"
    if cut := _where(states, "cut"):
        yield f"only the first {MAX_PAGE_CHARS} characters were read of {cut}"
    if scans := _where(states, "scan"):
        enough = {"recognised", "failed"} & set(states)
        limit = f"OCR reads at most {most_recognised} pages of a file: split it, or run OCR on it and ingest the result"
        yield f"no text layer on {scans}: {limit if enough else _INSTALL}"
    if failed := _where(states, "failed"):
        yield f"OCR found no words on {failed}, which look scanned"
    if recognised := states.count("recognised"):
        languages = pdf_ocr.languages()
        yield f"text of {_count(recognised, 'was', 'was')} read by OCR (Tesseract, {languages}) and may have errors"


def _where(states: Sequence[str], state: str) -> str:
    """Return "2 of 10 pages (3, 7)", "" if no page is in that state."""
    numbers = [number for number, found in enumerate(states, 1) if found == state]
    listed = ", ".join(map(str, numbers[:_NAMED])) + (", ..." if len(numbers) > _NAMED else "")
    return f"{len(numbers)} of {len(states)} pages ({listed})" if numbers else ""


def _count(pages: int, one: str, more: str) -> str:
    return f"1 page {one}" if pages == 1 else f"{pages} pages {more}"
