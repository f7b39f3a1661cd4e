"""A passage in its surroundings: in the text of a document, on the page of a PDF."""

import io

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from ingest.loaders import load
from rag_dolly.app.source_view import _page, excerpt

TEXT = "\n".join(f"Line number {number}." for number in range(200))


@pytest.mark.parametrize("line", [0, 1, 100, 199])
def test_the_passage_is_exact_and_cut_at_line_ends(line):
    passage = f"Line number {line}."
    start = TEXT.index(passage)
    part = excerpt(TEXT, start, start + len(passage), around=100)
    assert part.passage == passage
    whole = (part.before + part.passage + part.after).removeprefix("…\n").removesuffix("\n…")
    assert whole in TEXT and len(whole) <= 200 + len(passage)
    assert TEXT.startswith(whole) or "\n" + whole in TEXT
    assert part.before.startswith("…\n") is (not TEXT.startswith(whole))
    assert part.after.endswith("\n…") is (not TEXT.endswith(whole))


def test_a_short_document_is_shown_whole():
    part = excerpt("before passage after", 7, 14)
    assert (part.before, part.passage, part.after) == ("before ", "passage", " after")


def test_text_without_line_ends_is_cut_anyway():
    part = excerpt("x" * 1000, 500, 510, around=50)
    assert len(part.before) <= 52 and len(part.after) <= 52 and part.passage == "x" * 10


PAGES = (["The lighthouse was built in 1887.", "The lamp burns"], ["colza oil.", "The anchor weighs 900 kilograms."])


class Document:
    """A PDF as the index would have stored it."""

    def __init__(self, path, pages=PAGES):
        canvas = Canvas(str(path), pagesize=(400, 400))
        for page in pages:
            for row, line in enumerate(page):
                canvas.drawString(40, 300 - 100 * row, line)
            canvas.showPage()
        canvas.save()
        loaded = load("a.pdf", path.read_bytes())
        self.path, self.text, self.page_starts = path, loaded.text, loaded.page_starts


def marked(document, passage):
    """Return the rows, counted from the top of the page in points, that are marked for a passage; None for no page."""
    start = document.text.index(passage)
    page = _page(document, {"source": "a.pdf", "start": start, "end": start + len(passage)})
    if page is None:
        return None
    image = Image.open(io.BytesIO(page.png)).convert("RGB")
    pixels = image.load()
    yellow = [
        y for y in range(image.height) if any(pixels[x, y][2] < 120 < pixels[x, y][1] for x in range(image.width))
    ]
    assert abs(page.top - yellow[0] / image.height) < 0.01
    return {round(y / image.height * 400) for y in yellow}


@pytest.mark.parametrize(("passage", "baseline"), [("built in 1887", 100), ("The lamp", 200), ("900 kilograms", 200)])
def test_exactly_the_lines_of_a_passage_are_marked(tmp_path, passage, baseline):
    rows = marked(Document(tmp_path / "a.pdf"), passage)
    assert rows and rows <= set(range(baseline - 12, baseline + 5))


def test_a_passage_over_two_pages_is_marked_where_it_begins(tmp_path):
    rows = marked(Document(tmp_path / "a.pdf"), "The lamp burns\ncolza oil.")
    assert rows and rows <= set(range(188, 205))


def test_a_file_that_changed_or_is_gone_is_not_shown(tmp_path):
    document = Document(tmp_path / "a.pdf")
    Document(tmp_path / "a.pdf", [["Another text, in the same place."], []])
    assert marked(document, "built in 1887") is None
    document.path.unlink()
    assert marked(document, "built in 1887") is None


def test_a_file_that_became_something_else_is_not_shown(tmp_path):
    document = Document(tmp_path / "a.pdf")
    document.path.write_text("no longer a PDF")
    assert marked(document, "built in 1887") is None
