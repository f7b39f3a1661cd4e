"""The passages of one segment of the search structures: their ids, their lengths, and which have been removed since.

A segment's rows never change but in one way: a row can be marked as removed. A search that goes on in another thread
meanwhile may or may not see that; the passage's text is gone either way.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Bits = NDArray[np.uint8]
_GONE = np.float32(np.inf)


class Rows:
    """Ids, rising, shape (n,), and lengths, shape (n,), float32; a removed row's length is infinite."""

    def __init__(self, ids: Ids, lengths: NDArray[np.float32]) -> None:
        self.ids = ids
        self.lengths = lengths
        self.alive = len(ids)
        self.total_length = int(lengths.sum(dtype=np.float64))
        self._bits: Bits | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_whole(self) -> bool:
        """Whether no row has been removed."""
        return self.alive == len(self.ids)

    def remove(self, first: int, last: int) -> None:
        """Mark the rows with ids from `first` to `last` as removed."""
        begin, end = np.searchsorted(self.ids, [first, last + 1])
        there = self.lengths[begin:end]
        there = there[there != _GONE]
        if len(there):
            self.alive -= len(there)
            self.total_length -= int(there.sum(dtype=np.float64))
            self.lengths[begin:end] = _GONE
            self._bits = None

    def kept(self) -> NDArray[np.bool_]:
        """Return for each row whether it is still there, shape (n,)."""
        kept: NDArray[np.bool_] = self.lengths != _GONE
        return kept

    def find(self, ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which of these ids are here, as positions in `ids`, and the rows that they are in."""
        if not len(self.ids):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        there = np.flatnonzero((self.ids[rows] == ids) & (self.lengths[rows] != _GONE))
        return there, rows[there]

    def among(self, ids: Ids) -> NDArray[np.bool_]:
        """Return for each row whether it is one of these ids (rising) and still there, shape (n,)."""
        first, last = (int(self.ids[0]), int(self.ids[-1])) if len(self.ids) else (0, -1)
        ids = ids[slice(*np.searchsorted(ids, [first, last + 1]))]
        if len(ids) > len(self.ids) // 16 and last - first < 4 * len(self.ids):  # a table is faster than a search
            table = np.zeros(last - first + 1, dtype=np.bool_)
            table[ids - first] = True
            named: NDArray[np.bool_] = table[self.ids - first] & self.kept()
            return named
        mask = np.zeros(len(self.ids), dtype=np.bool_)
        mask[self.find(ids)[1]] = True
        return mask

    def bits(self) -> Bits:
        """Return what `kept` does as bits, lowest first, shape (ceil(n / 8),)."""
        bits = self._bits
        if bits is None:
            self._bits = bits = np.packbits(self.kept(), bitorder="little")
        return bits


def joined(segments: Sequence[Rows]) -> Rows:
    """Return the rows of all segments that are still there, as one."""
    kept = [segment.kept() for segment in segments]
    ids = np.concatenate([segment.ids[keep] for segment, keep in zip(segments, kept, strict=True)])
    lengths = np.concatenate([segment.lengths[keep] for segment, keep in zip(segments, kept, strict=True)])
    return Rows(ids, lengths)
