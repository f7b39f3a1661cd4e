"""The reader's numbers for each token to spans: which words answer, and how sure that is.

Every token of a pair has two logits, for an answer's beginning and end there; the first token's stand for "no answer
here". The score of a span is the sum of its two less the sum of those: a log-odds of this answer against none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
LONGEST = 30
"""Tokens that an answer may have."""


class Span(NamedTuple):
    """The tokens first to last, and the log-odds that they answer."""

    first: int
    last: int
    score: float


def best_span(logits: Array, begin: int, end: int, longest: int = LONGEST) -> Span:
    """Return the best span within the places begin to end (excluded). `logits` has shape (places, 2)."""
    starts, ends = logits[begin:end, 0], logits[begin:end, 1]
    size = len(starts)
    sums = starts[:, None] + ends[None, :]
    places = np.arange(size)
    wide = places[None, :] - places[:, None]
    sums = np.where((wide >= 0) & (wide < longest), sums, -np.inf)
    first, last = divmod(int(sums.argmax()), size)
    return Span(begin + first, begin + last, float(sums[first, last] - logits[0].sum()))
