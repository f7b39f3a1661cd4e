"""A follow-up question carries its subject into the search; a question that stands alone carries nothing."""

import json
import time
from pathlib import Path

import pytest

from rag_dolly.followup import CARRIED, LONGEST, search_text
from rag_dolly.leaning import LONG, leaning

LIGHTHOUSE = [("Who built the lighthouse of Marrow Point?", "Ada Finch built it in 1871 [1].")]
FORMATTER = [("How do I format my code automatically?", "The tool rustfmt reformats your code [1].")]


def carried(question, history):
    """What was added to the question."""
    text = search_text(question, history)
    assert text.startswith(question)
    return text.removeprefix(question).split()


@pytest.mark.parametrize(
    "question",
    [
        "How tall is it?",
        "Are they dangerous to people?",
        "Can I visit this one?",
        "What else can I do there?",
        "Who lived in that?",
        "How do I get to that lighthouse?",
        "Does that cost anything?",
        "And in winter?",
        "What about the keeper?",
        "Why?",
        "An example?",
        "With a guide?",
        "What's the difference to a beacon?",
        "Is a beacon better?",
        "how tall is taht",
        "ok, and the lamp?",
    ],
)
def test_a_question_that_leans_carries_its_subject(question):
    assert {"Marrow", "Point"} <= set(carried(question, LIGHTHOUSE))


@pytest.mark.parametrize(
    "question",
    [
        "Who composed the opera Fidelio?",
        "What is shadowing?",
        "Is there a type that never returns?",
        "What does it mean that a pattern is refutable?",
        "And how do I read command line arguments?",
        "What command creates a project, and which files does it generate?",
        "Where did France focus its efforts to rebuild its empire?",
        "How many points were scored in the last three minutes of the game?",
        "What is the IT budget for 2024?",
        "What is this book about?",
        "How long does it take to charge a battery?",
        "variable capacitance amplifiers",
        "Tell me about the use of the glob operator",
        "Wie viele Monde gibt es im Sonnensystem?",
        "Welches Ereignis führte dazu, dass der Krieg begann?",
        "Combien de lunes y a-t-il dans le système solaire ?",
        "¿Cuántas lunas tiene el planeta Marte?",
        "芝加哥大学位于美国的哪个城市？",
        "HashMap 怎么更新值?",
    ],
)
def test_a_new_subject_is_searched_alone(question):
    assert search_text(question, LIGHTHOUSE) == question


@pytest.mark.parametrize(
    ("question", "asked", "subject"),
    [
        ("Wie hoch ist er?", "Wer baute den Leuchtturm?", "Leuchtturm"),
        ("Und im Winter?", "Wer baute den Leuchtturm?", "Leuchtturm"),
        ("Quelle hauteur a-t-il ?", "Qui a construit le phare ?", "phare"),
        ("Et en hiver ?", "Qui a construit le phare ?", "phare"),
        ("¿Y en invierno?", "¿Quién construyó el faro?", "faro"),
        ("¿Cuánto mide esto?", "¿Quién construyó el faro?", "faro"),
        ("它有多高？", "什么是 Mutex<T>?", "Mutex<T>"),
        ("为什么？", "什么是 Mutex<T>?", "Mutex<T>"),
        ("それは安全ですか?", "Mutex<T> とは何ですか?", "Mutex<T>"),
    ],
)
def test_other_languages_lean_too(question, asked, subject):
    assert subject in carried(question, [(asked, "")])


def test_without_a_history_the_question_is_searched_as_it_is():
    for question in ("How tall is it?", "Why?", "它有多高？", "?"):
        assert search_text(question, []) == question


def test_a_pronoun_may_stand_for_what_only_the_answer_names():
    assert "rustfmt" in carried("How do I install it?", FORMATTER)
    assert "[1]" not in search_text("How do I install it?", FORMATTER)


def test_a_question_that_names_its_subject_takes_nothing_from_the_answer():
    history = [("What is a slice?", "A reference to a contiguous sequence of elements in a collection.")]
    assert carried("Does it own the data?", history) == ["slice"]


def test_a_fragment_takes_nothing_from_the_answer():
    assert carried("And Python?", FORMATTER) == ["format", "code", "automatically"]


def test_what_the_question_says_itself_is_not_said_again():
    assert carried("Is that the tallest LIGHTHOUSE?", LIGHTHOUSE).count("lighthouse") == 0


def test_the_subject_outlives_a_follow_up():
    history = [*LIGHTHOUSE, ("And how tall?", "It is 31 metres tall.")]
    assert "lighthouse" in carried("Why?", history)


def test_an_earlier_turn_is_found_by_order_or_by_its_words():
    history = [("What is a struct?", "A custom data type."), ("What is a tuple?", "A group of values.")]
    assert carried("Can the former have methods?", history) == ["struct"]
    assert carried("Can the first one have methods?", [*history, ("What is a crate?", "A unit.")]) == ["struct"]
    assert carried("Can the latter have methods?", history) == ["tuple"]
    crates = [("How do I publish crates?", "With cargo."), ("Who maintains rustfmt?", "A team.")]
    assert {"publish", "rustfmt"} <= set(carried("How do crates use it?", crates))


def test_what_is_carried_is_bounded_whatever_the_history_holds():
    hostile = [f"word{n} " * 3 for n in range(50_000)]
    histories = [
        [("".join(hostile), "".join(hostile))] * 200,
        [("x" * 1_000_000, "`" * 1_000_000)] * 3,
        [("and it? " * 100_000, "it, and " * 100_000)] * 50,
        [("什么是" * 100_000, "[1]" * 100_000)] * 3,
        [("\x00\ud800 it \u202e" * 1000, "")],
    ]
    began = time.monotonic()
    for history in histories:
        added = carried("Why is it so?", history)
        assert len(added) <= CARRIED and all(len(word) <= LONGEST for word in added)
    assert time.monotonic() - began < 2


def test_a_long_question_stands_alone_and_is_not_looked_at():
    for text in ("it " * LONG, "a, " * 6_000, "what if " * 2_000):
        assert search_text(text, LIGHTHOUSE) == text


@pytest.mark.parametrize("question", ["?", "...", "\n", "\x00", "👍", "[1]", "(((((" * 20, "it" * 140])
def test_no_question_breaks_it(question):
    assert question in search_text(question, LIGHTHOUSE)


def test_a_history_of_nothing_adds_nothing():
    assert search_text("How tall is it?", [("", "")]) == "How tall is it?"
    assert search_text("How tall is it?", [("???", "[1]")]) == "How tall is it?"


def test_how_often_the_rules_are_right_on_the_conversations_that_are_measured():
    lines = (Path(__file__).parents[2] / "benchmarks" / "followups.jsonl").read_text(encoding="utf-8").splitlines()
    talks = [json.loads(line) for line in lines]
    alone = [talk["kind"] == "shift" or talk["question"] == talk["standalone"] for talk in talks]
    right = [bool(leaning(talk["question"])) != stands for talk, stands in zip(talks, alone, strict=True)]
    assert len(talks) >= 80 and sum(right) / len(right) >= 0.94
