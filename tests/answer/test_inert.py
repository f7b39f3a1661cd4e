"""Sentences as an answer shows them: on one line, without the marks of the lines that they stood in."""

import pytest

from rag_dolly.inert import answer_line, line_before


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("> Note: they are called\n> interfaces elsewhere.", "Note: they are called interfaces elsewhere."),
        ("> It was said\n> > by\n>\n> > others.", "It was said by others."),
        (
            "The relay trips when the current is\n> 16 A for a minute.",
            "The relay trips when the current is > 16 A for a minute.",
        ),
        ("> 5 V is too much", "> 5 V is too much"),
        ("> a quotation", "a quotation"),
        ("Type\n>>> import this\n>>> exit()", "Type >>> import this >>> exit()"),
        ("It is so if a\n> b holds\nand else not.", "It is so if a > b holds and else not."),
        ("- an item\n  of a list", "an item of a list"),
        ("one line", "one line"),
        ("", "…"),
    ],
)
def test_a_sentence_becomes_one_line(sentence, line):
    assert answer_line(sentence) == line


def test_a_sentence_in_the_middle_of_a_quoted_line_loses_the_marks_of_its_other_lines():
    text = "> He left. She said\n> that it was late."
    place = text.index("She")
    assert answer_line(text[place:], line_before(text, place)) == "She said that it was late."
    assert answer_line(text[place:]) == "She said > that it was late."
