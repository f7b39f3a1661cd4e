"""One prompt at a time, as fast as the memory of the device is read: static cache, compiled passes, prompt lookup.

Greedy, and exact: in float32 the tokens are those of transformers' `generate`; in a shorter format two nearly equal
tokens may swap. Nothing after a stop id is yielded; at most two passes run ahead of what was yielded, and they write
only where the next pass writes again. Keys and values of the last prompt and answer stay: of a prompt that begins
like it, only the rest is read.

Not safe to share between threads; one prompt must be finished or closed before the next one begins. The cache takes
its memory for the whole window at the first prompt (Dolly 3b: 0.67 GB for 2,048 tokens in bfloat16), so give a window
that is used. Imports torch: import this file in the function that needs it.
"""

import inspect
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rag_dolly.generate.decode_step import WIDTH, DecodeStep, Ticket
from rag_dolly.generate.lookup import Acceptance, Lookup

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_AHEAD = 2  # passes under way: one runs, one waits, so that the device never does


class StaticDecoder:
    """Decodes with `model` until one of `stop_ids`. `window`: tokens of a prompt and its answer together, at most.

    `compiled`: passes are compiled; None: on CUDA only. On CUDA they are captured in CUDA graphs in any case; without
    a C compiler, which torch.compile needs, False still gives that. `lookup`: guess tokens from the text (the same
    answer, in fewer passes where it repeats its passages). Raises `ValueError` if not `supports(model)`.
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        stop_ids: frozenset[int],
        window: int,
        *,
        compiled: bool | None = None,
        lookup: bool = True,
    ) -> None:
        if not supports(model):
            raise ValueError(f"expected a model that `supports` accepts, found {type(model).__name__}; use generate")
        self._on_cuda = model.device.type == "cuda"
        self._compiled = self._on_cuda if compiled is None else compiled
        self._guesses = lookup
        self._stop_ids = stop_ids
        self._window = window
        self._step = DecodeStep(model, window, self._compiled)
        self._acceptance = Acceptance()
        self._lookup = Lookup([])  # of its text, all but the last token is in the cache

    @property
    def drafted(self) -> int:
        """Tokens guessed by prompt lookup so far, over all answers."""
        return self._acceptance.drafted

    @property
    def accepted(self) -> int:
        """Guessed tokens that were right."""
        return self._acceptance.accepted

    def warm(self) -> float:
        """Compile, capture and run all passes before the first question, and return the seconds it took.

        Also measures what a guess costs here. Raises torch's error if the model cannot be compiled or captured
        (then make another decoder with `compiled=False`), or the memory is too small.
        """
        begun = perf_counter()
        self._lookup = Lookup([])
        self._acceptance.needed = min(max(self._step.warm(self._guesses) - 1, 0.2), 3.0)
        return perf_counter() - begun

    def decode(self, prompt: Sequence[int], max_tokens: int) -> Iterator[int]:
        """Yield the answer's ids, at most `max_tokens`; the stop id that ends it is yielded last.

        Nothing happens before the first `next`. Raises `ValueError` if the prompt is empty or does not fit the window
        with `max_tokens`, `RuntimeError` if another prompt was begun meanwhile, and torch's `OutOfMemoryError`.
        """
        if not prompt or max_tokens < 1 or len(prompt) + max_tokens > self._window:
            raise ValueError(
                f"expected a prompt and an answer within {self._window} tokens, at least one of each; found "
                f"{len(prompt)} and {max_tokens}"
            )
        with closing(self._bursts(prompt, len(prompt) + max_tokens)) as bursts:
            for token in (token for burst in bursts for token in burst):
                yield token
                if token in self._stop_ids:
                    return

    def describe(self) -> str:
        """Return in a few words how it decodes."""
        ways = [f"static cache of {self._window:,} tokens"]
        ways += ["compiled"] * self._compiled + ["CUDA graphs"] * self._on_cuda + ["prompt lookup"] * self._guesses
        return ", ".join(ways)

    def _bursts(self, prompt: Sequence[int], end: int) -> Generator[list[int]]:
        """Yield tokens as they become known, until the text has `end` of them, whatever they are."""
        under_way = deque([self._prefill(prompt)])
        lookup = self._lookup = Lookup(prompt)  # made while the device reads
        self._acceptance.begin()
        try:
            while (known := len(lookup.text)) < end:
                if self._lookup is not lookup:
                    raise RuntimeError("another prompt was begun before this one was finished or closed")
                guess = self._guess(lookup, end - known - len(under_way))
                if guess and not under_way:
                    yield self._checked(lookup, guess, end)
                    continue
                if not guess:
                    self._run_ahead(under_way, known, end)
                token = self._step.read(under_way.popleft())[0]
                lookup.add(token)
                self._acceptance.plain()
                yield [token]
        finally:
            for ticket in under_way:
                self._step.read(ticket)

    def _prefill(self, prompt: Sequence[int]) -> Ticket:
        """Read the prompt from where it differs from what the cache holds; its last token is always read."""
        cached = self._lookup.text[:-1]
        self._lookup = Lookup([])  # should reading fail half-way
        most = min(len(cached), len(prompt) - 1)
        shared = next((i for i in range(most) if cached[i] != prompt[i]), most)
        return self._step.prefill(prompt[shared:], shared)

    def _run_ahead(self, under_way: deque[Ticket], known: int, end: int) -> None:
        """Start passes, but none whose token would be beyond `end`."""
        while len(under_way) < _AHEAD and known + len(under_way) < end:
            under_way.append(self._step.step(known + len(under_way) - 1))

    def _guess(self, lookup: Lookup, wanted: int) -> list[int]:
        """Return tokens that may come next, [] where guessing does not pay or a checking pass does not fit."""
        fits = wanted > 1 and len(lookup.text) - 1 + WIDTH <= self._window
        return lookup.draft(WIDTH - 1) if self._guesses and fits and self._acceptance.pays else []

    def _checked(self, lookup: Lookup, guess: list[int], end: int) -> list[int]:
        """Check a guess, nothing being under way; return and note the tokens it gave, at least one."""
        found = self._step.read(self._step.check(len(lookup.text) - 1, [lookup.text[-1], *guess]))
        right = next((i for i, token in enumerate(guess) if token != found[i]), len(guess))
        self._acceptance.checked(len(guess), right)
        tokens = found[: min(right + 1, end - len(lookup.text))]
        for token in tokens:
            lookup.add(token)
        return tokens


def supports(model: "PreTrainedModel") -> bool:
    """Tell whether `model` can be decoded here.

    It must be whole on one processor or CUDA device, compile in one piece (transformers says so of each class), take
    positions, and attend by sdpa or eager to all earlier tokens or a sliding window of them: not encoder-decoders, not
    models with recurrent or compressed layers, not rotary embeddings that change with the length of the text, not
    quantizers that do not compile (bitsandbytes).
    """
    config = model.config.get_text_config(decoder=True)
    arguments = inspect.signature(model.forward).parameters
    quantizer = getattr(model, "hf_quantizer", None)
    devices = {weight.device for weight in model.parameters()}
    return (
        bool(getattr(model, "_can_compile_fullgraph", False))
        and not model.config.is_encoder_decoder
        and {"position_ids", "logits_to_keep"} <= set(arguments)
        and config._attn_implementation in ("sdpa", "eager")
        and set(getattr(config, "layer_types", None) or ["full_attention"]) <= {"full_attention", "sliding_attention"}
        and not getattr(config, "kv_sharing_modes", None)
        and not _ropes(getattr(config, "rope_parameters", None)) & {"dynamic", "longrope"}
        and (quantizer is None or bool(quantizer.is_compileable))
        and len(devices) == 1
        and devices.pop().type in ("cpu", "cuda")
    )


def _ropes(parameters: Any) -> set[str]:
    """Return the kinds of rotary embedding in a configuration, which may have one for each kind of layer."""
    if not isinstance(parameters, dict):
        return set()
    nested = [kind for value in parameters.values() for kind in _ropes(value)]
    return {str(parameters.get("rope_type", "default")), *nested}
