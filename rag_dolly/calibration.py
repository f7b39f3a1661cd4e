"""How well a score tells questions that the documents answer from those that they do not.

The curve is that of a reliability diagram (DeGroot and Fienberg 1983): questions in groups of about the same number by
their score, and the share of each group that can be answered. The area under the ROC curve is the chance that a
question that can be answered scores above one that cannot, equal scores counting half (Hanley and McNeil 1982).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_dolly.evaluate import CONFIDENCE, RESAMPLES, SEED, Estimate, Table, bootstrap
from rag_dolly.measures import Floats

BINS = 10
"""Groups of the curve."""
LEAST = 10
"""Questions that a group must have at least, as far as there are so many."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """A group of questions: their scores, and the share that can be answered and that was refused."""

    low: float
    high: float
    count: int
    answerable: Estimate
    refused: Estimate


def reliability(scores: Sequence[float], answerable: Sequence[bool], refused: Sequence[bool]) -> list[Bin]:
    """Return the groups by rising score. Equal scores are in one group, so there may be fewer than `BINS`."""
    order = np.argsort(scores, kind="stable")
    values = np.asarray(scores, dtype=np.float64)[order]
    flags = np.array([answerable, refused], dtype=np.float64).T[order]
    wanted = max(1, min(BINS, len(values) // LEAST))
    ideal = [round(len(values) * n / wanted) for n in range(1, wanted)]
    cuts = sorted({int(np.searchsorted(values, values[cut])) for cut in ideal} - {0})
    bins = []
    for start, end in zip([0, *cuts], [*cuts, len(values)], strict=True):
        can, was = bootstrap(flags[start:end])
        bins.append(Bin(float(values[start]), float(values[end - 1]), end - start, can, was))
    return bins


def auc(scores: Sequence[float], answerable: Sequence[bool]) -> Estimate | None:
    """Return the area under the ROC curve with its interval, None where all or none can be answered."""
    order = np.argsort(scores, kind="stable")
    values = np.asarray(scores, dtype=np.float64)[order]
    can = np.asarray(answerable, dtype=bool)[order]
    if can.all() or not can.any():
        return None
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    generator = np.random.default_rng(SEED)
    count = len(values)
    found = []
    for _ in range(RESAMPLES):
        weights = np.bincount(generator.integers(count, size=count), minlength=count).astype(np.float64)
        found.append(_area(weights, can, starts))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(found, [tail, 1 - tail])
    return Estimate(_area(np.ones(count), can, starts), float(low), float(high))


def as_table(bins: Sequence[Bin]) -> Table:
    """Return the curve as a table that `plot.lay_out` draws: groups by their scores."""
    names = [f"{n}: {part.low:.2f}-{part.high:.2f}" for n, part in enumerate(bins, 1)]
    return {
        "answerable": {name: part.answerable for name, part in zip(names, bins, strict=True)},
        "refused": {name: part.refused for name, part in zip(names, bins, strict=True)},
    }


def _area(weights: Floats, can: Flags, starts: NDArray[np.intp]) -> float:
    """Return the area for weighted questions by rising score; `starts` are where the score rises."""
    above = np.add.reduceat(weights * can, starts)
    below = np.add.reduceat(weights * ~can, starts)
    pairs = float(above.sum() * below.sum())
    return float(above @ (np.cumsum(below) - below / 2)) / pairs if pairs else float("nan")
