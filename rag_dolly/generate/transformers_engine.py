"""A model that transformers runs: one question at a time as fast as the memory lets it, many of them together.

On a CUDA device a lone question is decoded over a static cache by a compiled step, and questions that come while
another is being answered share their steps by continuous batching. Where a model or device cannot do that, questions
are answered one after another over a growing cache, and batches are padded.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag_dolly.errors import OutOfMemory
from rag_dolly.generate.checkpoint import is_out_of_memory, out_of_memory
from rag_dolly.generate.engine import Ended
from rag_dolly.generate.footprint import parameters_in_words
from rag_dolly.generate.padded import decode_padded
from rag_dolly.generate.plain import decode_plain
from rag_dolly.generate.worker import Worker

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from rag_dolly.generate.continuous import ContinuousBatcher
    from rag_dolly.generate.static_cache import StaticDecoder

STATIC_WINDOW = 8192
"""The static cache is not made longer than this: its memory is taken whether it is used or not."""


class TransformersEngine:
    """An `Engine` over a model of transformers; `name` is for its error messages.

    `fast`: with static cache and continuous batching; None: on CUDA. `lookup`: with prompt lookup, where `fast`.
    """

    def __init__(
        self,
        name: str,
        model: "PreTrainedModel",
        stop_ids: frozenset[int],
        window: int,
        *,
        fast: bool | None = None,
        lookup: bool = True,
    ) -> None:
        self.model = model
        self._name = name
        self._stop_ids = stop_ids
        self._worker = Worker()
        self._guard = threading.Lock()
        self._running = 0
        self._alone: StaticDecoder | None = None
        self._together: ContinuousBatcher | None = None
        self._static_window = min(window, STATIC_WINDOW)
        self._lookup = lookup
        if model.device.type == "cuda" if fast is None else fast:
            self._open_fast_ways(window)

    def _open_fast_ways(self, window: int) -> None:
        from rag_dolly.generate import paged_manager, static_cache
        from rag_dolly.generate.continuous import ContinuousBatcher

        if static_cache.supports(self.model):
            self._alone = static_cache.StaticDecoder(
                self.model, self._stop_ids, self._static_window, lookup=self._lookup
            )
        if paged_manager.can_batch(self.model):
            self._together = ContinuousBatcher(self.model, self._stop_ids, window, name=self._name)

    def warm(self) -> None:
        """Compile and capture what a lone question needs, where that is done. Raises `OutOfMemory`."""
        if self._alone is not None:
            with self._memory_errors():
                list(self._worker.stream(self._warm, lambda: False))

    def tokens(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> Iterator[int]:
        """See `Engine.tokens`."""
        with self._guard:
            self._running += 1
            is_alone = self._running == 1
        try:
            with self._memory_errors():
                if self._together is not None and not is_alone:
                    yield from self._together.tokens(prompt, max_tokens, ended)
                elif max_tokens > 0:
                    yield from self._worker.stream(lambda: self._decode(prompt, max_tokens), ended)
        finally:
            with self._guard:
                self._running -= 1

    def _decode(self, prompt: Sequence[int], max_tokens: int) -> Iterator[int]:
        if self._alone is not None and len(prompt) + max_tokens <= self._static_window:
            return self._alone.decode(prompt, max_tokens)
        return decode_plain(self.model, prompt, max_tokens, self._stop_ids)

    def batch(self, prompts: Sequence[Sequence[int]], max_tokens: Sequence[int]) -> list[list[int]]:
        """See `Engine.batch`."""
        if self._together is not None:
            with self._memory_errors():
                return self._together.batch(prompts, max_tokens)
        found: list[list[int]] = []

        def run() -> Iterator[int]:
            found.extend(decode_padded(self.model, prompts, max_tokens, self._stop_ids))
            yield from ()

        with self._memory_errors():
            list(self._worker.stream(run, lambda: False))
        return found

    def describe(self) -> str:
        """Return parameters, number format, device and way of decoding in a few words."""
        count = sum(weight.numel() for weight in self.model.parameters())
        dtype = str(self.model.dtype).removeprefix("torch.")
        way = self._alone.describe() if self._alone else "one at a time"
        return f"{parameters_in_words(count)}, {dtype}, {self.model.device}, {way}"

    def close(self) -> None:
        """See `Engine.close`."""
        self._worker.close()
        if self._together is not None:
            self._together.close()

    def _warm(self) -> Iterator[int]:
        """Warm the static decoder, without compiling where that fails (it needs a C compiler)."""
        from rag_dolly.generate.static_cache import StaticDecoder

        assert self._alone is not None
        try:
            self._alone.warm()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._alone = StaticDecoder(
                self.model, self._stop_ids, self._static_window, compiled=False, lookup=self._lookup
            )
            self._alone.warm()
        yield from ()

    @contextmanager
    def _memory_errors(self) -> Iterator[None]:
        """Turn an error for want of memory into ours, which says what would fit."""
        import torch

        try:
            yield
        except Exception as error:
            if isinstance(error, OutOfMemory) or not is_out_of_memory(error):
                raise
            torch.cuda.empty_cache()
            raise out_of_memory(self._name, self.model) from error
