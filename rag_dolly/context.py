"""Hits to a prompt that fits: whole passages in rank order into what the context window leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag_dolly.errors import QuestionTooLong
from rag_dolly.types import Hit, Pipeline, Turn


@dataclass(frozen=True, slots=True)
class Packed:
    """A prompt, the hits whose passages are in it (numbered from 1 in this order), and its exact size."""

    prompt: str
    hits: tuple[Hit, ...]
    left_out: int
    tokens: int


def pack(
    pipeline: Pipeline, question: str, hits: Sequence[Hit], max_tokens: int, history: Sequence[Turn] = ()
) -> Packed:
    """Pack as many whole passages as fit beside question, history and an answer of `max_tokens`.

    Counted on the rendered prompt with the model's own tokenizer. A passage that does not fit is left out and the
    next one tried; earlier turns give way before passages do, oldest first. Raises `QuestionTooLong` when the
    question alone does not fit.
    """
    budget = pipeline.window - min(max_tokens, pipeline.window // 2)
    history = _fitting_history(pipeline, question, budget, history)
    chosen: list[Hit] = []
    prompt = pipeline.render(question, (), history)
    tokens = pipeline.count(prompt)
    for hit in hits:
        longer = pipeline.render(question, [*(h.text for h in chosen), hit.text], history)
        count = pipeline.count(longer)
        if count <= budget:
            chosen, prompt, tokens = [*chosen, hit], longer, count
    return Packed(prompt, tuple(chosen), len(hits) - len(chosen), tokens)


def _fitting_history(pipeline: Pipeline, question: str, budget: int, history: Sequence[Turn]) -> Sequence[Turn]:
    alone = pipeline.count(pipeline.render(question, ()))
    if alone > budget:
        raise QuestionTooLong(
            f"The question is too long for {pipeline.name}: {alone} tokens with its frame, {budget} fit beside an "
            "answer. Ask a shorter one, or set fewer --max-tokens."
        )
    kept = list(history)
    while kept and pipeline.count(pipeline.render(question, (), kept)) > budget // 3:
        kept.pop(0)
    return kept
