"""Hits to the sentences that answer the question best: the answer of a small model's rival, the document itself.

A sentence scores by its meaning (cosine with the question), its words (BM25 among the candidate sentences) and the
rank of its passage. The weights are those of the untuned baseline measured on SQuAD articles.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.sentences import sentence_spans
from rag_dolly.types import Hit
from rag_dolly.words import content_words

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
WORDS_WEIGHT = 0.3
PASSAGE_WEIGHT = 0.6
KEEP = 0.8
"""A further quote must score this fraction of the best one."""
MAX_CHARACTERS = 400
_LINK = re.compile(r"(?:[-*+]\s+|\d+[.)]\s+)?!?\[[^\]]*\]\([^)]*\)")
_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a document: where it stands (offsets into the document's text) and how well it answers."""

    hit: Hit
    start: int
    end: int
    text: str
    score: float
    cosine: float


def score_sentences(question: str, hits: Sequence[Hit], embed: Embed) -> list[Quote]:
    """Return every sentence of the hits with its score for the question, best first."""
    places = [(hit, start, end) for hit in hits for start, end in passage_sentences(hit.text)]
    places = [place for place in places if _states(place[0].text[place[1] : place[2]])] or places
    if not places:
        return []
    texts = [hit.text[start:end] for hit, start, end in places]
    vectors = embed([question, *texts])
    cosines = vectors[1:] @ vectors[0]
    words = bm25(content_words(question), [content_words(text) for text in texts])
    top = max(max(words), 1e-9)
    quotes = []
    for (hit, start, end), text, cosine, word in zip(places, texts, cosines, words, strict=True):
        score = float(cosine) + WORDS_WEIGHT * word / top + PASSAGE_WEIGHT * hit.score
        quotes.append(Quote(hit, hit.start + start, hit.start + end, text, score, float(cosine)))
    return sorted(quotes, key=lambda quote: (-quote.score, quote.hit.rank, quote.start))


def best_quotes(scored: Sequence[Quote], limit: int = 3) -> list[Quote]:
    """Return up to `limit` quotes: the best, and those that come close to it; the same words only once."""
    chosen: list[Quote] = []
    for quote in scored:
        if len(chosen) == limit or (chosen and quote.score < KEEP * chosen[0].score):
            break
        if quote.text not in {other.text for other in chosen}:
            chosen.append(quote)
    return chosen


def passage_sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of a passage's sentences; runs too long to quote (tables, code) are taken by line.

    Fenced code is no sentence: it is left out, unless there is nothing else.
    """
    prose = [part for part in _outside_code(text) if text[slice(*part)].strip()] or [(0, len(text))]
    spans = []
    for start, end in (span for part in prose for span in sentence_spans(text, *part)):
        if end - start <= MAX_CHARACTERS or "\n" not in text[start:end]:
            spans.append((start, end))
            continue
        for line in text[start:end].splitlines(keepends=True):
            if line.strip():
                spans.append((start + len(line) - len(line.lstrip()), start + len(line.rstrip())))
            start += len(line)
    return spans


def _states(sentence: str) -> bool:
    """Whether a sentence can be an answer: not a question, an announcement, a bare link or a word or two."""
    return (
        not sentence.endswith(("?", ":"))
        and not _LINK.fullmatch(sentence)
        and (len(sentence.split()) > 2 or not sentence.isascii())
    )


def _outside_code(text: str) -> list[tuple[int, int]]:
    """Return the spans between fenced code blocks of Markdown; a fence that is never closed runs to the end."""
    spans, start = [], 0
    for fence in _FENCED.finditer(text):
        spans.append((start, fence.start()))
        start = fence.end()
    return [*spans, (start, len(text))]


def bm25(query: Sequence[str], documents: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """Return the BM25 score (Robertson and Zaragoza, 2009) of each document, given as words, for the query's words."""
    n = len(documents)
    mean = sum(map(len, documents)) / max(n, 1) or 1.0
    frequency = Counter(word for document in documents for word in set(document))
    scores = []
    for document in documents:
        counts = Counter(document)
        norm = k1 * (1 - b + b * len(document) / mean)
        score = 0.0
        for word in query:
            idf = math.log(1 + (n - frequency[word] + 0.5) / (frequency[word] + 0.5))
            score += idf * counts[word] * (k1 + 1) / (counts[word] + norm)
        scores.append(score)
    return scores
