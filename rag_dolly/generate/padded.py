"""Several prompts decoded together by transformers' own `generate`, padded on the left to one length.

The plain way, for devices without continuous batching: a row that has ended still costs until the longest one ends.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BATCH = 8
"""Prompts decoded together."""


def decode_padded(
    model: "PreTrainedModel", prompts: Sequence[Sequence[int]], max_tokens: Sequence[int], stop_ids: frozenset[int]
) -> list[list[int]]:
    """Return for each of n prompts its answer's tokens, greedily decoded, ending with a stop id if there was one."""
    answers: list[list[int]] = [[] for _ in prompts]
    for group in _groups([len(prompt) for prompt in prompts], max_tokens):
        rows = _generate(model, [prompts[i] for i in group], max_tokens[group[0]], stop_ids)
        for i, row in zip(group, rows, strict=True):
            end = next((at + 1 for at, token in enumerate(row) if token in stop_ids), len(row))
            answers[i] = row[:end]
    return answers


def _generate(model: Any, rows: Sequence[Sequence[int]], max_tokens: int, stop_ids: frozenset[int]) -> list[list[int]]:
    import torch
    import transformers

    if max_tokens < 1:
        return [[] for _ in rows]
    make_config: Any = transformers.GenerationConfig
    pad, width = min(stop_ids), max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    config = make_config(
        do_sample=False, use_cache=True, max_new_tokens=max_tokens, eos_token_id=sorted(stop_ids), pad_token_id=pad
    )
    found = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    return [[int(token) for token in row] for row in found[:, width:].tolist()]


def _groups(lengths: Sequence[int], max_tokens: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices to decode together: of like length, with the same limit."""
    order = sorted(range(len(lengths)), key=lambda i: (max_tokens[i], lengths[i]))
    while order:
        limit = max_tokens[order[0]]
        group = [i for i in order[:BATCH] if max_tokens[i] == limit]
        yield group
        order = order[len(group) :]
