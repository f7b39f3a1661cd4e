"""Attention for continuous batching without the flash-attn package: each answer attends to its own tokens alone.

transformers' own way without that package is one matrix of all new tokens by all kept ones, most of it masked out: its
cost grows with the square of the number of answers, and its mask is held in memory at full size. Here each answer is
computed by itself: by torch's own flash kernel for sequences of unequal length on a CUDA device that has it, else one
after the other. Only for models whose layers all look at the whole text (no sliding window, no soft cap, no sinks).
"""

import functools
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "rag_dolly_flash"
"""What transformers knows it by. It has "flash" in it, as that tells the manager to make no mask."""


def register() -> None:
    """Make `NAME` known to transformers, beside the attentions of its own."""
    import transformers

    transformers.AttentionInterface.register(NAME, attend)


def attend(
    module: Any,
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: None,
    *,
    scaling: float | None = None,
    cache: Any,
    **packed: Any,
) -> tuple["torch.Tensor", None]:
    """Return what `query` finds: (1, new tokens, heads, size), for query, key and value (1, heads, new tokens, size).

    `cache` is transformers' `PagedAttentionCache`; it keeps the new keys and values and gives all that are needed, the
    sequences one after the other. `packed` says where they begin and end.
    """
    key, value = cache.update(key_states=key, value_states=value, layer_idx=module.layer_idx, kwargs=packed)
    if _has_kernel(query.device, query.dtype, query.shape[-1]):
        return _at_once(query, key, value, scaling, packed), None
    return _one_by_one(module, query, key, value, scaling, packed), None


def _at_once(query: Any, key: Any, value: Any, scaling: float | None, packed: dict[str, Any]) -> "torch.Tensor":
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))
    found = varlen_attn(
        query,
        key,
        value,
        packed["cu_seq_lens_q"],
        packed["cu_seq_lens_k"],
        packed["max_length_q"],
        packed["max_length_k"],
        scale=scaling,
        window_size=(-1, 0),  # causal, the last new token seeing the last kept one
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return found.unsqueeze(0)  # type: ignore[union-attr]  # a pair only where more is asked for


def _one_by_one(
    module: Any, query: Any, key: Any, value: Any, scaling: float | None, packed: dict[str, Any]
) -> "torch.Tensor":
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    found, at, start = [], 0, 0
    ends = zip(packed["cu_seq_lens_q"][1:].tolist(), packed["cu_seq_lens_k"][1:].tolist(), strict=True)
    for until, end in ends:
        new, kept = until - at, end - start
        mask = None
        if 1 < new < kept:  # a later piece of a prompt
            mask = torch.ones(new, kept, dtype=torch.bool, device=query.device).tril(kept - new)[None, None]
        states = query[:, :, at:until], key[:, :, start:end], value[:, :, start:end]
        found.append(sdpa_attention_forward(module, *states, mask, scaling=scaling, is_causal=True)[0])
        at, start = until, end
    return torch.cat(found, dim=1)


@functools.cache
def _has_kernel(device: "torch.device", dtype: "torch.dtype", size: int) -> bool:
    """Tell whether torch's flash kernel takes it: torch 2.10, Ampere or later, 16 bits, heads of 8n <= 256."""
    import torch

    if device.type != "cuda" or dtype not in (torch.float16, torch.bfloat16) or size % 8 or size > 256:
        return False
    found = importlib.util.find_spec("torch.nn.attention.varlen") is not None
    return found and torch.cuda.get_device_capability(device) >= (8, 0)
