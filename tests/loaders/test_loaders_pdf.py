import io
import re
import threading

import pypdfium2
import pytest
from document_check import check
from pdf_drawing import lines, outline, raw_pdf
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption

from ingest.errors import UnreadableFile
from ingest.loaders import load
from ingest.loaders.pdf import MAX_PAGES, PDFIUM_LOCK, highlight_rects, page_text, render_page
from ingest.loaders.reading import Reading


def parts(document):
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def pages(document):
    ends = [*document.page_starts[1:], len(document.text)]
    return [document.text[start:end] for start, end in zip(document.page_starts, ends, strict=True)]


def place(document, words):
    """Return (page index, start, end) of words, offsets within the page."""
    at = document.text.index(words)
    index = max(n for n, start in enumerate(document.page_starts) if start <= at)
    return index, at - document.page_starts[index], at - document.page_starts[index] + len(words)


def test_pages_and_paragraphs(make_pdf, checked):
    one = lines(
        "First paragraph begins here and", "goes on in a second line.", "", "Another paragraph, which", "also goes on."
    )
    two = lines("Text of the second page.")
    document = checked(load("dir/a.pdf", make_pdf(one, lambda canvas: None, two)))
    assert parts(document) == [
        ("text", "First paragraph begins here and\ngoes on in a second line."),
        ("text", "Another paragraph, which\nalso goes on."),
        ("text", "Text of the second page."),
    ]
    assert [page.strip() for page in pages(document)][1:] == ["", "Text of the second page."]
    assert (document.kind, document.title) == ("pdf", "a")


def test_the_text_of_a_page_is_what_page_text_returns(make_pdf, checked):
    data = make_pdf(lines("one", "two"), lambda canvas: None, lines("three"))
    document = checked(load("a.pdf", data))
    with PDFIUM_LOCK:
        pdf = pypdfium2.PdfDocument(data)
        recomputed = [page_text(page.get_textpage()) for page in pdf]
        pdf.close()
    assert [text for text, _ in recomputed] == pages(document)
    assert all(len(text) == len(indices) for text, indices in recomputed)


def test_indices_lead_to_the_same_characters(make_pdf):
    data = make_pdf(lines("Some words, in two", "lines; and (more)"))
    with PDFIUM_LOCK:
        pdf = pypdfium2.PdfDocument(data)
        textpage = pdf[0].get_textpage()
        text, indices = page_text(textpage)
        for char, index in zip(text, indices, strict=True):
            if index >= 0 and not char.isspace():
                assert textpage.get_text_range(index, 1) == char
        pdf.close()
    assert indices[-1] == -1 and text.endswith("\n")


@pytest.mark.parametrize(
    ("char", "stored"),
    [
        ("😀", "😀"),
        ("\ud83d", "\ufffd"),
        ("\x01", " "),
        ("\x00", " "),
        ("\r", "\n"),
        ("ffi", "ffi"),
        ("😀😀", "😀😀"),
    ],
)
def test_odd_characters_keep_the_offsets(char, stored, checked):
    data = raw_pdf({0x42: char})
    document = checked(load("a.pdf", data))
    assert document.text == f"A{stored}CA\nsecond\n"
    word = highlight_rects(data, *place(document, "second"), "second")
    assert len(word) == 1 and 69 < word[0][1] < word[0][3] < 90  # drawn at y = 70
    if len(stored) == 1 and stored == char:
        first = highlight_rects(data, 0, 0, 2, "A" + stored)
        assert first and first[0][1] > 95


def test_rectangles_cover_the_words(make_pdf):
    data = make_pdf(lines("nothing"), lines("alpha beta gamma", "delta epsilon"))
    document = load("a.pdf", data)
    words = "beta gamma\ndelta"
    rects = highlight_rects(data, *place(document, words), words)
    assert len(rects) == 2
    with PDFIUM_LOCK:
        pdf = pypdfium2.PdfDocument(data)
        found = [pdf[1].get_textpage().get_text_bounded(*rect).strip() for rect in rects]
        pdf.close()
    assert found == ["beta gamma", "delta"]


