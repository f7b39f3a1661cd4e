"""The seam between text and hardware: token ids in, token ids out. Read this before the engines.

An engine decodes greedily: each token is the likeliest one. In float32 every engine gives the tokens that transformers'
own `generate` gives for the one prompt; in a shorter format two nearly equal tokens may swap.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

Ended = Callable[[], bool]


class Engine(Protocol):
    """Decodes for callers in any number of threads, first come first served or together."""

    def tokens(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> Iterator[int]:
        """Yield token ids as they are decoded, at most `max_tokens`; the stop id that ends an answer is yielded last.

        Nothing happens before the first `next`. Decoding ends within one token after `ended()` turns true, and when
        the iterator is closed; then nothing of the request is left running. Prompt and answer fit the window: the
        caller has seen to it. Raises `OutOfMemory`.
        """

    def batch(self, prompts: Sequence[Sequence[int]], max_tokens: Sequence[int]) -> list[list[int]]:
        """Return for each of n prompts what `tokens` yields for it, decoded together. Raises `OutOfMemory`."""

    def describe(self) -> str:
        """Return in a few words how it decodes ("static cache, compiled")."""

    def close(self) -> None:
        """End all requests and threads; the engine is not used afterwards."""
