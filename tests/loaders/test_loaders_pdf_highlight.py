"""What a reader sees marked: exactly the cited words on pages that make it hard, or nothing."""

import pypdfium2
import pytest
from pdf_drawing import lines, raw_pdf

from ingest.loaders import load
from ingest.loaders.pdf import PDFIUM_LOCK, highlight_rects


def under(data, rects):
    """Return the letters of the first page whose middle lies under a rectangle, in PDFium's order."""
    seen = []
    with PDFIUM_LOCK:
        pdf = pypdfium2.PdfDocument(data)
        text = pdf[0].get_textpage()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            x, y = (left + right) / 2, (bottom + top) / 2
            if any(r[0] <= x <= r[2] and r[1] <= y <= r[3] for r in rects):
                seen.append(chr(pypdfium2.raw.FPDFText_GetUnicode(text, index)))
        pdf.close()
    return "".join(char for char in seen if char.isalnum())


def marked(data, cited):
    """Return the letters that are marked for words of the first page."""
    text = load("a.pdf", data).text
    start = text.index(cited)
    return under(data, highlight_rects(data, 0, start, start + len(cited), cited))


def plain(text):
    return "".join(char for char in text if char.isalnum())


def two_columns(canvas):
    canvas.setFont("Times-Roman", 10)
    for row in range(30):
        canvas.drawString(60, 780 - 11 * row, f"left column, line {row} of the text")
        canvas.drawString(310, 780 - 11 * row, f"right column, line {row} of the text")


def test_two_columns_of_narrow_lines(make_pdf):
    cited = "line 7 of the text\nleft column, line 8"
    assert marked(make_pdf(two_columns), cited) == plain(cited)
    cited = "right column, line 29 of the text"
    assert marked(make_pdf(two_columns), cited) == plain(cited)


def test_a_word_that_a_line_end_divides(make_pdf):
    data = make_pdf(lines("The committee found that the ex-", "ploration of the valley was", "a success."))
    assert marked(data, "found that the exploration of") == "foundthattheexplorationof"


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_page_that_is_turned(make_pdf, rotation):
    def draw(canvas):
        canvas.setPageRotation(rotation)
        lines("First line of the page.", "Second line of it.", "Third line.")(canvas)

    assert marked(make_pdf(draw), "Second line of it.") == "Secondlineofit"


@pytest.mark.parametrize("angle", [-60, -15, 8, 30, 45, 90])
def test_lines_at_an_angle_are_marked_alone_or_not_at_all(make_pdf, angle):
    def draw(canvas):
        canvas.translate(300, 420)
        canvas.rotate(angle)
        lines(
            "Take your hands, still clasped", "together, to the top of your", "head. Slowly and gently", top=0, left=0
        )(canvas)

    data = make_pdf(draw)
    for cited in ("hands", "still clasped", "top of", "Slowly and gently"):
        assert marked(data, cited) in (plain(cited), "")
    assert marked(data, "hands") == "hands"


def test_one_glyph_for_two_letters():
    data = raw_pdf({0x41: "a", 0x42: "fi", 0x43: "x"})
    assert load("a.pdf", data).text.startswith("afixa")
    text = load("a.pdf", data).text
    rects = highlight_rects(data, 0, 1, 3, text[1:3])
    assert len(rects) == 1
    whole = highlight_rects(data, 0, 0, 5, text[:5])
    assert whole[0][0] < rects[0][0] and rects[0][2] < whole[0][2]


def test_letters_drawn_twice_to_look_bold_are_marked(make_pdf):
    def draw(canvas):
        for shift in (0, 0.4):
            canvas.setFont("Helvetica", 14)
            canvas.drawString(72 + shift, 700, "A bold heading")
        lines("Plain text below it.", top=660)(canvas)

    data = make_pdf(draw)
    cited = load("a.pdf", data).text.split("\n")[0]
    assert marked(data, cited) in ("Aboldheading", "Aboldheading" * 2)


def test_nothing_is_marked_where_another_text_lies_over_it(make_pdf):
    def draw(canvas):
        lines("The pump starts at thirty centimetres.", top=700)(canvas)
        lines("SECRET DRAFT OF ANOTHER KIND OF TEXT", top=702)(canvas)

    data = make_pdf(draw)
    text = load("a.pdf", data).text
    cited = "The pump starts at thirty centimetres."
    assert highlight_rects(data, 0, text.index(cited), text.index(cited) + len(cited), cited) == []