def test_no_mark_where_the_text_differs(make_pdf):
    data = make_pdf(lines("alpha beta"))
    assert highlight_rects(data, 0, 0, 5, "alpha")
    for page, start, end, expected in [
        (0, 0, 5, "alphb"),
        (0, 1, 6, "alpha"),
        (1, 0, 5, "alpha"),
        (-1, 0, 5, "alpha"),
        (0, -5, 5, "alpha"),
        (0, 5, 5, ""),
        (0, 0, 99, "alpha beta\n"),
    ]:
        assert highlight_rects(data, page, start, end, expected) == []
    assert highlight_rects(b"no pdf", 0, 0, 5, "alpha") == []


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_picture_is_marked_where_the_words_are(make_pdf, rotation):
    def draw(canvas):
        canvas.setPageRotation(rotation)
        lines("alpha beta", top=500)(canvas)

    data = make_pdf(draw)
    rects = highlight_rects(data, 0, 0, 5, "alpha")
    plain, marked = (Image.open(io.BytesIO(render_page(data, 0, 1.0, given))) for given in ([], rects))
    assert plain.size == marked.size == (596, 842)  # reportlab turns the sheet too, so that it is upright again
    changed = {
        (x, y)
        for x in range(plain.width)
        for y in range(plain.height)
        if plain.getpixel((x, y)) != marked.getpixel((x, y))
    }
    left, bottom, right, top = rects[0]
    assert 0.7 < len(changed) / ((right - left) * (top - bottom)) < 1.5
    inked = {pixel for pixel in changed if max(plain.getpixel(pixel)) < 100}
    assert inked and all(max(marked.getpixel(pixel)) < 100 for pixel in inked)  # the letters stay dark


def test_a_huge_page_is_drawn_small(make_pdf):
    def draw(canvas):
        canvas.setPageSize((14000, 14000))
        lines("x", top=100)(canvas)

    picture = Image.open(io.BytesIO(render_page(make_pdf(draw), 0, 4.0, [])))
    assert picture.width * picture.height < 21_000_000


def test_drawing_what_is_not_there_is_an_error(make_pdf):
    data = make_pdf(lines("x"))
    with pytest.raises(UnreadableFile, match="1 pages"):
        render_page(data, 1, 1.0, [])
    with pytest.raises(UnreadableFile, match="broken"):
        render_page(b"no pdf", 0, 1.0, [])


def test_bookmarks_become_headings(make_pdf, checked):
    def first(canvas):
        outline(canvas, ("Chapter One: Beginnings", 0), ("1.1 A Long Heading in Two Lines", 1), ("Not on the page", 1))
        lines("CHAPTER ONE: BEGINNINGS", "Body of the chapter.", "A long heading", "in two lines", "More body.")(canvas)

    def second(canvas):
        outline(canvas, ("Repeated", 0), ("Repeated", 1))
        lines("Repeated", "Words repeated here.", "Repeated", "End.")(canvas)

    document = checked(load("a.pdf", make_pdf(first, second)))
    assert [(b.level, b.title) for b in document.blocks if b.kind == "heading"] == [
        (1, "CHAPTER ONE: BEGINNINGS"),
        (2, "A long heading in two lines"),
        (1, "Repeated"),
        (2, "Repeated"),
    ]
    assert [text for kind, text in parts(document) if kind == "text"] == [
        "Body of the chapter.",
        "More body.",
        "Words repeated here.",
        "End.",
    ]


@pytest.mark.parametrize(
    ("title", "used"),
    [
        ("Annual report 2024", True),
        ("untitled", False),
        ("Microsoft Word - draft3", False),
        ("report_final.docx", False),
        ("C:\\Users\\me\\x", False),
        ("/home/me/x", False),
        ("0000764478-17-000008", False),
        ("(anonymous)", False),
        ("  ", False),
    ],
)
def test_the_title_is_taken_if_it_is_one(make_pdf, title, used):
    assert load("dir/stem.pdf", make_pdf(lines("x"), title=title)).title == (title if used else "stem")


