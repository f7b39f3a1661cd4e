"""The passages of the documents that a question names, and how clearly it names each. See `ingest.names`."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.names import asked_names
from ingest.postings import Postings
from ingest.rows import Ids

LEAST = 0.69
"""The inverse document frequency from which on a word tells documents apart: at most half of the passages have it."""
BEST = 0.6
"""Documents that are named less clearly than this part of the best are not meant."""
NUMBER_WEIGHT = 0.5
"""What a number that question and name share counts beside a word."""


class Named(NamedTuple):
    """Ids of passages, rising, and how clearly the question names the document of each: 1 is the best, shape (n,)."""

    ids: Ids
    scores: NDArray[np.float32]

    def of(self, ids: Ids) -> NDArray[np.float32]:
        """Return the scores of these passages, shape (n,); 0 for those of documents that are not named."""
        if not len(self.ids):
            return np.zeros(len(ids), dtype=np.float32)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, self.scores[at], np.float32(0))

    def best(self) -> Ids:
        """Return the ids of the passages of the documents that are named best, rising."""
        return self.ids[self.scores >= BEST]


def find_named(question: str, words: Postings, languages: Collection[str], among: Ids | None = None) -> Named:
    """Return the passages of the documents that a question names, which are none for most questions."""
    letters, numbers = asked_names(question, languages)
    ids, scores = words.covering([(term, 1.0) for term in letters])
    if among is not None:
        there = np.isin(ids, among, assume_unique=True)
        ids, scores = ids[there], scores[there]
    enough = scores >= max(LEAST, BEST * float(scores.max(initial=0.0)))
    ids, scores = ids[enough], scores[enough]
    if not len(ids):
        return Named(ids, scores)
    scores = scores + words.scores_and_coverage([(term, NUMBER_WEIGHT) for term in numbers], ids)[1]
    return Named(ids, scores / scores.max())
