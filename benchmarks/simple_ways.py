"""The plain ways of retrieval that ours is compared with; they stay as they are whatever the product does.

Keyword search is SQLite's FTS5 (porter stems, BM25 with k1 1.2 and b 0.75) over whole documents, title and text, stop
words of the question left out, Chinese and Japanese in pairs of characters. Dense search is the cosine of the product's
vectors, a document by its best passage. The two are joined by rank (RRF with k 60) or by score (each scaled to 0..1
over its candidates, half and half), of 100 candidates each.
"""

import re
import sqlite3
from collections.abc import Sequence

from ingest.keyword import STOP_WORDS
from ingest.passage import Document

CANDIDATES = 100
RRF_K = 60
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
Ranked = list[tuple[str, float]]
"""(document id, score), best first."""


class FullText:
    """Documents in an FTS5 table in memory."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._table = sqlite3.connect(":memory:")
        self._table.execute("CREATE VIRTUAL TABLE words USING fts5(id UNINDEXED, body, tokenize='porter unicode61')")
        rows = ((document.source, spaced(f"{document.title}\n{document.text}")) for document in documents)
        self._table.executemany("INSERT INTO words VALUES (?, ?)", rows)

    def search(self, question: str) -> Ranked:
        """Return the documents that share most with the question's words."""
        words = re.findall(r"\w+", spaced(question).lower())
        kept = [word for word in words if word not in STOP_WORDS] or words
        query = " OR ".join(f'"{word}"' for word in kept)
        sql = "SELECT id, -rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
        return self._table.execute(sql, (query, CANDIDATES)).fetchall() if query else []


def spaced(text: str) -> str:
    """Return the text with each run of Chinese, Japanese or Korean as its overlapping pairs of characters."""

    def pairs(match: re.Match[str]) -> str:
        run = match[0]
        return f" {' '.join(run[i : i + 2] for i in range(max(1, len(run) - 1)))} "

    return _CJK.sub(pairs, text)


def simple_ways(keyword: Ranked, dense: Ranked) -> dict[str, list[str]]:
    """Return way -> document ids, best first. `dense` holds each document once."""
    keyword, dense = keyword[:CANDIDATES], dense[:CANDIDATES]
    ways = {"keyword": keyword, "dense": dense, "RRF": by_rank(dense, keyword), "min-max": by_score(dense, keyword)}
    return {way: [name for name, _ in ranked] for way, ranked in ways.items()}


def by_rank(*lists: Ranked) -> Ranked:
    """Fuse by rank: the sum of 1 / (60 + rank)."""
    scores: dict[str, float] = {}
    for ranked in lists:
        for rank, (name, _) in enumerate(ranked, 1):
            scores[name] = scores.get(name, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda item: -item[1])


def by_score(*lists: Ranked) -> Ranked:
    """Fuse by score: the sum of the scores, each list scaled to 0..1; a document that a list lacks has 0 there."""
    scores: dict[str, float] = {}
    for ranked in lists:
        low, high = min((s for _, s in ranked), default=0.0), max((s for _, s in ranked), default=0.0)
        for name, score in ranked:
            scores[name] = scores.get(name, 0.0) + ((score - low) / (high - low) if high > low else 1.0)
    return sorted(scores.items(), key=lambda item: -item[1])