def test_larger_letters_and_indents_begin_paragraphs(make_pdf, checked):
    def draw(canvas):
        lines("Heading", top=750, size=18)(canvas)
        lines("Body text that runs on and", "ends here.", top=732)(canvas)
        lines("Indented text that begins", top=704, left=90)(canvas)
        lines("a new paragraph.", top=690)(canvas)

    assert [text for _, text in parts(checked(load("a.pdf", make_pdf(draw))))] == [
        "Heading",
        "Body text that runs on and\nends here.",
        "Indented text that begins\na new paragraph.",
    ]


def test_locked_files(make_pdf, checked):
    open_to_all = make_pdf(lines("Readable words"), encrypt=StandardEncryption("", "owner", canPrint=0))
    assert "Readable words" in checked(load("a.pdf", open_to_all)).text
    with pytest.raises(UnreadableFile, match="encrypted: needs a password; give it with --password"):
        load("a.pdf", make_pdf(lines("x"), encrypt=StandardEncryption("user", "owner")))


@pytest.mark.parametrize("right", ["user", "owner"])
def test_passwords_are_tried_in_turn(make_pdf, checked, right):
    data = make_pdf(lines("Secret words"), encrypt=StandardEncryption("user", "owner"))
    document = checked(load("a.pdf", data, Reading(passwords=("wrong", "", "Пароль \ud800", right))))
    assert document.text == "Secret words\n"
    with pytest.raises(UnreadableFile, match="encrypted: none of the given passwords opens it"):
        load("a.pdf", data, Reading(passwords=("wrong", "User")))
    assert highlight_rects(data, 0, 0, 6, "Secret") == []
    rects = highlight_rects(data, 0, 0, 6, "Secret", passwords=("wrong", right))
    assert rects and render_page(data, 0, 1.0, rects, passwords=(right,)).startswith(b"\x89PNG")
    with pytest.raises(UnreadableFile, match="encrypted"):
        render_page(data, 0, 1.0, rects)


def test_scans_are_named_as_such(make_pdf):
    def draw(canvas):
        canvas.drawInlineImage(Image.new("RGB", (20, 20), "grey"), 0, 0, 500, 700)

    with pytest.raises(UnreadableFile, match="no text layer: 2 pages look scanned"):
        load("a.pdf", make_pdf(draw, draw))


def test_broken_files_give_a_reason(make_pdf):
    data = make_pdf(lines("x"))
    for broken in (data[:40], b"%PDF-1.7\n" + b"\0" * 500, re.sub(rb"/Type /Page\b", b"/Type /Rage", data)):
        with pytest.raises(UnreadableFile, match=r"broken|no text"):
            load("a.pdf", broken)


def test_a_page_count_that_lies_ends_soon():
    document = load("a.pdf", raw_pdf({}, count=30))
    assert len(document.page_starts) == 30
    assert document.warnings == (
        "cannot load 29 of 30 pages (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...): the file is damaged there",
    )
    with pytest.raises(UnreadableFile, match="pages cannot be loaded"):
        load("a.pdf", raw_pdf({}, count=1_000_000))


def test_of_a_very_long_file_the_first_pages_are_read():
    data = raw_pdf({}).replace(b"/Kids[3 0 R]/Count 1>>", b"/Kids[" + b"3 0 R " * (MAX_PAGES + 2) + b"]/Count 5002>>")
    document = load("a.pdf", data)
    assert len(document.page_starts) == MAX_PAGES
    assert document.warnings == ("only the first 5000 of 5002 pages were read: split the file to read the rest",)


def test_threads_may_load_draw_and_mark_at_once(make_pdf):
    data = make_pdf(*[lines(f"page {n}", "words of it") for n in range(6)])
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for n in range(6):
                document = load("a.pdf", data)
                check(document)
                assert highlight_rects(data, *place(document, f"page {n}"), f"page {n}")
                assert render_page(data, n, 0.3, [])
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
