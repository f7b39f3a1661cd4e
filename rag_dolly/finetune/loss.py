"""The loss of the responses, and no logits but theirs.

Batches are padded on the left, so the responses of all rows end at the last place, and the output head has to be
computed for the longest response only (`logits_to_keep`), not for the prompts: with 50,000 tokens in the vocabulary
that is most of the memory of a training step.
"""

import inspect
from typing import TYPE_CHECKING, Any

from rag_dolly.finetune.batches import Batch

if TYPE_CHECKING:
    from torch import Tensor


def response_loss(model: Any, batch: Batch, can_keep: bool = True) -> "Tensor":
    """Return the summed cross-entropy of the response tokens of a batch, a float32 scalar.

    `can_keep` says whether the model computes the logits of the last places alone (`keeps_logits`).
    """
    import torch

    options = {"logits_to_keep": batch.tail + 1} if can_keep else {}
    logits = model(
        input_ids=batch.ids, attention_mask=batch.mask, position_ids=batch.positions, use_cache=False, **options
    ).logits
    predicted = logits[:, -batch.tail - 1 : -1].float()
    loss = torch.nn.functional.cross_entropy(predicted.flatten(0, 1), batch.targets.flatten(), reduction="sum")
    return loss


def target_count(batch: Batch) -> int:
    """Return how many tokens of a batch are learned."""
    return int((batch.targets != -100).sum())


def keeps_logits(model: Any) -> bool:
    """Whether a model of transformers can be asked for the logits of its last places alone."""
    return "logits_to_keep" in inspect.signature(type(model).forward).parameters
