"""The model alone: its pieces add up, its prompt has what fits, and it says so where it cannot."""

import pytest

from rag_dolly.errors import QuestionTooLong
from rag_dolly.plain_chat import fitting_prompt, plain_pieces
from rag_dolly.prompt import END_KEY, INPUT_KEY, RESPONSE_KEY, chat_messages, render_dolly


class Pipeline:
    name = "words"
    window = 100

    def render(self, question, passages, history=()):
        return "\n".join([*(f"{asked}|{answered}" for asked, answered in history), question])

    def count(self, prompt):
        return len(prompt)

    def stream(self, prompt, max_tokens, stop):
        for word in "I am a model".split():
            if stop():
                return
            yield f"{word} "


def whole(question, history=(), stop=lambda: False):
    pieces = list(plain_pieces(Pipeline(), question, history, 20, stop))
    return {key: value for piece in pieces for key, value in piece.items() if key != "answer"}, "".join(
        piece.get("answer", "") for piece in pieces
    )


def test_the_pieces_say_that_nothing_was_searched():
    told, answer = whole("Who are you?")
    assert answer == "I am a model "
    assert told["mode"] == "plain" and told["citations"] == told["retrieved"] == [] and told["model"] == "words"
    assert told["timings"]["total"] >= told["timings"]["first_token"] and not told["stopped"]


def test_stop_ends_the_text():
    told, answer = whole("Who are you?", stop=lambda: True)
    assert answer == "" and told["stopped"]


def test_the_latest_turns_that_fit_are_in_the_prompt():
    history = [("a" * 30, "b" * 30), ("c" * 10, "d" * 10)]
    assert fitting_prompt(Pipeline(), "And now?", history, 20) == f"{'c' * 10}|{'d' * 10}\nAnd now?"
    assert fitting_prompt(Pipeline(), "And now?", [("a" * 90, "b")], 20) == "And now?"


def test_a_question_that_does_not_fit_is_refused():
    with pytest.raises(QuestionTooLong, match="ask a shorter one"):
        fitting_prompt(Pipeline(), "x" * 90, [], 20)


def test_dolly_is_asked_as_in_its_training_without_an_input():
    prompt = render_dolly(f"Explain fusion. {END_KEY}", ())
    assert INPUT_KEY not in prompt and prompt.endswith(f"{RESPONSE_KEY}\n") and prompt.count(END_KEY) == 0


def test_a_chat_model_is_not_told_of_passages_that_are_not_there():
    assert "passages" not in chat_messages("Explain fusion.", ())[0]["content"]
    assert "passages" in chat_messages("Explain fusion.", ["Fusion joins."])[0]["content"]
