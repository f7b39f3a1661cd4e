"""Cues tell what a question asks for, and a sentence has it only if the question does not name it."""

import pytest

from rag_dolly.question_type import holds, question_type


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was it built?", "time"),
        ("In what year did the war end?", "time"),
        ("Who led the revolt?", "person"),
        ("Which country borders Chad?", "place"),
        ("How many seats are there?", "number"),
        ("What percentage of seats is elected?", "share"),
        ("Why did it fail?", "reason"),
        ("What is a fjord?", None),
        ("Wie hoch ist der Turm?", None),
    ],
)
def test_what_a_question_asks_for(question, kind):
    assert question_type(question) == kind


@pytest.mark.parametrize(
    ("kind", "sentence", "question", "held"),
    [
        ("time", "It ended in 1763.", "When did it end?", True),
        ("time", "It ended in 1763.", "When in 1763 did it end?", False),
        ("person", "The revolt was led by Rollo.", "Who led the revolt?", True),
        ("person", "Rollo had a leader.", "Who was the leader of Rollo?", False),
        ("number", "It has 129 seats.", "How many seats has it?", True),
        ("number", "It has many seats.", "How many seats has it?", False),
        ("share", "Some 40 % voted.", "What percentage voted?", True),
        ("reason", "It failed because of rain.", "Why did it fail?", True),
    ],
)
def test_a_sentence_has_what_is_asked_for(kind, sentence, question, held):
    assert holds(kind, sentence, question) is held
