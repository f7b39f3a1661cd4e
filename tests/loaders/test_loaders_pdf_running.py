"""Running heads, footers and page numbers are in the text but in no block."""

import pytest
from pdf_drawing import lines, outline

from ingest.loaders import load

NOUNS = "harbour river mountain orchard village lighthouse bridge meadow glacier".split()
BODY = [
    "Body text of the {0} begins and",
    "goes on for a second line on the {0},",
    "while this is the end of the {0} too.",
]


def pages(count, head="", foot="", top=800.0, bottom=40.0, size=12.0, body=BODY):
    """Return drawing functions; {} in the texts stands for the page's number."""

    def drawn(number):
        def draw(canvas):
            if head:
                lines(head.format(number), top=top, size=size)(canvas)
            lines(*(text.format(NOUNS[number - 1]) for text in body))(canvas)
            if foot:
                lines(foot.format(number), top=bottom, left=280)(canvas)

        return draw

    return [drawn(number) for number in range(1, count + 1)]


def blocks_of(document):
    return [document.text[block.start : block.end] for block in document.blocks]


@pytest.mark.parametrize("foot", ["{}", "Page {} of 6", "- {} -", "Annual report 2024   {}", "A-{}"])
def test_heads_and_page_numbers_are_in_no_block(make_pdf, checked, foot):
    document = checked(load("a.pdf", make_pdf(*pages(6, "Report of the Committee", foot))))
    blocks = blocks_of(document)
    assert len(blocks) == 6 and all(block.startswith("Body text") and block.endswith("too.") for block in blocks)
    assert document.text.count("Report of the Committee") == 6
    assert document.text.split("\n")[4].split() == foot.format(1).split()


def test_heads_of_left_and_right_pages_and_roman_numbers(make_pdf):
    romans = ["v", "vi", "vii", "viii", "ix", "x"]
    heads = ["Chapter one" if n % 2 else "The book" for n in range(6)]
    drawn = [
        lambda canvas, draw=draw, n=n: (
            draw(canvas),
            lines(heads[n], top=800, left=72 + 200 * (n % 2))(canvas),
            lines(romans[n], top=40)(canvas),
        )
        for n, draw in enumerate(pages(6))
    ]
    assert all(
        block.startswith("Body") and block.endswith("too.") for block in blocks_of(load("a.pdf", make_pdf(*drawn)))
    )


def test_a_page_number_may_follow_the_text_up_the_page(make_pdf):
    drawn = [
        lambda canvas, draw=draw, n=n: (draw(canvas), lines(str(n + 7), top=600 - 30 * n)(canvas))
        for n, draw in enumerate(pages(5))
    ]
    assert all(block.endswith("too.") for block in blocks_of(load("a.pdf", make_pdf(*drawn))))


@pytest.mark.parametrize(
    ("count", "head", "size"),
    [(2, "Report of the Committee", 12.0), (6, "Results", 18.0), (5, "Exhibit 3{}.{}1", 12.0)],
    ids=["short file", "larger letters", "numbers that count no pages"],
)
def test_what_may_be_a_heading_stays(make_pdf, count, head, size):
    heads = [head.replace("{}.{}", f"{7 * n % 4}.{n}") for n in range(count)]
    drawn = [pages(count, text, size=size)[n] for n, text in enumerate(heads)] + (pages(9)[5:] if count == 5 else [])
    document = load("a.pdf", make_pdf(*drawn))
    assert sum(block.startswith(head.split()[0]) for block in blocks_of(document)) == count


def test_what_repeats_all_over_is_the_text(make_pdf):
    document = load("a.pdf", make_pdf(*pages(4, body=["The same form", "on every page"])))
    assert blocks_of(document) == ["The same form\non every page"] * 4


def test_the_heading_is_kept_where_the_head_repeats_it(make_pdf, checked):
    def first(canvas):
        outline(canvas, ("Chapter One", 0))
        lines("Chapter One", top=800)(canvas)
        lines("Chapter One", *BODY, top=700)(canvas)

    document = checked(load("a.pdf", make_pdf(first, *pages(4, "Chapter One"))))
    headings = [block for block in document.blocks if block.kind == "heading"]
    assert [document.text[block.start : block.end] for block in headings] == ["Chapter One"]
    assert headings[0].start > document.text.index("Chapter One")
    assert blocks_of(document).count("Chapter One") == 1


def test_a_heading_that_only_the_head_holds_is_one(make_pdf):
    drawn = pages(4, "Chapter One")

    def first(canvas):
        outline(canvas, ("Chapter One", 0))
        drawn[0](canvas)

    document = load("a.pdf", make_pdf(first, *drawn[1:]))
    assert [block.title for block in document.blocks if block.kind == "heading"] == ["Chapter One"]
