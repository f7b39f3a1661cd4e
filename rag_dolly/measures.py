"""nDCG, recall and reciprocal rank of each query, as trec_eval defines them.

They are computed by ir-measures where it is installed (`pip install ir-measures`), else by the formulas here, which a
test compares with it. It is no dependency because trec_eval, which it calls, carries a notice against commercial use in
its source files: see docs/licences.md. A query for which nothing is found counts as 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag_dolly.beir import Qrels

MEASURES = {"ndcg@10": "nDCG@10", "recall@5": "R@5", "recall@10": "R@10", "recall@100": "R@100", "mrr@10": "RR@10"}
"""What can be computed -> its name in ir-measures."""
Floats = NDArray[np.float64]
Run = dict[str, list[str]]
"""Query id -> document ids, best first, each once."""
Judged = Mapping[str, int]
"""Document id -> score, relevant above 0."""


def score(run: Run, qrels: Qrels, measures: Sequence[str]) -> Floats:
    """Return the measures of each query, shape (queries, measures), in the order of `qrels`."""
    return by_library(run, qrels, measures) if has_library() else by_formula(run, qrels, measures)


def has_library() -> bool:
    """Whether ir-measures, and trec_eval for it to call, are installed."""
    try:
        import ir_measures  # noqa: F401
        import pytrec_eval  # noqa: F401
    except ImportError:
        return False
    return True


def by_library(run: Run, qrels: Qrels, measures: Sequence[str]) -> Floats:
    """Return what `score` returns, computed by ir-measures."""
    import ir_measures

    wanted = {ir_measures.parse_measure(MEASURES[name]): column for column, name in enumerate(measures)}
    judged = [ir_measures.Qrel(query, name, grade) for query, row in qrels.items() for name, grade in row.items()]
    ranked = [  # the score only says the order, without ties, which trec_eval would break by the ids
        ir_measures.ScoredDoc(query, name, -float(rank))
        for query in qrels
        for rank, name in enumerate(run.get(query, []))
    ]
    values = np.zeros((len(qrels), len(measures)))
    rows = {query: row for row, query in enumerate(qrels)}
    for metric in ir_measures.iter_calc(list(wanted), judged, ranked):
        values[rows[metric.query_id], wanted[metric.measure]] = metric.value
    return values


def by_formula(run: Run, qrels: Qrels, measures: Sequence[str]) -> Floats:
    """Return what `score` returns, computed here."""
    formulas: dict[str, Callable[[Sequence[str], Judged, int], float]] = {"ndcg": ndcg, "recall": recall, "mrr": rank}
    parts = [name.split("@") for name in measures]
    rows = [
        [formulas[kind](run.get(query, [])[: int(depth)], judged, int(depth)) for kind, depth in parts]
        for query, judged in qrels.items()
    ]
    return np.array(rows, dtype=np.float64).reshape(len(qrels), len(measures))


def ndcg(found: Sequence[str], judged: Judged, depth: int) -> float:
    """Discounted sum of the scores found, divided by the largest that is possible."""
    best = sorted(judged.values(), reverse=True)[:depth]
    ideal = _discounted(best)
    return _discounted([judged.get(name, 0) for name in found]) / ideal if ideal else 0.0


def recall(found: Sequence[str], judged: Judged, depth: int) -> float:
    """Share of the relevant documents that were found."""
    relevant = {name for name, grade in judged.items() if grade > 0}
    return len(relevant.intersection(found)) / len(relevant) if relevant else 0.0


def rank(found: Sequence[str], judged: Judged, depth: int) -> float:
    """Return 1 divided by the rank of the first relevant document, 0 where there is none."""
    return next((1 / place for place, name in enumerate(found, 1) if judged.get(name, 0) > 0), 0.0)


def _discounted(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / math.log2(place + 1) for place, grade in enumerate(grades, 1))
