"""How good a model is on records that it is not trained on: loss and perplexity, and its greedy answers."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from rag_dolly.answer import REFUSAL
from rag_dolly.answer_measures import exact_match, f1
from rag_dolly.finetune.batches import as_batch
from rag_dolly.finetune.examples import Example
from rag_dolly.finetune.loss import response_loss
from rag_dolly.finetune.training import Trainee

if TYPE_CHECKING:
    from rag_dolly.generate.dialect import Dialect

ANSWERED = 50
"""Held-out records that are also answered: an answer takes far longer than its loss."""
MOST_ANSWER = 256


@dataclass(frozen=True, slots=True)
class Figures:
    """Loss a response token and its exponential; means over the answers of exact match and F1, None if none was asked.

    `refused_rightly` and `refused_wrongly` are shares of the records whose right response is the refusal, and of the
    others; None where there are none.
    """

    loss: float
    perplexity: float
    records: int
    exact_match: float | None = None
    f1: float | None = None
    answers: int = 0
    refused_rightly: float | None = None
    refused_wrongly: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def measure(trainee: Trainee, dialect: "Dialect", examples: Sequence[Example], micro: int) -> Figures | None:
    """Measure a model, on all its devices; None if nothing is held out. Of a sharded model the loss alone."""
    if not examples:
        return None
    import torch

    accelerator = trainee.accelerator
    trainee.model.eval()
    with torch.no_grad():
        loss = _loss(trainee, examples, micro)
        is_sharded = accelerator.distributed_type.value in ("FSDP", "DEEPSPEED")
        said: list[str] = []
        asked = [] if is_sharded else examples[:ANSWERED]
        if asked and accelerator.is_main_process:
            with accelerator.autocast():
                said = greedy_answers(accelerator.unwrap_model(trainee.model), dialect, asked)
    accelerator.wait_for_everyone()
    figures = Figures(loss, math.exp(min(loss, 700.0)), len(examples))
    return _with_answers(figures, said, [example.answer for example in asked]) if said else figures


def _loss(trainee: Trainee, examples: Sequence[Example], micro: int) -> float:
    """Return the mean loss of the response tokens; each process takes the same number of turns."""
    import torch

    accelerator = trainee.accelerator
    ordered = sorted(examples, key=lambda example: example.length)
    groups = [ordered[first : first + micro] for first in range(0, len(ordered), micro)]
    rank, world = accelerator.process_index, accelerator.num_processes
    summed = torch.zeros((), device=accelerator.device)
    for turn in range(math.ceil(len(groups) / world)):
        place = turn * world + rank
        batch = as_batch(groups[min(place, len(groups) - 1)], accelerator.device)
        loss = response_loss(trainee.model, batch, trainee.can_keep)
        summed += loss if place < len(groups) else 0
    return float(accelerator.reduce(summed, "sum")) / sum(len(example.response) for example in examples)


def greedy_answers(model: Any, dialect: "Dialect", examples: Sequence[Example]) -> list[str]:
    """Return what the model says to the prompt of each example, at most twice as long as the longest response."""
    from rag_dolly.generate.opening import window_of
    from rag_dolly.generate.padded import decode_padded

    plain = getattr(model, "get_base_model", lambda: model)()
    prompts = [example.prompt for example in examples]
    window = window_of(plain.config.to_dict())
    most = min(MOST_ANSWER, 2 * max(len(example.response) for example in examples))
    limits = [min(most, window - len(prompt)) for prompt in prompts]
    said = []
    for tokens in decode_padded(plain, prompts, limits, dialect.stop_ids):
        transcript = dialect.transcript()
        said.append("".join([*map(transcript.push, tokens), transcript.close()]).strip())
    return said


def _with_answers(figures: Figures, said: Sequence[str], wanted: Sequence[str]) -> Figures:
    pairs = list(zip(said, wanted, strict=True))
    rightly = [REFUSAL in answer for answer, right in pairs if right == REFUSAL]
    wrongly = [REFUSAL in answer for answer, right in pairs if right != REFUSAL]
    return replace(
        figures,
        exact_match=sum(exact_match(answer, [right]) for answer, right in pairs) / len(pairs),
        f1=sum(f1(answer, [right]) for answer, right in pairs) / len(pairs),
        answers=len(pairs),
        refused_rightly=sum(rightly) / len(rightly) if rightly else None,
        refused_wrongly=sum(wrongly) / len(wrongly) if rightly and wrongly else None,
    )
