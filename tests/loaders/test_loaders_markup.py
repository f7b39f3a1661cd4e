from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.loaders import load, markup


def read(checked, name, source):
    document = checked(load(name, dedent(source).encode()))
    return document, [(b.kind, b.level, document.text[b.start : b.end].strip()) for b in document.blocks]


def test_rst(checked):
    document, blocks = read(
        checked,
        "a.rst",
        """\
        .. _top:

        =====
        Title
        =====

        :Author: Ann

        A paragraph::

            literal

            still

        Sub ``code`` :ref:`name <x>`
        ----------------------------

        .. note:: Be careful
           with this.

           And that.

        .. code-block:: python
           :linenos:

           x = 1

        .. A comment
           over lines

        .. [1] A footnote.

        - one
        - two

          more of two

        >>> 1 + 1
        2

        ----

        .. toctree::
           :maxdepth: 2

           intro

        Deep
        ~~~~

        Other
        -----

        Last words.
        """,
    )
    assert (document.kind, document.title) == ("rst", "Title")
    assert blocks == [
        ("heading", 1, "=====\nTitle\n====="),
        ("text", 0, ":Author: Ann"),
        ("text", 0, "A paragraph::"),
        ("code", 0, "literal\n\n    still"),
        ("heading", 2, "Sub ``code`` :ref:`name <x>`\n----------------------------"),
        ("text", 0, ".. note:: Be careful\n   with this."),
        ("text", 0, "And that."),
        ("code", 0, "x = 1"),
        ("text", 0, ".. [1] A footnote."),
        ("list", 0, "- one\n- two\n\n  more of two"),
        ("code", 0, ">>> 1 + 1\n2"),
        ("heading", 3, "Deep\n~~~~"),
        ("heading", 2, "Other\n-----"),
        ("text", 0, "Last words."),
    ]
    assert [b.title for b in document.blocks if b.level] == ["Title", "Sub code name", "Deep", "Other"]


def test_rst_tables_know_their_header(checked):
    document, blocks = read(
        checked,
        "a.rst",
        """\
        +------+------+
        | A    | B    |
        +======+======+
        | 1    | 2    |
        +------+------+

        =====  =====
         X      Y
        =====  =====
         1      2
        =====  =====

        .. list-table:: Prices
           :header-rows: 1

           * - Name
             - Price
           * - a
             - 1

        .. csv-table::
           :header: "P", "Q"

           1, 2
        """,
    )
    assert [kind for kind, _, _ in blocks] == ["table"] * 4
    assert [b.title for b in document.blocks] == ["A | B", "X | Y", "Name | Price", "P | Q"]


def test_org(checked):
    document, blocks = read(
        checked,
        "a.org",
        """\
        #+TITLE: My Notes
        #+OPTIONS: toc:nil
        # a comment

        Intro with [[http://example.com][a link]].

        * TODO [#A] First [[x][heading]] :work:home:
        :PROPERTIES:
        :ID: 5
        :END:
        Some paragraph
        goes on.
        - item one
          more
        - item two

        ** Second
        #+CAPTION: Prices
        | Name | Price |
        |------+-------|
        | a    | 1     |

        #+BEGIN_SRC python
        print("* not a heading")
        #+END_SRC
        #+BEGIN_QUOTE
        Quoted.
        #+END_QUOTE
        #+BEGIN_COMMENT
        hidden
        #+END_COMMENT
        : fixed
        """,
    )
    assert (document.kind, document.title) == ("org", "My Notes")
    assert blocks == [
        ("heading", 1, "#+TITLE: My Notes"),
        ("text", 0, "Intro with [[http://example.com][a link]]."),
        ("heading", 2, "* TODO [#A] First [[x][heading]] :work:home:"),
        ("text", 0, "Some paragraph\ngoes on."),
        ("list", 0, "- item one\n  more\n- item two"),
        ("heading", 3, "** Second"),
        ("text", 0, "#+CAPTION: Prices"),
        ("table", 0, "| Name | Price |\n|------+-------|\n| a    | 1     |"),
        ("code", 0, 'print("* not a heading")'),
        ("text", 0, "Quoted."),
        ("code", 0, ": fixed"),
    ]
    assert [b.title for b in document.blocks if b.title] == ["My Notes", "First heading", "Second", "Name | Price"]


def test_asciidoc(checked):
    document, blocks = read(
        checked,
        "a.adoc",
        """\
        = Doc Title
        Ann Author <ann@example.com>
        :toc:

        // comment
        [[anchor]]
        == Section

        [source,ruby]
        ----
        puts "= not a heading"
        ----

        ////
        hidden
        ////

        NOTE: An admonition.

        ====
        Example.
        ====

        * one
        +
        more
        * two

        .Caption
        |===
        |a |b

        |1
        |2
        |===

        Old title
        ---------
        Words.
        """,
    )
    assert (document.kind, document.title) == ("adoc", "Doc Title")
    assert blocks == [
        ("heading", 1, "= Doc Title"),
        ("text", 0, "Ann Author <ann@example.com>"),
        ("heading", 2, "== Section"),
        ("code", 0, 'puts "= not a heading"'),
        ("text", 0, "NOTE: An admonition."),
        ("text", 0, "Example."),
        ("list", 0, "* one\n+\nmore\n* two"),
        ("text", 0, ".Caption"),
        ("table", 0, "|a |b\n\n|1\n|2"),
        ("heading", 2, "Old title\n---------"),
        ("text", 0, "Words."),
    ]
    assert document.blocks[8].title == "a | b"


@pytest.mark.parametrize(
    ("name", "source"),
    [("a.org", "#+BEGIN_COMMENT\nkept words"), ("a.org", ":LOGBOOK:\nkept words"), ("a.adoc", "////\nkept words")],
)
def test_a_comment_that_nothing_closes_hides_nothing(name, source, checked):
    assert "kept words" in read(checked, name, source)[1][-1][2]


def test_long_lists_are_one_block_for_each_item(checked):
    items = "".join(f"- item {n} {'words ' * 10}\n  goes on\n" for n in range(40))
    for name in ("a.rst", "a.org", "a.adoc"):
        assert [kind for kind, _, _ in read(checked, name, items)[1]] == ["list"] * 40


def test_offsets_are_those_of_the_file(tmp_path, checked):
    path = tmp_path / "a.rst"
    path.write_bytes("Über\r\n====\r\n\r\nWörter 😀\r\n".encode())
    document = checked(load("a.rst", path.read_bytes()))
    text = path.read_text(encoding="utf-8")
    assert [text[b.start : b.end] for b in document.blocks] == ["Über\n====", "Wörter 😀"]


LINES = st.lists(
    st.tuples(
        st.sampled_from(["", "", "  ", "    "]),
        st.sampled_from(
            ["", "- ", "* ", "** ", "= ", "== ", "1. ", "| ", ": ", "|-", "----", "====", "....", "....x", "+--+", "> "]
        ),
        st.sampled_from(["", "word", "some words", "word::", "word::  ", "w | w"]),
    ).map("".join),
    max_size=30,
)


@given(kind=st.sampled_from(["rst", "org", "adoc"]), lines=LINES)
@settings(max_examples=400, deadline=None)
def test_no_line_with_words_is_lost(kind, lines):
    """Nothing in these lines is a comment or an option, so each line that has a letter is in one block."""
    document = markup.load(f"a.{kind}", "\n".join(lines).encode())
    blocks = [document.text[block.start : block.end] for block in document.blocks]
    found = [line.strip() for text in blocks for line in text.split("\n") if "w" in line]
    assert found == [line.strip() for line in lines if "w" in line]
