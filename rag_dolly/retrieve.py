"""Question to hits: dense and keyword search propose passages, every stage scores them all, the scores are fused.

Where there is a reranker, it orders the best of them anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.chunk import embedding_text, embedding_title
from ingest.embed import Embedder, Vectors
from ingest.filters import Filters
from ingest.index import Index
from ingest.records import StoredPassage
from ingest.sentences import sentence_spans
from rag_dolly.fuse import NAMED, Scores, Weights, fuse, spread, weights_for
from rag_dolly.types import Hit, Reranker

CANDIDATES = 100
"""How many passages each search proposes at least."""
OVERSAMPLE = 5
"""Passages looked at for each document wanted, so that enough different documents are found."""
NAMED_CANDIDATES = 50
"""How many passages each search proposes of the documents that the question names."""
_MOST_SENTENCES = 16
_LEAST_WORDS = 3


class Candidates(NamedTuple):
    """The passages that either search proposed, shape (n,), and what each stage says of them."""

    ids: NDArray[np.int64]
    dense: Scores
    keyword: Scores
    coverage: Scores
    named: Scores

    def fused(self, weights: Weights, keyword: Scores | None = None) -> Scores:
        """Return one score for each passage; `keyword` stands in for the scores of the keyword search."""
        stages = (self.dense, self.keyword if keyword is None else keyword, self.coverage)
        return fuse(stages, weights) + np.float32(NAMED) * self.named


class Found(NamedTuple):
    """What a search found, for an explanation: the hits in the order of the retriever, and where each stage had them.

    `fused` is the score before any reranking, 0 to 1; `named` how clearly the question names the document, None where
    it names none; `ranks` count from 1 among all `total` passages proposed.
    """

    hits: list[Hit]
    fused: list[float]
    named: list[float | None]
    ranks: list[dict[str, int]]
    total: int
    filters: str


OnFound = Callable[[Found], None]


class HybridRetriever:
    """Cosine, BM25 and coverage, standardised and added; the best ordered anew by a reranker, if there is one.

    Fusing scores beats each stage and rank fusion (RRF) in nDCG@10 where it was measured: see docs/retrieve.md.
    """

    def __init__(self, index: Index, reranker: Reranker | None = None) -> None:
        self.index = index
        self.reranker = reranker

    def search(
        self, question: str, top_k: int, *, filters: Filters | None = None, on_found: OnFound | None = None
    ) -> list[Hit]:
        """Return at most `top_k` hits, best first, with the score of each stage. Raises as `Index.select`.

        What the reranker raises when it loads is raised here. `on_found` is told of the hits in more detail.
        """
        found = self.candidates(question, max(top_k, CANDIDATES), filters)
        hits = self._best(question, found, found.keyword, top_k)
        if on_found:
            on_found(self._explained(question, hits, found, str(filters or "")))
        return hits

    def _explained(self, question: str, hits: list[Hit], found: Candidates, filters: str) -> Found:
        """Return the hits with what each stage made of them."""
        fused = spread(found.fused(weights_for(self.index.embedder.knows(question))))
        ids = self.index.ids_at([(hit.source, hit.ordinal) for hit in hits])
        row_of = {int(key): row for row, key in enumerate(found.ids)}
        rows = [row_of.get(ids.get((hit.source, hit.ordinal), -1)) for hit in hits]
        stages = {"dense": found.dense, "keyword": found.keyword, "fused": fused}
        places = {name: _places(scores, found.ids) for name, scores in stages.items()}
        ranks = [{name: place[row] for name, place in places.items()} if row is not None else {} for row in rows]
        scores = [float(fused[row]) if row is not None else 0.0 for row in rows]
        named = [round(float(found.named[row]), 4) if row is not None else 0.0 for row in rows]
        said: list[float | None] = [*named] if found.named.any() else [None] * len(rows)
        return Found(hits, scores, said, ranks, len(row_of), filters)

    def search_documents(self, question: str, top_k: int, *, filters: Filters | None = None) -> list[Hit]:
        """Return the best hit of each of at most `top_k` documents, best document first. Raises as `search`.

        A document is judged by its best passage, whose words count half and those of the whole document half.
        """
        found = self.candidates(question, max(OVERSAMPLE * top_k, CANDIDATES), filters)
        words = np.float32(0.5) * (found.keyword + self.index.document_scores(question, found.ids))
        return once(self._best(question, found, words, len(found.ids)))[:top_k]

    def _best(self, question: str, found: Candidates, words: Scores, top_k: int) -> list[Hit]:
        """Return the best `top_k` candidates, of which the words are scored so."""
        fused = found.fused(weights_for(self.index.embedder.knows(question)), words)
        scores, depth = spread(fused), self.reranker.depth if self.reranker else 0
        best = np.lexsort((found.ids, -scores))[: max(top_k, depth)]
        rows = {int(found.ids[row]): int(row) for row in best}
        stored = self.index.passages(list(rows))
        hits = [_hit(item, rank, rows[item.id], scores, found) for rank, item in enumerate(stored, 1)]
        if self.reranker:
            values = fused[[rows[item.id] for item in stored[:depth]]]
            texts = [_embedded(item) for item in stored[: _rivals(values, self.reranker.margin)]]
            hits = rerank(self.reranker, question, hits, texts, values[: len(texts)])
        return hits[:top_k]

    def candidates(self, question: str, k: int, filters: Filters | None = None) -> Candidates:
        """Return the best `k` of each search together, by id, with the scores of all stages.

        Of documents that the question names, the best `NAMED_CANDIDATES` of each search are there too.
        """
        among = self.index.select(filters)
        embedding = begin_vector(self.index.embedder, question)
        keyword = dict(self.index.keyword(question, k, among))
        named = self.index.named(question, among)
        query = embedding()
        dense = dict(self.index.dense(query, k, among))
        if len(meant := named.best()):
            dense |= self.index.dense(query, NAMED_CANDIDATES, meant)
            keyword |= self.index.keyword(question, NAMED_CANDIDATES, meant)
        beside = np.array(sorted(keyword.keys() - dense.keys()), dtype=np.int64)
        dense |= zip(beside.tolist(), (self.index.vectors_of(beside) @ query).tolist(), strict=True)
        ids = np.array(sorted(dense), dtype=np.int64)
        words = self.index.by_words(question, ids)
        cosines = np.array([dense[key] for key in ids.tolist()], dtype=np.float32)
        return Candidates(ids, cosines, _filled(ids, keyword, words.keyword), words.coverage, named.of(ids))


def once(hits: Sequence[Hit]) -> list[Hit]:
    """Return the best hit of each document, ranked anew from 1."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.source, hit)
    return [replace(hit, rank=rank) for rank, hit in enumerate(best.values(), 1)]


