"""Is what the page marks in a PDF what was cited? Each PDF of a folder, sentence by sentence.

    python -m benchmarks.highlight FOLDER [SENTENCES] [--show]

Reads every PDF of FOLDER as ingestion does, takes up to SENTENCES (default 40) sentences of it, spread evenly, as
citations, asks for their rectangles as the page does, and reads back which characters stand under them: those of
PDFium's whose middle lies in a rectangle, whatever way led to the rectangles. For each file it prints how many
sentences were marked right, how many not at all, and how many wrong: more than a fiftieth of the letters and digits
(and more than two) are missing under the marks or do not belong there. `--show` prints the wrong ones.

Limits: a page recognised by Tesseract has no text layer to read back, so its sentences are counted as "scans".
"""

import sys
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from ctypes import byref, c_double
from pathlib import Path

import pypdfium2.raw as pdfium_c

from ingest.errors import RagDollyError
from ingest.loaders import load, pdf_ocr
from ingest.loaders.pdf_file import PDFIUM_LOCK, opened, opened_page, opened_text
from ingest.loaders.pdf_page import read_page
from ingest.loaders.pdf_text import Rect
from ingest.loaders.pdf_view import highlight_rects
from ingest.passage import Document
from ingest.sentences import sentence_spans

SENTENCES = 40
OUTCOMES = ("right", "not marked", "wrong", "scans")


def main() -> None:
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    count = int(names[1]) if len(names) > 1 else SENTENCES
    total: Counter[str] = Counter()
    print(f"{'file':<52}" + "".join(f"{outcome:>12}" for outcome in OUTCOMES))
    for path in sorted(Path(names[0]).rglob("*.pdf")):
        try:
            tally = check(path, count, "--show" in sys.argv)
        except RagDollyError as error:
            print(f"{path.name[:50]:<52}  {error}")
            continue
        print(f"{path.name[:50]:<52}" + "".join(f"{tally[outcome]:>12}" for outcome in OUTCOMES), flush=True)
        total += tally
    print(f"{'together':<52}" + "".join(f"{total[outcome]:>12}" for outcome in OUTCOMES))


def check(path: Path, count: int, show: bool = False) -> Counter[str]:
    """Return how many of `count` sentences of a PDF came out how. Raises `UnreadableFile`."""
    data = path.read_bytes()
    document = load(path.name, data)
    tally: Counter[str] = Counter()
    for start, end in spread(citations(document), count):
        page = bisect_right(document.page_starts, start) - 1
        outcome, found = judge(data, page, start - document.page_starts[page], document.text[start:end])
        tally[outcome] += 1
        if show and outcome == "wrong":
            print(f"  page {page + 1}: cited {document.text[start:end]!r}\n          marked {found!r}")
    return tally


def citations(document: Document) -> list[tuple[int, int]]:
    """Return the spans of the sentences of a document that stand within one page and have some words."""
    spans = [span for block in document.blocks for span in sentence_spans(document.text, block.start, block.end)]
    starts = document.page_starts
    return [(a, b) for a, b in spans if b - a > 15 and bisect_right(starts, a) == bisect_right(starts, b - 1)]


def spread(spans: Sequence[tuple[int, int]], count: int) -> Sequence[tuple[int, int]]:
    step = max(1, len(spans) / count)
    return [spans[int(number * step)] for number in range(min(count, len(spans)))]


def judge(data: bytes, page: int, start: int, cited: str) -> tuple[str, str]:
    """Return what became of a citation, one of `OUTCOMES`, and what stands under its marks."""
    rects = highlight_rects(data, page, start, start + len(cited), cited)
    if not rects:
        return "not marked", ""
    with opened(data) as pdf:
        if read_page(pdf, page, pdf_ocr.available()).state == "recognised":
            return "scans", ""
        found = "".join(under(data, page, rects))
    wanted, got = Counter(letters(cited)), Counter(letters(found))
    off = max((wanted - got).total(), (got - wanted).total())
    return "right" if off <= max(2, wanted.total() / 50) else "wrong", found


def letters(text: str) -> str:
    """Return the letters and digits of a text, without differences of case and form."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def under(data: bytes, page_index: int, rects: Sequence[Rect]) -> Iterator[str]:
    """Yield the characters of a page whose middle lies in one of the rectangles, in PDFium's order."""
    with PDFIUM_LOCK, opened(data) as pdf, opened_page(pdf, page_index) as page, opened_text(page) as text:
        left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
        for index in range(text.count_chars()):
            if not pdfium_c.FPDFText_GetCharBox(text, index, byref(left), byref(right), byref(bottom), byref(top)):
                continue
            x, y = (left.value + right.value) / 2, (bottom.value + top.value) / 2
            if any(rect[0] <= x <= rect[2] and rect[1] <= y <= rect[3] for rect in rects):
                yield chr(pdfium_c.FPDFText_GetUnicode(text, index))


if __name__ == "__main__":
    main()
