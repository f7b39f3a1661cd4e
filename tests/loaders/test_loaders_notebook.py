import json

import pytest

from ingest.errors import UnreadableFile
from ingest.loaders import load


def blocks(document):
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def notebook(*cells, **more):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | more).encode()


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}, "execution_count": 1}


def markdown(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def test_cells_in_order_each_a_place_counted_from_1(checked):
    document = checked(
        load(
            "dir/a.ipynb",
            notebook(
                markdown(["# The *title*\n", "\n", "Words.\n", "\n", "- one\n", "- two\n"]),
                code("# not a heading\nx = 1"),
                {"cell_type": "raw", "source": "raw words"},
                markdown("## Part"),
                code([], {"output_type": "stream", "name": "stdout", "text": ["printed\n", "twice\n"]}),
            ),
        )
    )
    assert (document.kind, document.title, document.warnings) == ("ipynb", "The title", ())
    assert blocks(document) == [
        ("heading", 1, "The title"),
        ("text", 0, "Words."),
        ("list", 0, "- one\n- two"),
        ("code", 0, "# not a heading\nx = 1"),
        ("text", 0, "raw words"),
        ("heading", 2, "Part"),
        ("code", 0, "printed\ntwice"),
    ]
    assert [(place.kind, place.number) for place in document.places] == [("cell", n) for n in range(1, 6)]


def test_outputs_as_text_pictures_passed_over(checked):
    figure = {"image/png": "aGVsbG8=", "text/plain": "<Figure size 640x480 with 1 Axes>"}
    frame = {"text/plain": "   a\n0  1", "text/html": "<table><tr><td>1</td></tr></table>"}
    document = checked(
        load(
            "a.ipynb",
            notebook(
                code("f()", {"output_type": "display_data", "data": figure}),
                code("g()", {"output_type": "execute_result", "data": frame}),
                code(
                    "h()",
                    {"output_type": "error", "ename": "ValueError", "evalue": "no\x1b[31m!", "traceback": ["long"]},
                ),
                code("i()", {"output_type": "display_data", "data": {"text/html": "<p>only <b>HTML</b></p>"}}),
                code("j()", {"output_type": "stream", "text": "10%\r50%\r100%\n\x1b[32mdone\x1b[0m\n"}),
            ),
        )
    )
    assert [text for _, _, text in blocks(document)] == [
        "f()", "g()", "   a\n0  1", "h()", "ValueError: no!", "i()", "only HTML", "j()", "100%\ndone",
    ]  # fmt: skip


def test_long_outputs_are_cut_and_said_to_be(checked):
    document = checked(load("a.ipynb", notebook(code("x", {"output_type": "stream", "text": "line\n" * 5000}))))
    assert len(document.text) < 2100
    assert document.warnings == ("of 1 cells only the first 2000 characters of output were read",)


def test_pictures_in_markdown_and_rules_that_look_like_front_matter(checked):
    document = checked(
        load(
            "a.ipynb",
            notebook(markdown(f"see ![a plot](data:image/png;base64,{'A' * 9000})"), markdown("---\na: b\n---")),
        )
    )
    assert len(document.text) < 100 and "a plot" in document.text and "a: b" in document.text


def test_format_3(checked):
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Old ", "heading"]},
        {"cell_type": "code", "input": ["x = 1"], "outputs": [{"output_type": "pyout", "text": ["1"]}]},
        {"cell_type": "markdown", "source": "words"},
    ]
    old = {"nbformat": 3, "metadata": {"name": "Named"}, "worksheets": [{"cells": cells[:2]}, {"cells": cells[2:]}]}
    document = checked(load("a.ipynb", json.dumps(old).encode()))
    assert document.title == "Named"
    assert blocks(document) == [
        ("heading", 2, "Old heading"),
        ("code", 0, "x = 1"),
        ("code", 0, "1"),
        ("text", 0, "words"),
    ]
    assert document.places[-1].number == 3


def test_lone_surrogates_and_controls(checked):
    document = checked(load("a.ipynb", notebook(markdown("a\ud83d b\x00c"), code("x\x07y"))))
    assert [text for _, _, text in blocks(document)] == ["a  b c", "x y"]


@pytest.mark.parametrize("odd", [None, 5, "x", [], [None, 5, "x", ["y"]], {"a": 1}])
def test_fields_of_the_wrong_type_are_passed_over(odd, checked):
    cell = {"cell_type": "code", "source": odd, "outputs": odd, "level": odd}
    output = {"output_type": "stream", "text": odd, "data": odd}
    heading = {"cell_type": "heading", "level": odd, "source": "h"}
    document = checked(load("a.ipynb", notebook(cell, code("kept", output), heading, metadata=odd)))
    assert "kept" in document.text


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"words", b"{}", b'{"cells": ' + b"[" * 100_000, b'{"cells": [' + b"1" * 9999]
)
def test_broken_notebooks_are_refused(data):
    with pytest.raises(UnreadableFile, match="expected a notebook"):
        load("a.ipynb", data)


def test_a_notebook_without_words_is_not_a_document():
    with pytest.raises(UnreadableFile, match="no text"):
        load("a.ipynb", notebook(code(""), markdown([])))
