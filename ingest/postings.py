"""Keyword search: BM25 over arrays that say, for each term, in which passages it stands and how often.

A posting is 32 bits: the row of the passage in its segment (24 bits) and the count (8 bits, in quarters, so that words
of the title and of headings can weigh less or more than those of the text; counts end at 63). Everything is numpy: a
search adds up the postings of the question's terms, at some nanoseconds each. Scores are those of Lucene's BM25, with
the number of passages, their mean length and how many have a term counted over all segments, less what was removed:
the same passages give the same scores however they came in.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest import terms as packed_terms
from ingest.rows import Ids, Rows, joined
from ingest.terms import number

K1 = 1.2
B = 0.75
HEAD_WEIGHT = 1.0
"""What a word of the title or a heading counts, in quarters; a word of the text counts 1."""
MADE_WITH = f"{packed_terms.MADE_WITH}, head {HEAD_WEIGHT}"
"""What made a segment's arrays; those of another are made anew."""
MAX_ROWS = 1 << 24
_QUARTERS = 4
_ROW, _COUNT = np.uint32(8), np.uint32(255)
_BLOCK = 1024
_STEP = 1 << 15
"""Postings added up at a time: as many as stay in the processor's cache with what is made of them."""
Scored = list[tuple[int, float]]
Terms = Sequence[tuple[str, float]]


class Segment(NamedTuple):
    """Postings by term: `postings[offsets[i]:offsets[i + 1]]` are those of `terms[i]` (numbers, rising), by row."""

    terms: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    postings: NDArray[np.uint32]

    def of(self, term: int) -> NDArray[np.uint32]:
        """Return the postings of a term."""
        place = int(np.searchsorted(self.terms, np.uint32(term)))
        if place == len(self.terms) or int(self.terms[place]) != term:
            return self.postings[:0]
        return self.postings[self.offsets[place] : self.offsets[place + 1]]


def build(ids: Ids, blobs: Sequence[bytes]) -> tuple[Rows, Segment]:
    """Return passages, with their packed terms, as rows and their postings; best for at most some 65,000 at a time."""
    records, sizes = packed_terms.unpack(blobs)
    counts = records["body"] * np.uint16(_QUARTERS) + (records["head"] * (_QUARTERS * HEAD_WEIGHT)).astype(np.uint16)
    rows = np.repeat(np.arange(len(ids), dtype=np.uint32), sizes)
    summed, ends = np.append(0, np.cumsum(counts, dtype=np.int64)), np.cumsum(sizes)
    lengths = (summed[ends] - summed[ends - sizes]).astype(np.float32)
    packed = (rows << _ROW) | np.minimum(counts, _COUNT).astype(np.uint32)
    numbers = np.ascontiguousarray(records["term"])
    order = _order(numbers)
    return Rows(ids, lengths), _segment(numbers[order], packed[order])


def merge(parts: Sequence[tuple[Rows, Segment]]) -> tuple[Rows, Segment]:
    """Return several segments as one, without what was removed from them. Ids must rise from part to part."""
    parts = [(rows, segment if rows.is_whole else _without_removed(rows, segment)) for rows, segment in parts]
    merged = np.unique(np.concatenate([segment.terms for _, segment in parts]))
    places = [np.searchsorted(merged, segment.terms) for _, segment in parts]
    counts = np.zeros(len(merged) + 1, dtype=np.int64)
    for place, (_, segment) in zip(places, parts, strict=True):
        counts[place + 1] += np.diff(segment.offsets)
    offsets = np.cumsum(counts)
    postings = np.empty(int(offsets[-1]), dtype=np.uint32)
    free, before = offsets[:-1].copy(), 0
    for place, (rows, segment) in zip(places, parts, strict=True):
        sizes = np.diff(segment.offsets)
        target = np.repeat(free[place] - segment.offsets[:-1], sizes) + np.arange(len(segment.postings))
        postings[target] = segment.postings + np.uint32(before << 8)
        free[place] += sizes
        before += rows.alive
    return joined([rows for rows, _ in parts]), Segment(merged, offsets, postings)


