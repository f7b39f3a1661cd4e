"""Decoding with nothing but a model and its cache of keys and values: works for every model, on every device."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def decode_plain(
    model: "PreTrainedModel", prompt: Sequence[int], max_tokens: int, stop_ids: frozenset[int]
) -> Iterator[int]:
    """Yield the tokens of the answer, greedily decoded, at most `max_tokens`; a stop id is yielded last."""
    import torch

    run: Any = model
    cache: Any = None
    ids = list(prompt)
    for _ in range(max_tokens):
        with torch.inference_mode():
            found = run(
                input_ids=torch.tensor([ids], device=model.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        cache = found.past_key_values
        token = int(found.logits[0, -1].argmax())
        yield token
        if token in stop_ids:
            return
        ids = [token]
