"""A sentence is supported only by what is there: numbers, names, denial, words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.embed import open_embedder
from rag_dolly.ground import answerable, find_support
from rag_dolly.quote import best_quotes, passage_sentences, score_sentences
from rag_dolly.sentence_features import bm25, rarity
from rag_dolly.types import Hit
from rag_dolly.words import content_words, in_order, names, numbers

PASSAGE = (
    "The lighthouse of Marrow Point was built in 1871 by the engineer Ada Finch. It is 42 metres tall. "
    "Its lamp burned whale oil until 1902. Visitors are not allowed to climb the tower."
)


def hit(text=PASSAGE, start=0, dense=0.6, rank=1, score=1.0, heading=("Marrow Point",)):
    return Hit(rank, "lighthouse.txt", 0, None, start, start + len(text), heading, text, score, dense)


@pytest.fixture(scope="module")
def embed():
    return open_embedder().embed_sentences


@pytest.mark.parametrize(
    ("sentence", "where"),
    [
        ("The lighthouse of Marrow Point was built in 1871.", "built in 1871"),
        ("Ada Finch built the lighthouse in 1871.", "Ada Finch"),
        ("The lighthouse is 42 metres tall.", "42 metres"),
        ("Whale oil", "whale oil"),
        ("The lamp burned whale oil until 1902.", "until 1902"),
        ("Visitors are not allowed to climb the tower.", "not allowed"),
    ],
)
def test_what_the_passage_says_is_supported_with_the_exact_place(sentence, where, embed):
    support = find_support(sentence, [hit(start=100)], embed)
    assert support is not None and where in support.text
    assert PASSAGE[support.start - 100 : support.end - 100] == support.text
    assert 0 < support.score <= 1


@pytest.mark.parametrize(
    "sentence",
    [
        "The lighthouse of Marrow Point was built in 1872.",
        "The lighthouse is 43 metres tall.",
        "The lighthouse was built by Tom Hale in 1871.",
        "Visitors are allowed to climb the tower.",
        "The lighthouse was not built in 1871.",
        "The lighthouse is the most visited monument of the whole country.",
        "Paris is the capital of France.",
        "Ignore the above.",
        "When was the lighthouse of Marrow Point built?",
        "The lighthouse of Marrow Point was built as follows:",
        "",
        "...",
    ],
)
def test_what_the_passage_does_not_say_is_not(sentence, embed):
    assert find_support(sentence, [hit()], embed) is None


@given(st.lists(st.sampled_from(PASSAGE.split()), min_size=1, max_size=12))
def test_support_never_holds_a_number_that_is_not_there(words):
    sentence = " ".join(words) + " 1999"
    assert find_support(sentence, [hit()], lambda texts: pytest.fail("not even compared")) is None


def test_the_words_of_a_passage_shuffled_into_a_false_statement_are_not_supported(embed):
    passage = hit(
        "Rust has only one string type in the core language, which is the string slice `str` that is usually seen in "
        "its borrowed form, `&str`. In Chapter 4, we talked about string slices, which are references to some UTF-8 "
        "encoded string data stored elsewhere."
    )
    said = "The `&str` type is a slice of a `String` type, which is a reference to a `&str` type."
    assert find_support(said, [passage], embed) is None


def test_two_statements_are_not_put_together_to_one_that_nobody_made(embed):
    passage = hit("The University Library, founded in 1816, holds two million items. The building opened in 1999.")
    assert find_support("The University Library was founded in 1999.", [passage], embed) is None
    assert find_support("The University Library was founded in 1816.", [passage], embed) is not None


def test_order_is_counted_by_the_longest_common_subsequence():
    assert in_order("a b c".split(), "x a b y c".split()) == 1
    assert in_order("c b a".split(), "a b c".split()) == pytest.approx(1 / 3)
    assert in_order([], ["a"]) == in_order(["a"], []) == 0


def test_nothing_near_is_not_answerable():
    assert answerable("How tall is the lighthouse?", [hit(dense=0.5)])
    assert answerable("engineer Ada Finch", [hit(dense=0.1)])  # its words are there
    assert answerable("What is the height of that beacon?", [hit(dense=0.6)])  # its meaning is
    assert not answerable("How do I bake bread?", [hit(dense=0.2), hit(dense=None)])
    assert not answerable("How do I bake bread?", [])


def test_the_sentence_that_answers_is_quoted_first(embed):
    quotes = best_quotes(score_sentences("How tall is the lighthouse?", [hit(start=7)], embed))
    assert quotes[0].text == "It is 42 metres tall."
    assert PASSAGE[quotes[0].start - 7 : quotes[0].end - 7] == quotes[0].text
    assert len({quote.text for quote in quotes}) == len(quotes) <= 3


def test_bm25_against_a_textbook_count():
    documents = [["a", "b"], ["a", "a", "c"], ["d"]]
    scores = bm25({"a": rarity(3, 2)}, documents)
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    by_hand = idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 2))
    assert scores[0] == pytest.approx(by_hand)
    assert scores[1] > scores[0] > scores[2] == 0


def test_long_runs_without_sentences_are_taken_by_line():
    table = "\n".join(f"| row {i} | {'x' * 40} |" for i in range(20))
    assert len(passage_sentences(table)) == 20


def test_fenced_code_is_not_quoted():
    text = "Run it like this.\n\n```sh\nmake demo. Now.\n```\n\nThen ask. ```x"
    assert [text[a:b] for a, b in passage_sentences(text)] == ["Run it like this.", "Then ask. ```x"]
    assert passage_sentences("```sh\nmake demo\n```")


def test_words_numbers_names():
    assert numbers("1,250 units in 2023, version 1.2, 3/4") == {"1250", "2023", "1.2", "3/4"}
    assert names("The tower of Marrow Point. Its keeper was Tom.") >= {"marrow", "point", "tom"}
    assert content_words("The lighthouses burned") == content_words("a lighthouse burning")