def rerank(reranker: Reranker, question: str, hits: Sequence[Hit], texts: Sequence[str], fused: Scores) -> list[Hit]:
    """Return the hits, of which the first have these texts and fused scores, those first ones ordered anew.

    They share out anew the range of `score` that they had, from the last of them to 1, so that `score` falls with the
    rank and means what it means without a reranker; the other hits stay as they are.
    """
    scores = reranker.scores(question, texts) if texts else None
    if scores is None:
        return list(hits)
    read, rest = hits[: len(texts)], hits[len(texts) :]
    decisive = scores if reranker.weight is None else fused + np.float32(reranker.weight) * scores
    shown = spread(decisive, read[-1].score)
    order = np.argsort(-decisive, kind="stable")
    first = [
        replace(read[row], rank=rank, score=float(shown[row]), rerank=float(scores[row]))
        for rank, row in enumerate(order, 1)
    ]
    return [*first, *rest]


def _rivals(fused: Scores, margin: float | None) -> int:
    """Return how many of the best are read, given their fused scores, highest first: none where one leads clearly."""
    near = len(fused) if margin is None or not len(fused) else int((fused >= fused[0] - margin).sum())
    return near if margin is None or near > 1 else 0


def begin_vector(embedder: Embedder, question: str) -> Callable[[], Vectors]:
    """Begin to embed a question, and return what waits for its vector, shape (dimension,).

    The vector of a question of several sentences is the mean of theirs.
    """
    sentences = [question[start:end] for start, end in sentence_spans(question)]
    sentences = [sentence for sentence in sentences if len(sentence.split()) >= _LEAST_WORDS]
    if len(sentences) < 2:
        return embedder.begin_query(question)
    begun = [embedder.begin_query(sentence) for sentence in sentences[:_MOST_SENTENCES]]
    return lambda: _mean([embedding() for embedding in begun])


def _mean(vectors: Sequence[Vectors]) -> Vectors:
    total = np.sum(vectors, axis=0)
    mean: Vectors = (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)
    return mean


def _embedded(stored: StoredPassage) -> str:
    """Return a passage as the embedder read it: its headings, or its document's title, above its text."""
    return embedding_text(embedding_title(stored.passage.source, stored.title), stored.passage)


def _places(scores: Scores, ids: NDArray[np.int64]) -> list[int]:
    """Return the rank of each candidate by one stage, counted from 1; equal scores go by id."""
    places = np.empty(len(ids), dtype=np.int64)
    places[np.lexsort((ids, -scores))] = np.arange(1, len(ids) + 1)
    return [int(place) for place in places]


def _filled(ids: NDArray[np.int64], found: Mapping[int, float], others: Scores) -> Scores:
    """Return the scores as they were found, which phrases may have raised, and those of the other ids."""
    pairs = zip(ids.tolist(), others.tolist(), strict=True)
    return np.array([found.get(key, other) for key, other in pairs], dtype=np.float32)


def _hit(stored: StoredPassage, rank: int, row: int, scores: Scores, found: Candidates) -> Hit:
    passage = stored.passage
    return Hit(
        rank=rank,
        source=passage.source,
        ordinal=passage.ordinal,
        page=passage.page,
        start=passage.start,
        end=passage.end,
        heading=passage.heading or ((stored.title,) if stored.title else ()),
        text=passage.text,
        score=float(scores[row]),
        dense=float(found.dense[row]),
        keyword=float(found.keyword[row]),
        place=passage.place,
    )
