"""Which examples are learned from in which step, and examples as tensors.

The order depends on the seed alone: a permutation for each epoch, one after the other, cut into steps of equal size
(the last one is filled up from the permutation that would follow). So step 7 has the same examples whether or not the
run was interrupted before it, on one device or on eight. Within a step examples of like length go together.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rag_dolly.finetune.examples import Example

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MULTIPLE = 8
"""Batches are padded to a multiple of so many tokens, for tensor cores."""


class Batch(NamedTuple):
    """Examples padded on the left, shape (examples, tokens), so that all responses end at the last place.

    `tail` is the length of the longest response; `targets`, shape (examples, tail), has -100 where nothing is learned.
    """

    ids: "Tensor"
    mask: "Tensor"
    positions: "Tensor"
    targets: "Tensor"

    @property
    def tail(self) -> int:
        """How many of the last places have a target in some row."""
        return int(self.targets.shape[1])


def step_count(examples: int, epochs: float, batch: int) -> int:
    """Return how many steps `epochs` passes over the examples take."""
    return max(1, math.ceil(examples * epochs / batch))


def order(examples: int, seed: int) -> Iterator[int]:
    """Yield the places of the examples for ever, a new permutation each time all were given."""
    epoch = 0
    while True:
        yield from np.random.default_rng([seed, epoch]).permutation(examples).tolist()
        epoch += 1


def steps(examples: Sequence[Example], batch: int, seed: int, first: int = 0) -> Iterator[list[Example]]:
    """Yield the examples of step `first`, of the one after it, and so on for ever."""
    places = islice(order(len(examples), seed), first * batch, None)
    while True:
        yield [examples[place] for place in islice(places, batch)]


def parts(chosen: Sequence[Example], count: int) -> list[list[Example]]:
    """Return a step's examples as `count` groups of equal size, those of like length together."""
    by_length = sorted(chosen, key=lambda example: example.length)
    size = len(by_length) // count
    return [by_length[place * size : (place + 1) * size] for place in range(count)]


def as_batch(examples: Sequence[Example], device: "str | torch.device" = "cpu", pad: int = 0) -> Batch:
    """Return examples as tensors on a device."""
    import torch

    longest = max(example.length for example in examples)
    width = math.ceil(longest / MULTIPLE) * MULTIPLE
    tail = max(len(example.response) for example in examples)
    ids = torch.full((len(examples), width), pad)
    mask = torch.zeros((len(examples), width), dtype=torch.long)
    targets = torch.full((len(examples), tail), -100)
    for row, example in enumerate(examples):
        ids[row, width - example.length :] = torch.tensor(example.prompt + example.response)
        mask[row, width - example.length :] = 1
        targets[row, tail - len(example.response) :] = torch.tensor(example.response)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    return Batch(*(tensor.to(device) for tensor in (ids, mask, positions, targets)))
