"""The excerpt of a text document around a passage."""

import pytest

from rag_dolly.app.source_view import excerpt

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
