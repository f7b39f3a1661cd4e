"""A map of the corpus: passage vectors laid out in two dimensions, so that near means alike.

The two directions in which the vectors differ most (principal components) are the axes; a question and its hits are
laid out in the same way. Of a large index a sample is laid out, the same for the same index. Limits: two directions
show a part of how passages differ, `shown` says how large; passages near each other on the map can differ in others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ingest.records import StoredPassage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

MOST_PASSAGES = 5000
"""Passages up to which all are laid out."""
MOST_GROUPS = 8
OTHERS = "others"
NO_FOLDER = "in no folder"
_BATCH = 1000
_SEED = 7


class Mappable(Protocol):
    """What is read of an index."""

    @property
    def passage_count(self) -> int:
        """Return how many passages the index holds."""

    @property
    def database(self) -> Any:
        """Return the open index file."""

    def passages(self, ids: Sequence[int]) -> list[StoredPassage]:
        """Return the passages with these ids."""

    def vectors_of(self, ids: Sequence[int]) -> "Vectors":
        """Return the vectors of these passages, shape (n, dimension)."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Where the middle of the vectors is, shape (d,), and the two directions, shape (d, 2), each of length 1.

    `shown` is which part of all differences the two directions have, 0 to 1.
    """

    middle: "Vectors"
    directions: "Vectors"
    shown: float

    def place(self, vectors: "Vectors") -> "Vectors":
        """Return the points of n vectors, shape (n, 2)."""
        return ((vectors - self.middle) @ self.directions).astype("float32")


@dataclass(frozen=True, slots=True)
class CorpusMap:
    """Passages and their points, shape (n, 2); `total` is how many passages the index has."""

    passages: tuple[StoredPassage, ...]
    points: "Vectors"
    axes: Axes
    total: int


def read_map(index: Mappable, most: int = MOST_PASSAGES) -> CorpusMap:
    """Read an index, at most so many passages of it, and lay it out."""
    import numpy as np

    passages = _some_passages(index, most)
    vectors = np.asarray(index.vectors_of([one.id for one in passages]), dtype=np.float32)
    axes = fit(vectors)
    return CorpusMap(tuple(passages), axes.place(vectors), axes, index.passage_count)


def fit(vectors: "Vectors") -> Axes:
    """Return the axes of n vectors, shape (n, d); what they are for no vectors, or all the same, is of no matter."""
    import numpy as np

    dimension = vectors.shape[1]
    if dimension < 2 or not len(vectors):
        return Axes(np.zeros(dimension, np.float32), np.eye(dimension, 2, dtype=np.float32), 1.0)
    middle = vectors.mean(axis=0)
    apart = (vectors - middle).astype(np.float64)
    sizes, directions = np.linalg.eigh(apart.T @ apart)
    best = directions[:, ::-1][:, :2]
    best = best * np.sign(best[np.abs(best).argmax(axis=0), [0, 1]])  # else a direction may point either way
    total = float(sizes.sum())
    shown = float(sizes[-2:].sum()) / total if total > 0 else 1.0
    return Axes(middle.astype(np.float32), best.astype(np.float32), shown)


def groups(sources: Sequence[str], most: int = MOST_GROUPS) -> list[str]:
    """Return for each document name the group it is drawn as: its folder if there are several, else itself.

    The largest groups have names of their own, all others are one.
    """
    folders = [source.rpartition("/")[0].split("/")[0] for source in sources]
    names = folders if len(set(folders)) > 1 else list(sources)
    named = [name or NO_FOLDER for name in names]
    counts = Counter(named)
    if len(counts) <= most:
        return named
    largest = {name for name, _ in counts.most_common(most - 1)}
    return [name if name in largest else OTHERS for name in named]


def _some_passages(index: Mappable, most: int) -> list[StoredPassage]:
    """Return all passages by id, or a sample of so many."""
    import numpy as np

    ids = np.arange(1, index.database.last_passage() + 1)
    if index.passage_count > most:
        np.random.default_rng(_SEED).shuffle(ids)
    found: list[StoredPassage] = []
    for at in range(0, len(ids), _BATCH):
        found += index.passages([int(key) for key in ids[at : at + _BATCH]])
        if len(found) >= most:
            break
    return sorted(found[:most], key=lambda one: one.id)
