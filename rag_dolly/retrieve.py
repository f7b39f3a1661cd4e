"""Question to hits: dense and keyword search, fused by score."""

from collections.abc import Callable, Sequence

from ingest.index import Index, Scored
from ingest.records import StoredPassage
from rag_dolly.types import Hit

CANDIDATES = 100
"""How many passages each stage proposes."""
DENSE_WEIGHT = 0.5


class HybridRetriever:
    """Cosine similarity and BM25, each scaled to 0..1 over its candidates, half and half.

    Score-aware fusion beats rank fusion (RRF) in nDCG@10 where it was measured: see docs/retrieve.md.
    """

    def __init__(self, index: Index) -> None:
        self.index = index

    def search(self, question: str, top_k: int) -> list[Hit]:
        """Return at most `top_k` hits, best first, with the score of each stage."""
        dense = self.index.dense(self.index.embedder.embed_query(question), CANDIDATES)
        keyword = self.index.keyword(question, CANDIDATES)
        return to_hits(fuse(dense, keyword), dense, keyword, top_k, self.index.passages)


def fuse(dense: Scored, keyword: Scored, weight: float = DENSE_WEIGHT) -> Scored:
    """Return (id, score) of all candidates, best first: weight * dense + (1 - weight) * keyword, each min-max scaled.

    A passage that a stage did not propose has 0 there.
    """
    fused: dict[int, float] = {}
    for part, scored in ((weight, dense), (1 - weight, keyword)):
        for key, score in _scale(scored):
            fused[key] = fused.get(key, 0.0) + part * score
    return sorted(fused.items(), key=lambda item: (-item[1], item[0]))


def to_hits(
    fused: Scored,
    dense: Scored,
    keyword: Scored,
    top_k: int,
    read: Callable[[Sequence[int]], list[StoredPassage]],
) -> list[Hit]:
    """Return the best `top_k` as hits, with their text and the scores of each stage."""
    by_dense, by_keyword = dict(dense), dict(keyword)
    scores = dict(fused[:top_k])
    hits: list[Hit] = []
    for stored in read(list(scores)):
        passage = stored.passage
        hits.append(
            Hit(
                rank=len(hits) + 1,
                source=passage.source,
                ordinal=passage.ordinal,
                page=passage.page,
                start=passage.start,
                end=passage.end,
                heading=passage.heading or ((stored.title,) if stored.title else ()),
                text=passage.text,
                score=scores[stored.id],
                dense=by_dense.get(stored.id),
                keyword=by_keyword.get(stored.id),
                place=passage.place,
            )
        )
    return hits


def _scale(scored: Scored) -> Scored:
    """Scale scores to 0..1; equal scores all become 1."""
    if not scored:
        return []
    low, high = min(s for _, s in scored), max(s for _, s in scored)
    return [(key, (score - low) / (high - low) if high > low else 1.0) for key, score in scored]
