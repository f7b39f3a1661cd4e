"""Sentences as an answer shows them: on one line, without the marks of the lines that they stood in."""

import pytest

from rag_dolly.inert import answer_line


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("> Note: they are called\n> interfaces elsewhere.", "Note: they are called interfaces elsewhere."),
        ("It was said\n> > by\n> > others.", "It was said by others."),
        ("Type\n>>> import this\n>>> exit()", "Type >>> import this >>> exit()"),
        ("It is so if a\n> b holds\nand else not.", "It is so if a > b holds and else not."),
        ("- an item\n  of a list", "an item of a list"),
        ("one line", "one line"),
        ("", "…"),
    ],
)
def test_a_sentence_becomes_one_line(sentence, line):
    assert answer_line(sentence) == line
