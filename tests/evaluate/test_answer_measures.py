"""Each measure of a text against figures worked out by hand."""

import time

import pytest

from rag_dolly.answer_measures import exact_match, f1, find_any, length, markers, sentences, without_markers


@pytest.mark.parametrize(
    ("shown", "expected", "exact", "overlap"),
    [
        ("The Eiffel Tower.", ["eiffel tower"], 1, 1),  # case, article and full stop do not count
        ("in the 10th century", ["10th century"], 0, 2 * 2 / (3 + 2)),
        ("It was France", ["Spain", "France"], 0, 2 * 1 / (3 + 1)),  # the best of several
        ("10-th", ["10th"], 1, 1),
        ("", ["France"], 0, 0),
        ("France", [], 0, 0),
        ("a a b b", ["b a c"], 0, 2 * 1 / (2 + 2)),  # "a" is an article: b b against b c
        ("他是 踢爆。", ["踢爆"], 0, 2 * 2 / (4 + 2)),
        ("“踢爆”！", ["踢爆"], 1, 1),
        ("爆踢", ["踢爆"], 0, 2 * 1 / 4),  # CMRC: the longest run that both have, not a bag of characters
        ("4分钟", ["4 分钟"], 1, 1),
        ("共4分钟", ["4"], 0, 2 * 1 / (4 + 1)),
        ("Windows 系统", ["windows系统"], 1, 1),
    ],
)
def test_exact_match_and_f1(shown, expected, exact, overlap):
    assert exact_match(shown, expected) == exact
    assert f1(shown, expected) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("gold", "text", "found"),
    [
        ("42", "It is 42 metres.", ["42"]),
        ("42", "It is 142 or 4.2 or 42,000 metres.", []),
        ("the Normans", "the The NORMANS won", ["NORMANS"]),
        ("Norman", "a Norman-French poem", ["Norman"]),
        ("war of 1812", "The War of the 1812.", ["War of the 1812"]),
        ("A", "vitamin A", ["A"]),
        ("$5 million", "cost 5 Million", ["5 Million"]),
        ("%", "5 % of it", ["%"]),
        ("踢爆", "完即踢爆。", ["踢爆"]),
        ("４分钟", "只有4分钟", ["4分钟"]),
        ("  ", "anything", []),
        ("aa", "aa b aa", ["aa", "aa"]),
    ],
)
def test_an_answer_is_found_in_whole_words(gold, text, found):
    assert [text[start:end] for start, end in find_any([gold], text)] == found


def test_places_that_overlap_are_one():
    text = "in the 10th century BC"
    assert [text[a:b] for a, b in find_any(["10th century", "century BC", "10th"], text)] == ["10th century BC"]


def test_hostile_texts_take_no_long():
    began = time.monotonic()
    assert find_any(["9" * 50_000 + "x"], "9" * 100_000) == []
    assert find_any(["1,1,1,1"], "1," * 50_000 + "_") == []
    assert sentences("a" + "[" * 50_000 + " [1]" * 10_000, cited("x"))
    assert time.monotonic() - began < 5


def test_markers_and_lengths():
    text = "It is tall. [1] It is old. [2] [3]"
    assert markers(text) == [1, 2, 3] and without_markers(text) == "It is tall. It is old."
    assert length("a well-known tower") == 3 and length("踢爆 Windows 系统。") == 5 and length("") == 0


def cited(*texts):
    return [{"n": n, "text": text} for n, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("text", "citations", "found"),
    [
        ("It is tall. [1] It is old. [2]", cited("x", "y"), [("It is tall.", True), ("It is old.", True)]),
        ("It is tall. It is old. [1]", cited("It is old."), [("It is tall.", False), ("It is old.", True)]),
        ("It is tall. It is old. [1]", cited("It is tall. It is old."), [("It is tall.", True), ("It is old.", True)]),
        ("It is tall. [1] [2]\nIt is old.", cited("x", "y"), [("It is tall.", True), ("It is old.", False)]),
        ("It is tall. [7]", cited("x"), [("It is tall.", False)]),
        ("As he said[3] it is tall. [1]", cited("x"), [("As he said it is tall.", True)]),
        ("踢爆。四分钟。[1]", cited("四分钟。"), [("踢爆。", False), ("四分钟。", True)]),
        ("", [], []),
    ],
)
def test_sentences_and_what_stands_behind_them(text, citations, found):
    assert sentences(text, citations) == found
