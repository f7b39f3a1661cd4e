"""Dense search: FAISS over the stored vectors, exact up to a size, by clusters above it.

Scores are cosines: inner products of unit vectors. Vectors are held in fp16 (recall 1.000 against fp32, a third of the
time, half the memory). A segment of many also has an inverted file with 8-bit codes; what that proposes is scored again
with the fp16 vectors, so scores are the same either way.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from ingest.rows import Bits, Ids, Rows

CLUSTERED_FROM = 100_000
"""From how many vectors on a segment has clusters."""
PROBES = 64
"""How many clusters are looked into."""
_RESCORED = 200
_SCANNED = 16
"""Who asks for more than one in so many of the vectors has all of them looked at."""
_PER_LIST = 40
_STEP = 65_536
Scored = list[tuple[int, float]]


class Segment(NamedTuple):
    """A FAISS index of fp16 codes, row for row, and one by clusters or None."""

    flat: Any
    clusters: Any = None

    def codes(self) -> NDArray[np.float16]:
        """Return the vectors as they lie in memory or in the file, shape (n, dimension)."""
        size = self.flat.ntotal * self.flat.d * 2
        if not size:
            return np.zeros((0, self.flat.d), dtype=np.float16)
        raw = faiss.rev_swig_ptr(self.flat.codes.data(), size)
        codes: NDArray[np.float16] = raw.view(np.float16).reshape(-1, self.flat.d)
        return codes


def empty(dimension: int) -> Segment:
    """Return a segment without vectors."""
    return Segment(faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT))


def add(segment: Segment, vectors: NDArray[np.float16]) -> None:
    """Add vectors, shape (n, dimension), to a segment that nobody searches yet."""
    segment.flat.add_sa_codes(
        np.ascontiguousarray(vectors).view(np.uint8).reshape(len(vectors), segment.flat.code_size)
    )


def merge(parts: Sequence[tuple[Rows, Segment]]) -> Segment:
    """Return several segments as one, without what was removed from them; it has no clusters."""
    merged = empty(parts[0][1].flat.d)
    for rows, segment in parts:
        codes = segment.codes()
        add(merged, codes if rows.is_whole else codes[rows.kept()])
    return merged


def cluster(segment: Segment) -> Segment:
    """Return the segment with clusters. About a minute for a million vectors on two cores."""
    with _threads(os.cpu_count() or 1):
        return _clustered(segment)


def _clustered(segment: Segment) -> Segment:
    codes, dimension = segment.codes(), segment.flat.d
    lists = int(2 * len(codes) ** 0.5)
    quantizer = faiss.IndexFlatIP(dimension)
    kind, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexIVFScalarQuantizer(quantizer, dimension, lists, kind, metric, False)
    index.cp.niter, index.cp.spherical, index.cp.min_points_per_centroid = 6, True, 1
    size = min(len(codes), _PER_LIST * lists)
    sample = np.sort(np.random.default_rng(0).choice(len(codes), size, replace=False))
    index.train(codes[sample].astype(np.float32))
    for start in range(0, len(codes), _STEP):
        index.add(codes[start : start + _STEP].astype(np.float32))
    return Segment(segment.flat, index)


def write(segment: Segment, folder: Path) -> list[str]:
    """Write a segment's files into a folder; return their names."""
    faiss.write_index(segment.flat, str(folder / "flat.faiss"))
    if segment.clusters is None:
        return ["flat.faiss"]
    faiss.write_index(segment.clusters, str(folder / "clusters.faiss"))
    return ["flat.faiss", "clusters.faiss"]


def read(folder: Path, names: Collection[str], count: int, dimension: int) -> Segment:
    """Open what `write` wrote, mapped into memory. Raises `ValueError` if it is not `count` such vectors.

    Only for files whose hash was checked: FAISS trusts what it reads.
    """
    try:
        flat, clusters = (
            faiss.read_index(str(folder / name), faiss.IO_FLAG_MMAP_IFC) if name in names else None
            for name in ("flat.faiss", "clusters.faiss")
        )
    except RuntimeError as error:
        raise ValueError(f"the vectors in {folder} cannot be read") from error
    if any((index.ntotal, index.d) != (count, dimension) for index in (flat, clusters) if index):
        raise ValueError(f"expected {count} vectors of {dimension} dimensions in {folder}")
    return Segment(flat, clusters)


class VectorSearch:
    """Inner-product search over segments. Safe to share between threads."""

    def __init__(self, segments: Sequence[tuple[Rows, Segment]], dimension: int) -> None:
        self.segments = tuple(segments)
        self.dimension = dimension

    def __len__(self) -> int:
        return sum(rows.alive for rows, _ in self.segments)

    def search(self, query: NDArray[np.float32], k: int, among: Ids | None = None) -> Scored:
        """Return the `k` (id, cosine) nearest to a query, shape (dimension,), best first; `among`: ids, rising."""
        found: Scored = []
        query = np.ascontiguousarray(query, dtype=np.float32)
        for rows, segment in self.segments if k > 0 else ():
            allowed = None if rows.is_whole else rows.bits()
            count = rows.alive
            if among is not None:
                mask = rows.among(among)
                allowed, count = np.packbits(mask, bitorder="little"), int(np.count_nonzero(mask))
            if count:
                scores, places = _nearest(segment, query, min(k, count), allowed, count)
                found += zip(rows.ids[places].tolist(), scores.tolist(), strict=True)
        return sorted(found, key=lambda item: (-item[1], item[0]))[:k]

    def vectors_of(self, ids: Ids) -> NDArray[np.float32]:
        """Return the vectors of these passages, shape (n, dimension); zeros for those that are not there."""
        vectors = np.zeros((len(ids), self.dimension), dtype=np.float32)
        for rows, segment in self.segments:
            there, places = rows.find(ids)
            vectors[there] = segment.codes()[places]
        return vectors


def _nearest(
    segment: Segment, query: NDArray[np.float32], k: int, allowed: Bits | None, count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return (cosines, rows) of the `k` nearest of the `count` allowed rows.

    In one thread: a single query has nothing to share out, and waking threads takes longer than it.
    """
    with _threads(1):
        return _searched(segment, query, k, allowed, count)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Set the number of OpenMP threads, which is also that of torch in this thread, for a while."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _searched(
    segment: Segment, query: NDArray[np.float32], k: int, allowed: Bits | None, count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    by_cluster = segment.clusters is not None and k * _SCANNED <= count and count > segment.flat.ntotal // 8
    chosen = None if allowed is None else faiss.IDSelectorBitmap(allowed)  # type: ignore[call-arg, arg-type]
    if not by_cluster:
        options: Any = faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg]
        scores, places = segment.flat.search(query[None, :], k, params=options)
        return scores[0][places[0] >= 0], places[0][places[0] >= 0]
    probes = min(segment.clusters.nlist, PROBES * segment.flat.ntotal // count)
    options = faiss.SearchParametersIVF(sel=chosen, nprobe=probes)  # type: ignore[call-arg]
    places = segment.clusters.search(query[None, :], max(2 * k, _RESCORED), params=options)[1][0]
    places = np.sort(places[places >= 0])
    scores = segment.codes()[places].astype(np.float32) @ query
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], places[order]
