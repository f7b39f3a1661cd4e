"""Columns and hyphens: the text reads in order, and what is marked is what was read."""

import pytest
from pdf_drawing import lines, raw_pdf
from pdf_marks import letters, marked, some_spans

from ingest.loaders import load
from ingest.loaders.pdf_hyphens import join_lines

LEFT = ["alpha words of the left column", "beta which goes on over lines", "gamma and is read to its end"]
RIGHT = ["delta words of the right column", "epsilon stand beside the left one", "zeta until the page is full now"]
THIRD = ["eta words of the third column", "theta are read after the others", "iota as on a page of a paper"]


def columns(*texts, by_row=True, top=700.0, lefts=(72, 250, 428), drop=0.0):
    """Return a function that draws columns, row by row or the last column first."""
    places = [
        (lefts[column], top - 14 * row - drop * column, text)
        for column, column_texts in enumerate(texts)
        for row, text in enumerate(column_texts)
    ]
    places.sort(key=lambda place: (-place[1], place[0]) if by_row else -place[0])

    def draw(canvas):
        canvas.setFont("Helvetica", 10)
        for x, y, text in places:
            canvas.drawString(x, y, text)

    return draw


def read(data):
    return [line for line in load("a.pdf", data).text.split("\n") if line]


@pytest.mark.parametrize("drop", [0.0, 5.0], ids=["same rows", "shifted rows"])
@pytest.mark.parametrize("by_row", [True, False], ids=["row by row", "last column first"])
@pytest.mark.parametrize("texts", [(LEFT, RIGHT), (LEFT, RIGHT, THIRD)], ids=["two", "three"])
def test_columns_are_read_one_after_the_other(make_pdf, texts, by_row, drop):
    longer = [[*text, *text, *text] for text in texts]  # the right column first is taken for a page's order from 3 on
    assert read(make_pdf(columns(*longer, by_row=by_row, drop=drop))) == [line for text in longer for line in text]


def test_three_rows_suffice_and_a_line_across_the_page_parts_them(make_pdf):
    across = "a heading line as wide as the page that stands above and below both of the columns of words here"

    def draw(canvas):
        lines(across, top=740, size=10)(canvas)
        columns(LEFT, RIGHT)(canvas)
        lines(across, top=640, size=10)(canvas)
        columns(THIRD, LEFT, top=610.0)(canvas)

    assert read(make_pdf(draw)) == [across, *LEFT, *RIGHT, across, *THIRD, *LEFT]


def test_tables_keep_their_rows(make_pdf):
    rows = [
        ("Sales of the northern region", "1,204", "Up on last year"),
        ("Costs of the northern region", "800", "Flat"),
    ]
    drawn = columns(*([row[column] for row in rows * 4] for column in range(3)))
    assert read(make_pdf(drawn)) == [" ".join(row) for row in rows * 4]


def test_single_columns_are_left_alone(make_pdf):
    body = ["one column of words that is read", "line by line, as the file has them", "with a wide    gap in it"] * 4
    assert read(make_pdf(lines(*body))) == [*["one column of words that is read", body[1], "with a wide gap in it"] * 4]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_columns_of_a_turned_page(make_pdf, rotation):
    def draw(canvas):
        canvas.setPageSize((700, 700))
        canvas.setPageRotation(rotation)
        canvas.translate(*{90: (700, 0), 180: (700, 700), 270: (0, 700)}[rotation])
        canvas.rotate(rotation)
        columns(LEFT, RIGHT, top=600.0)(canvas)

    assert read(make_pdf(draw)) == [*LEFT, *RIGHT]


def test_what_is_marked_is_what_was_read(make_pdf, checked):
    broken = ["left words of an inter-", "national com-", "mittee that meets"]
    data = make_pdf(
        columns(LEFT * 3, RIGHT * 3),
        columns(broken, RIGHT),
        lines("Single words that go on with hy-", "phens in them, and 2019-", "2020 as well."),
    )
    document = checked(load("a.pdf", data))
    spans = list(some_spans(document, each=20))
    assert len(spans) > 30
    for start, end in spans:
        wanted = letters(document.text[start:end])
        found = letters(" ".join(marked(data, document, start, end)))
        assert wanted == found, document.text[start:end]


def test_both_halves_of_a_divided_word_are_marked(make_pdf):
    data = make_pdf(lines("We speak of inter-", "national law, high-", "Tech and e-", "mail here."))
    document = load("a.pdf", data)
    assert document.text.strip() == "We speak of international law, high-Tech and e-mail here."
    start = document.text.index("international")
    assert [part.strip() for part in marked(data, document, start, start + 13)] == ["inter", "national"]


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("an inter-\nnational law", "an international law"),
        ("an inter‐\n  national law", "an international law"),
        ("the years 2019-\n2020", "the years 2019-2020"),
        ("a Lucene-\nBM25 system", "a Lucene-BM25 system"),
        ("an open-\ndomain task. Each open-domain task", "an open-domain task. Each open-domain task"),
        ("state-\nof-the-art", "state-of-the-art"),
        ("a self-\nmade one", "a self-made one"),
        ("high and cross words, cross-\nwords", "high and cross words, cross-words"),
        ("crosswords, cross words, cross-\nwords", "crosswords, cross words, crosswords"),
        ("pre-\nand postwar", "pre-\nand postwar"),
        ("an e-\nmail", "an e-mail"),
        ("a dash -\nand more", "a dash -\nand more"),
        ("Stra-\nße", "Straße"),
        ("two inter-\nna-\ntional", "two international"),
        ("the end-", "the end-"),
    ],
)
def test_hyphens_at_line_ends(text, joined):
    found, indices = join_lines(text, list(range(len(text))))
    assert found == joined
    assert [text[index] for index in indices] == list(found)


def test_ligatures_are_letters_at_one_place(checked):
    data = raw_pdf({0x42: "\ufb03"}, shown=b"ABCe")
    document = checked(load("a.pdf", data))
    assert document.text.startswith("AffiCe")
    assert marked(data, document, 1, 4) == marked(data, document, 2, 3) != []


def test_hyphens_that_a_font_calls_soft_are_hyphens(checked):
    assert checked(load("a.pdf", raw_pdf({0x42: "\xad"}))).text.startswith("A-CA\n")
