"""Scores of several stages to one order of passages.

Each stage's scores are standardised over all candidates (mean 0, deviation 1) and added with fixed weights, so that a
stage that tells its candidates clearly apart speaks louder than one to which they are all alike. Every stage scores
every candidate, whichever stage proposed it. The weights were chosen on training questions: see docs/retrieve.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


class Weights(NamedTuple):
    """How much each stage counts: cosine, BM25, and the share of the question's words that a passage has at all."""

    dense: float
    keyword: float
    coverage: float


FAMILIAR = Weights(0.55, 0.35, 0.10)
"""For questions in a script that the embedder was made for."""
FOREIGN = Weights(0.15, 0.70, 0.15)
"""For questions in a script that it knows by single letters only."""

NAMED = 1.0
"""What it adds to a passage, in deviations, that the question names its document: see docs/retrieve.md."""


def weights_for(familiar: float) -> Weights:
    """Return the weights for a question of which this share, 0 to 1, is in scripts that the embedder knows."""
    mixed = (familiar * near + (1 - familiar) * far for near, far in zip(FAMILIAR, FOREIGN, strict=True))
    return Weights(*mixed)


def fuse(stages: Sequence[Scores], weights: Sequence[float]) -> Scores:
    """Return one score for each of n candidates from the scores of each stage, each of shape (n,).

    The unit is a deviation among the candidates; with candidates that no stage can tell apart all have 0.
    """
    total = sum((weight * _standard(stage) for weight, stage in zip(weights, stages, strict=True)), np.float32(0))
    return np.asarray(total, dtype=np.float32)


def spread(scores: Scores, floor: float = 0.0) -> Scores:
    """Return scores, shape (n,), on the range `floor` to 1: the best has 1; all have it if all are alike."""
    if not scores.size:
        return scores
    low, high = scores.min(), scores.max()
    share = (scores - low) / (high - low) if high > low else np.ones_like(scores)
    return np.asarray(np.maximum(1 - (1 - floor) * (1 - share), floor), dtype=np.float32)


def _standard(scores: Scores) -> Scores:
    if not scores.size:
        return scores
    centred = scores - scores.mean()
    deviation = float(np.sqrt((centred * centred).mean()))
    if deviation < 1e-9:
        return np.zeros_like(scores)
    return np.asarray(centred / deviation, dtype=np.float32)
