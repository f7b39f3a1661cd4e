"""The model alone, without documents: a plain chat as Dolly's public demo of 2023 was one.

Nothing is searched, checked or cited, so every answer has the mode "plain" and whoever shows it says that it has no
source. The prompt is the model's own format without an input section; earlier turns are in it as far as they fit.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from rag_dolly.errors import ModelNotFound, QuestionTooLong
from rag_dolly.types import Pipeline, Turn

MODE = "plain"
NO_MODEL = "There is no language model to chat with: start rag-dolly with another --model than none."
_TURNS_SHARE = 2
"""Earlier turns may take one part in so many of what the prompt may have."""


def plain_pieces(
    pipeline: Pipeline | None,
    question: str,
    history: Sequence[Turn],
    max_tokens: int,
    stop: Callable[[], bool],
) -> Iterator[dict[str, Any]]:
    """Yield the answer in pieces that add up: "question", "model" and "mode" first, then "answer", "timings" last.

    Raises `ModelNotFound` without a model, `QuestionTooLong`, and what the model raises.
    """
    if pipeline is None:
        raise ModelNotFound(NO_MODEL)
    began = time.monotonic()
    first = None
    yield {"question": question, "model": pipeline.name, "mode": MODE, "citations": [], "retrieved": []}
    pieces = pipeline.stream(fitting_prompt(pipeline, question, history, max_tokens), max_tokens, stop)
    with closing(pieces):  # type: ignore[type-var]
        for piece in pieces:
            first = time.monotonic() - began if first is None else first
            yield {"answer": piece}
    total = time.monotonic() - began
    seconds = {"first_token": round(total if first is None else first, 4), "total": round(total, 4)}
    yield {"abstained": False, "stopped": stop(), "timings": seconds}


def fitting_prompt(pipeline: Pipeline, question: str, history: Sequence[Turn], max_tokens: int) -> str:
    """Return the prompt with as many of the latest turns as fit beside question and answer.

    Raises `QuestionTooLong` if the question alone does not fit.
    """
    room = pipeline.window - min(max_tokens, pipeline.window // 2)
    alone = pipeline.count(pipeline.render(question, ()))
    if alone > room:
        raise QuestionTooLong(f"The question has {alone} tokens, {pipeline.name} takes {room}: ask a shorter one.")
    kept = list(history)
    while kept:
        prompt = pipeline.render(question, (), kept)
        if pipeline.count(prompt) <= min(room, alone + room // _TURNS_SHARE):
            return prompt
        kept.pop(0)
    return pipeline.render(question, ())
