"""Hits to a prompt that fits: whole passages in rank order into what the context window leaves.

Passages stand in rank order, the best first; `benchmarks/order.py` measures other orders with the model in use.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag_dolly.errors import QuestionTooLong
from rag_dolly.types import Hit, Pipeline, Turn

Widen = Callable[[Hit, Sequence[Hit]], Hit]
"""(a hit, the other hits) -> the hit grown to its paragraph, or as it was."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A prompt, the hits whose passages are in it (numbered from 1 in this order), and its exact size.

    `not_fitting` are the hits that were left out, all for want of room; `room` is how many tokens the prompt may have,
    `history` the earlier turns in it.
    """

    prompt: str
    hits: tuple[Hit, ...]
    not_fitting: tuple[Hit, ...]
    tokens: int
    room: int = 0
    history: tuple[Turn, ...] = ()

    @property
    def left_out(self) -> int:
        """How many hits were left out."""
        return len(self.not_fitting)


def pack(
    pipeline: Pipeline,
    question: str,
    hits: Sequence[Hit],
    max_tokens: int,
    history: Sequence[Turn] = (),
    widen: Widen | None = None,
) -> Packed:
    """Pack as many whole passages as fit beside question, history and an answer of `max_tokens`.

    Counted on the rendered prompt with the model's own tokenizer. A passage that does not fit is left out and the
    next one tried; earlier turns give way before passages do, oldest first. Where room is left after that, the best
    passage is widened. Raises `QuestionTooLong` when the question alone does not fit.
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
    wider = [widen(chosen[0], hits), *chosen[1:]] if widen and chosen else chosen
    if wider != chosen:
        longer = pipeline.render(question, [hit.text for hit in wider], history)
        if (count := pipeline.count(longer)) <= budget:
            chosen, prompt, tokens = wider, longer, count
    taken = {hit.rank for hit in chosen}
    left_out = tuple(hit for hit in hits if hit.rank not in taken)
    return Packed(prompt, tuple(chosen), left_out, tokens, budget, tuple(history))


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
