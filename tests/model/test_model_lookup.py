"""Guesses from the text itself: what is proposed, and when guessing stops."""

from rag_dolly.generate.lookup import Acceptance, Lookup


def test_proposes_what_followed_the_last_tokens_before():
    assert Lookup([1, 2, 3, 4, 5, 6, 9, 1, 2, 3]).draft(3) == [4, 5, 6]


def test_three_tokens_that_agree_count_more_than_two_and_late_places_more_than_early():
    assert Lookup([1, 2, 3, 4, 9, 2, 3, 5, 9, 1, 2, 3]).draft(1) == [4]
    assert Lookup([2, 3, 4, 9, 2, 3, 5, 9, 2, 3]).draft(1) == [5]


def test_two_tokens_are_enough_and_one_is_not():
    assert Lookup([7, 2, 3, 4, 8, 2, 3]).draft(2) == [4, 8]
    assert Lookup([7, 3, 4, 8, 3]).draft(2) == []


def test_a_text_that_repeats_itself_is_continued_round_and_round():
    assert Lookup([9, 1, 2, 1, 2]).draft(5) == [1, 2, 1, 2, 1]
    assert Lookup([5, 5, 5]).draft(4) == [5, 5, 5, 5]


def test_tokens_added_later_are_found_like_those_of_the_prompt():
    lookup = Lookup([1, 2])
    assert lookup.draft(1) == []
    for token in (3, 8, 1, 2):
        lookup.add(token)
    assert lookup.draft(2) == [3, 8]
    assert lookup.text == [1, 2, 3, 8, 1, 2]


def test_short_and_empty_texts_have_nothing_to_propose():
    assert [Lookup(text).draft(3) for text in ([], [1], [1, 2])] == [[], [], []]


def guesses_in(tokens: int, accepted: int) -> int:
    """Return how often is guessed in an answer of `tokens` where each guess is right in `accepted` tokens."""
    acceptance, guesses = Acceptance(), 0
    while tokens > 0:
        if acceptance.pays:
            acceptance.checked(7, accepted)
            guesses += 1
            tokens -= 1 + accepted
        else:
            acceptance.plain()
            tokens -= 1
    return guesses


def test_guessing_rests_when_it_does_not_pay_and_goes_on_when_it_does():
    assert guesses_in(500, accepted=0) <= 20
    assert guesses_in(500, accepted=1) == 250


def test_a_right_guess_after_the_rest_brings_guessing_back():
    acceptance = Acceptance()
    while acceptance.pays:
        acceptance.checked(7, 0)
    while not acceptance.pays:
        acceptance.plain()
    acceptance.checked(7, 7)
    assert acceptance.pays
    acceptance.checked(7, 0)
    assert acceptance.pays


def test_a_new_answer_begins_with_guesses_and_counts_go_on():
    acceptance = Acceptance()
    while acceptance.pays:
        acceptance.checked(7, 0)
    drafted = acceptance.drafted
    acceptance.begin()
    assert acceptance.pays
    acceptance.checked(7, 3)
    assert (acceptance.drafted, acceptance.accepted) == (drafted + 7, 3)
