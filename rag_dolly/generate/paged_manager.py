"""transformers' continuous batching manager made ready: which attention it uses, how many pages, how large a step.

Written against transformers 5.23, whose names for these options are young. The model itself is never changed: where
another attention than its own is needed, a second set of modules over the same weights is used. Without the flash-attn
package attention is that of `paged_attention`.
"""

import itertools
import logging
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from rag_dolly.generate import paged_attention

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_TOGETHER, _TOGETHER_ELSEWHERE = {"cuda": 64}, 16  # answers decoded together
_WINDOWS, _WINDOWS_ELSEWHERE = {"cuda": 64}, 8  # full windows kept; where they run out, an answer is computed again
_STEP, _STEP_ELSEWHERE = {"cuda": 2048}, 512  # tokens in one step: how long new prompts keep the others waiting
_USUAL_WINDOW = 2048  # a model with a longer window gets room for this many tokens an answer, and for one full window


def can_batch(model: "PreTrainedModel") -> bool:
    """Tell whether transformers can batch the model so: on one device, and plain attention in every layer."""
    devices = set((getattr(model, "hf_device_map", None) or {}).values())
    layers = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    plain = layers <= {"full_attention", "sliding_attention"}
    return len(devices) < 2 and plain and bool(model._supports_attention_backend)


def best_attention(model: "PreTrainedModel") -> str:
    """Return the name of the best attention that batching can use: flash where its package is installed."""
    import torch
    from transformers.utils import import_utils

    if model.device.type == "cuda" and model.dtype != torch.float32 and model._supports_flash_attn:
        if import_utils.is_flash_attn_3_available():
            return "flash_attention_3"
        if import_utils.is_flash_attn_2_available():
            return "flash_attention_2"
    own = model.config._attn_implementation
    if own != "sdpa":
        return "paged|eager"
    return paged_attention.NAME if _looks_at_all(model) else "sdpa"


def _looks_at_all(model: "PreTrainedModel") -> bool:
    """Tell whether every layer attends to the whole text, and plainly."""
    config = model.config.get_text_config()
    odd = ("sliding_window", "attn_logit_softcapping", "attention_chunk_size")
    layers = set(getattr(config, "layer_types", None) or ())
    return layers <= {"full_attention"} and not any(getattr(config, name, None) for name in odd)


def start_manager(model: "PreTrainedModel", attention: str, stop_ids: list[int], window: int, share: float) -> Any:
    """Return a manager with its pages allocated and its CUDA graphs recorded; its thread is not started.

    Its pages take at most `share` (0 to 1) of the free memory, and no more than is of use. Raises `MemoryError` if one
    full `window` of tokens does not fit, and torch's own error where its reckoning was wrong.
    """
    import torch

    logging.getLogger("ContinuousBatchingLogger").setLevel(logging.CRITICAL)  # it prints what callers get raised
    kind, page = model.device.type, _page(attention)
    usable = with_attention(model, attention)
    with torch.cuda.device(model.device.index or 0 if kind == "cuda" else -1):
        try:
            manager = _manager(usable, attention, stop_ids, window, share, _pages(window, page, kind))
        except MemoryError:  # it does not fit: take what does
            manager = _manager(usable, attention, stop_ids, window, share, None)
    room = manager.batch_processor.cache.num_blocks * page
    if room < window:
        raise MemoryError(f"expected room for the keys and values of {window} tokens, found room for {room}")
    return manager


def with_attention(model: "PreTrainedModel", attention: str) -> Any:
    """Return `model` if that is its attention, else new modules over the same weights: `model` stays as it is."""
    if model.config._attn_implementation == attention:
        return model
    shared = {id(tensor): tensor for tensor in itertools.chain(model.parameters(), model.buffers())}
    twin = deepcopy(model, shared)
    if attention == paged_attention.NAME:
        paged_attention.register()
        twin.config._attn_implementation = attention  # the method would look for a package of that name
    else:
        twin.set_attn_implementation(attention)
    return twin


def _manager(model: Any, attention: str, stop_ids: list[int], window: int, share: float, pages: int | None) -> Any:
    import transformers

    flash, page, kind = _is_package(attention), _page(attention), model.device.type
    config = transformers.ContinuousBatchingConfig(
        page_size=page,
        num_blocks=pages,
        max_batch_tokens=_STEP.get(kind, _STEP_ELSEWHERE),
        max_requests_per_batch=_TOGETHER.get(kind, _TOGETHER_ELSEWHERE),
        max_memory_percent=share * _free_part(kind),
        max_blocks_per_request=_pages_for(window, page) + 1 if flash else 0,
        scheduler_type="fifo",  # running answers, then prompts as they came; "prefill_first" lets long prompts go first
        allow_block_sharing=True,
        use_cuda_graph=(False, flash),  # for steps without prompts, whose shapes repeat
        use_async_batching=False,  # in 5.23 a request that is cancelled during its step ends the thread: KeyError
        auto_switch_to_flash=False,  # it may fetch kernels from the hub
        seed=0,
    )
    settings: Any = transformers.GenerationConfig
    manager = model.init_continuous_batching(settings(do_sample=False, eos_token_id=stop_ids, pad_token_id=0), config)
    try:
        manager.warmup()
    except ValueError as error:  # "Invalid values": not one page fits
        raise MemoryError(str(error)) from error
    return manager


def _page(attention: str) -> int:
    """Tokens in a page: flash kernels ask for 256; else few, so that a short common beginning fills whole pages."""
    return 256 if _is_package(attention) else 16


def _is_package(attention: str) -> bool:
    return attention.startswith("flash_attention_")


def _pages_for(tokens: int, page: int) -> int:
    return -(-tokens // page)


def _pages(window: int, page: int, kind: str) -> int:
    """Return how many pages can be of use: for one full window, and for many windows of the usual size."""
    windows = _WINDOWS.get(kind, _WINDOWS_ELSEWHERE)
    return max(_pages_for(window, page), windows * _pages_for(min(window, _USUAL_WINDOW), page)) + 1


def _free_part(kind: str) -> float:
    """Return the free part of what transformers takes for free: on a processor it forgets the other programs."""
    if kind != "cpu":
        return 1.0
    import psutil

    memory = psutil.virtual_memory()
    return float(min(1.0, memory.available / max(1, memory.total - psutil.Process().memory_info().rss)))