class Postings:
    """BM25 over segments. Safe to share between threads."""

    def __init__(self, segments: Sequence[tuple[Rows, Segment]]) -> None:
        self.segments = tuple(segments)
        self.count = sum(rows.alive for rows, _ in segments)
        self._mean_length = sum(rows.total_length for rows, _ in segments) / max(self.count, 1) or 1.0
        self._starts = np.cumsum([0, *(len(rows) for rows, _ in segments)])
        self._found_in: dict[int, int] = {}

    def search(self, terms: Terms, k: int, among: Ids | None = None) -> Scored:
        """Return the `k` (id, BM25) that match best, best first, of equals the older first; all match some term.

        `terms` are (term, weight), weights of a term said again add up; `among` are the only ids allowed, rising.
        """
        if among is not None and len(among) < self.count // 64:
            scores = self.scores(terms, among)
            return [(int(among[place]), float(scores[place])) for place in best(scores, k)]
        scores = np.zeros(self._starts[-1], dtype=np.float32)
        weighed = self._weigh(terms)
        for (rows, segment), start in zip(self.segments, self._starts, strict=False):
            part = scores[start : start + len(rows)]
            for term, weight in weighed:
                postings = segment.of(term)
                for at in range(0, len(postings), _STEP):
                    some = postings[at : at + _STEP]
                    places = (some >> _ROW).astype(np.intp)
                    part[places] += self._gain(weight, some & _COUNT, rows.lengths[places])
            if among is not None:
                part *= rows.among(among)
        found = best(scores, k)
        return list(zip(self._ids(found).tolist(), scores[found].tolist(), strict=True))

    def scores(self, terms: Terms, ids: Ids) -> NDArray[np.float32]:
        """Return the BM25 of these passages, shape (n,); 0 for those that match no term or are not there."""
        return self.scores_and_coverage(terms, ids)[0]

    def scores_and_coverage(self, terms: Terms, ids: Ids) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what `scores` does, and the weight (times idf) of the terms that a passage has, however often."""
        scores, covered = np.zeros((2, len(ids)), dtype=np.float32)
        weighed = self._weigh(terms)
        for rows, segment in self.segments:
            there, places = rows.find(ids)
            lengths = rows.lengths[places]
            for term, weight in weighed:
                hit, counts = _counts_at(segment.of(term), places)
                found = there[hit]
                scores[found] += self._gain(weight, counts, lengths[hit])
                covered[found] += np.float32(weight)
        return scores, covered

    def covering(self, terms: Terms) -> tuple[Ids, NDArray[np.float32]]:
        """Return the passages that have any of these terms, ids rising, and the weight (times idf) of what each has."""
        ids, covered = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
        weighed = self._weigh(terms)
        for rows, segment in self.segments if weighed else ():
            found = [(segment.of(term) >> _ROW).astype(np.int64) for term, _ in weighed]
            weights = np.repeat(np.array([weight for _, weight in weighed], np.float32), [len(part) for part in found])
            places, owner = np.unique(np.concatenate(found), return_inverse=True)
            total = np.bincount(owner, weights, len(places)).astype(np.float32)
            there = np.isfinite(rows.lengths[places])
            ids.append(rows.ids[places[there]])
            covered.append(total[there])
        return np.concatenate(ids), np.concatenate(covered)

    def joint_scores(self, terms: Terms, groups: Sequence[Ids], mean_length: float) -> NDArray[np.float32]:
        """Return the BM25 of groups of passages, each taken as one text, shape (groups,).

        `mean_length` is that of a group, in passages.
        """
        group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        ids = np.concatenate([*groups, np.zeros(0, dtype=np.int64)])
        weighed = self._weigh(terms)
        counts = np.zeros((len(weighed), len(groups)), dtype=np.float32)
        lengths = np.zeros(len(groups), dtype=np.float32)
        for rows, segment in self.segments:
            there, places = rows.find(ids)
            np.add.at(lengths, group_of[there], rows.lengths[places])
            for row, (term, _) in enumerate(weighed):
                hit, often = _counts_at(segment.of(term), places)
                np.add.at(counts[row], group_of[there[hit]], often.astype(np.float32))
        scores = np.zeros(len(groups), dtype=np.float32)
        for row_counts, (_, weight) in zip(counts, weighed, strict=True):
            scores += self._gain(weight, row_counts, lengths / np.float32(max(mean_length, 1.0)))
        return scores

    def having_all(self, terms: Sequence[str], among: Ids | None = None) -> Ids:
        """Return the ids of the passages that have every one of these terms, rising."""
        numbers = sorted({number(term) for term in terms}, key=self._document_count)
        found = [np.zeros(0, dtype=np.int64)]
        for rows, segment in self.segments if numbers else ():
            places = (segment.of(numbers[0]) >> _ROW).astype(np.int64)
            for term in numbers[1:]:
                places = places[_counts_at(segment.of(term), places)[0]]
            places = places[np.isfinite(rows.lengths[places])]
            found.append(rows.ids[places])
        ids = np.concatenate(found)
        return ids if among is None else np.intersect1d(ids, among, assume_unique=True)

    def bound(self, terms: Terms) -> float:
        """Return a score that no passage reaches for these terms."""
        return float(sum(weight for _, weight in self._weigh(terms)))

    def _weigh(self, terms: Terms) -> list[tuple[int, float]]:
        """Return each term's number and weight, times its inverse document frequency; terms nowhere are left out."""
        weights: dict[int, float] = {}
        for term, weight in terms:
            key = number(term)
            weights[key] = weights.get(key, 0.0) + weight
        weighed = []
        for key, weight in weights.items():
            if there := self._document_count(key):
                idf = np.log1p((self.count - there + 0.5) / (there + 0.5))
                weighed.append((key, weight * float(idf)))
        return weighed

    def _document_count(self, term: int) -> int:
        """Return how many passages have a term."""
        count = self._found_in.get(term)
        if count is None:
            count = sum(_alive(rows, segment.of(term)) for rows, segment in self.segments)
            self._found_in[term] = count
        return count

    def _gain(self, weight: float, counts: NDArray[Any], lengths: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what a term adds to the scores of passages where it stands so often."""
        often = counts.astype(np.float32)
        norm = lengths * np.float32(_QUARTERS * K1 * B / self._mean_length)
        norm += np.float32(_QUARTERS * K1 * (1 - B)) + often
        often *= np.float32(weight)
        gain: NDArray[np.float32] = np.divide(often, norm, out=often)
        return gain

    def _ids(self, places: NDArray[np.int64]) -> Ids:
        """Return the ids of passages by their places in all segments, one after the other."""
        parts = np.searchsorted(self._starts, places, side="right") - 1
        ids = np.empty(len(places), dtype=np.int64)
        for part, (rows, _) in enumerate(self.segments):
            here = parts == part
            ids[here] = rows.ids[places[here] - self._starts[part]]
        return ids


def best(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the places of the `k` highest scores above 0, highest first, of equals the first ones."""
    if k < 1 or not len(scores):
        return np.zeros(0, dtype=np.int64)
    floor = np.float32(0)
    whole = len(scores) // _BLOCK
    if whole > k:  # the k-th highest of the blocks' maxima is at most the k-th highest score
        floor = np.partition(scores[: whole * _BLOCK].reshape(whole, _BLOCK).max(axis=1), -k)[-k]
    places = np.flatnonzero(scores >= floor if floor > 0 else scores > 0)
    values = scores[places]
    if len(places) > k:
        least = np.partition(values, -k)[-k]
        above, equal = places[values > least], places[values == least]
        places = np.sort(np.concatenate([above, equal[: k - len(above)]]))
        values = scores[places]
    order: NDArray[np.int64] = places[np.argsort(-values, kind="stable")]
    return order


def _alive(rows: Rows, postings: NDArray[np.uint32]) -> int:
    return len(postings) if rows.is_whole else int(np.isfinite(rows.lengths[postings >> _ROW]).sum())


def _counts_at(postings: NDArray[np.uint32], places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return which of these rows have a posting, as positions in `places`, and the counts there."""
    wanted = places.astype(np.uint32) << _ROW
    at = np.searchsorted(postings, wanted)
    at[at == len(postings)] = 0
    hit = np.flatnonzero((postings[at] >> _ROW) == places) if len(postings) else np.zeros(0, dtype=np.int64)
    return hit, postings[at[hit]] & _COUNT


def _order(numbers: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the stable order of 32-bit numbers: two radix sorts of 16 bits, three times as fast as one sort."""
    order = np.argsort((numbers & np.uint32(0xFFFF)).astype(np.uint16), kind="stable")
    high: NDArray[np.int64] = order[np.argsort((numbers >> np.uint32(16)).astype(np.uint16)[order], kind="stable")]
    return high


def _segment(numbers: NDArray[np.uint32], packed: NDArray[np.uint32]) -> Segment:
    """Return sorted postings, `numbers` naming the term of each, as a segment."""
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] + np.uint32(1)))
    offsets = np.append(starts, len(numbers)).astype(np.int64)
    return Segment(np.ascontiguousarray(numbers[starts]), offsets, packed)


def _without_removed(rows: Rows, segment: Segment) -> Segment:
    kept = rows.kept()
    row_of = (np.cumsum(kept) - 1).astype(np.uint32)
    places = segment.postings >> _ROW
    keep = kept[places]
    packed = (row_of[places[keep]] << _ROW) | (segment.postings[keep] & _COUNT)
    return _segment(np.repeat(segment.terms, np.diff(segment.offsets))[keep], packed)
