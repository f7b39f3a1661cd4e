"""Scans: read with Tesseract where it is installed, named where it is not."""

import random
import shutil

import pypdfium2
import pytest
from pdf_drawing import lines
from pdf_marks import page_of
from PIL import Image
from reportlab.lib.utils import ImageReader

from ingest.errors import UnreadableFile
from ingest.loaders import load
from ingest.loaders.pdf import PDFIUM_LOCK, highlight_rects
from ingest.loaders.pdf_warnings import refuse_textless, warnings

SIZE = (300, 160)
SENTENCE = ("The harbour of Lisbon was", "rebuilt by an inter-", "national company.")
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")


@pytest.fixture
def no_tesseract(monkeypatch):
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def scan(make_pdf):
    """Return a function that draws a picture of lines of text as a page."""

    def small(*texts):
        def draw(canvas):
            canvas.setPageSize(SIZE)
            lines(*texts, top=120, left=30, step=24, size=16)(canvas)

        return draw

    def build(*texts, rotation=0, stray=""):
        with PDFIUM_LOCK:
            pdf = pypdfium2.PdfDocument(make_pdf(small(*texts)))
            picture = pdf[0].render(scale=4).to_pil().rotate(rotation, expand=True)
            pdf.close()

        def draw(canvas):
            size = SIZE if rotation % 180 == 0 else SIZE[::-1]
            canvas.setPageSize(size)
            canvas.drawImage(ImageReader(picture), 0, 0, *size)
            if stray:
                canvas.drawString(5, 5, stray)

        return draw

    return build


@needs_tesseract
def test_a_scan_is_read_and_said_to_be(make_pdf, scan, checked):
    document = checked(load("a.pdf", make_pdf(scan(*SENTENCE))))
    assert document.text == "The harbour of Lisbon was\nrebuilt by an international company.\n"
    assert [(block.start, block.end) for block in document.blocks] == [(0, len(document.text) - 1)]
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("text of 1 page was read by OCR (Tesseract, ")
    assert document.warnings[0].endswith(") and may have errors")


@needs_tesseract
def test_words_of_a_scan_are_marked(make_pdf, scan):
    data = make_pdf(lines("A page with a text layer of its own"), scan(*SENTENCE))
    document = load("a.pdf", data)
    start = document.text.index("international")
    assert page_of(document, start) == 1
    at = start - document.page_starts[1]
    upper, lower = highlight_rects(data, 1, at, at + 13, "international")
    assert 70 < lower[1] < lower[3] < 90 < upper[1] < upper[3] < 115  # drawn at y = 72 and 96
    assert 90 < upper[0] < upper[2] < 200 and 25 < lower[0] < lower[2] < 110
    rng = random.Random(1)
    for block in document.blocks:
        for _ in range(5):
            first = rng.randrange(block.start, block.end)
            begin = document.page_starts[page_of(document, first)]
            words = document.text[first : block.end]
            assert highlight_rects(data, page_of(document, first), first - begin, block.end - begin, words)
    assert highlight_rects(data, 1, at, at + 13, "International") == []


@needs_tesseract
def test_stray_characters_on_a_scan_are_no_text_layer(make_pdf, scan):
    document = load("a.pdf", make_pdf(scan("Words in the picture", stray="7")))
    assert "Words in the picture" in document.text


def test_no_tesseract_no_text(make_pdf, scan, no_tesseract):
    with pytest.raises(UnreadableFile, match="no text layer: 2 pages look scanned; install Tesseract"):
        load("a.pdf", make_pdf(scan(*SENTENCE), scan(*SENTENCE)))


def test_no_tesseract_some_text(make_pdf, scan, no_tesseract, checked):
    data = make_pdf(lines("A page with a text layer"), scan(*SENTENCE), lambda canvas: None, scan(*SENTENCE, stray="7"))
    document = checked(load("a.pdf", data))
    assert len(document.page_starts) == 4 and "text layer" in document.text
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("no text layer on 2 of 4 pages (2, 4): install Tesseract")
    assert highlight_rects(data, 1, 0, 1, "T") == []


def test_a_small_picture_makes_no_scan(make_pdf):
    def draw(canvas):
        canvas.drawInlineImage(Image.new("RGB", (20, 20), "grey"), 0, 0, 100, 100)

    assert load("a.pdf", make_pdf(draw, lines("Words"))).warnings == ()
    with pytest.raises(UnreadableFile, match="no text layer: 1 page holds neither text nor a scan"):
        load("a.pdf", make_pdf(draw))


def test_each_reason_is_one_line():
    states = ["text", "lost", "scan", "failed", "recognised", "cut"]
    assert [line.split(":")[0] for line in warnings(states, 9, 200)] == [
        "only the first 6 of 9 pages were read",
        "cannot load 1 of 6 pages (2)",
        "only the first 500000 characters were read of 1 of 6 pages (6)",
        "no text layer on 1 of 6 pages (3)",
        "OCR found no words on 1 of 6 pages (4), which look scanned",
        next(line for line in warnings(states, 9, 200) if "OCR (Tesseract" in line),
    ]
    assert "at most 200 pages" in next(line for line in warnings(states, 9, 200) if "no text layer" in line)
    with pytest.raises(UnreadableFile, match="2 pages look scanned, and OCR found no words"):
        refuse_textless(["failed", "failed", "blank"], False)
    with pytest.raises(UnreadableFile, match="broken: none of 2 pages"):
        refuse_textless(["lost", "lost"], False)
    refuse_textless(["text", "scan"], True)
