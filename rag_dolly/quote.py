"""Hits to the sentences that answer the question best: the answer of a small model's rival, the document itself.

How a sentence is scored is told in sentence_features.py. As many are quoted as the scores leave in doubt: one when one
will do. Sentences are quoted word for word, whole, and never joined.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.embed import Embedder
from ingest.sentences import sentence_spans
from rag_dolly.orders import is_order
from rag_dolly.sentence_features import Embed, Sentence, weigh
from rag_dolly.types import Hit, Reader, Reading

SURE = 0.0
"""The log-odds, as the reader has them, from which words are shown as the answer in short."""
LIKELY = 0.035
"""The chance of being the answer that a further quote must have, beside the best one."""
MOST_QUOTES = 5
MAX_CHARACTERS = 400
_LINK = re.compile(r"(?:[-*+]\s+|\d+[.)]\s+)?!?\[[^\]]*\]\([^)]*\)")
_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a document: where it stands (offsets into the document's text) and how well it answers.

    `score` is a log-odds (`sentence_features.weigh`); `cosine` is the similarity with the question; `reading` is what a
    reader found in it, with offsets into the hit's text.
    """

    hit: Hit
    start: int
    end: int
    text: str
    score: float
    cosine: float
    reading: Reading | None = None


def score_sentences(
    question: str,
    hits: Sequence[Hit],
    embed: Embed,
    embedder: Embedder | None = None,
    reader: Reader | None = None,
) -> list[Quote]:
    """Return every sentence of the hits but orders to who answers, with its score for the question, best first.

    With an `embedder` that has vectors of tokens, sentences are compared with the question token by token.
    """
    sentences = [sentence for hit in hits for sentence in sentences_of(hit) if not is_order(sentence.text)]
    sentences = [sentence for sentence in sentences if _states(sentence.text)] or sentences
    if not sentences:
        return []
    weighed = weigh(question, sentences, embed, embedder, reader)
    quotes = [_quote(*row) for row in zip(sentences, *weighed, strict=True)]
    return sorted(quotes, key=lambda quote: (-quote.score, quote.hit.rank, quote.start))


def _quote(sentence: Sentence, score: float, cosine: float, reading: Reading | None) -> Quote:
    hit, start, end, _ = sentence
    return Quote(hit, hit.start + start, hit.start + end, sentence.text, float(score), float(cosine), reading)


def best_quotes(scored: Sequence[Quote], limit: int = MOST_QUOTES) -> list[Quote]:
    """Return up to `limit` quotes: the best, and those that may well be the answer too; the same words only once."""
    chosen: list[Quote] = []
    for quote, chance in zip(scored, _chances(scored), strict=True):
        if len(chosen) == limit or (chosen and chance < LIKELY):
            break
        if quote.text not in {other.text for other in chosen}:
            chosen.append(quote)
    return chosen


def short_answer(quote: Quote) -> tuple[int, int] | None:
    """Return where in the document the words of a quote stand that answer in short (offsets), if it is sure enough.

    They are less than the whole quote.
    """
    found = quote.reading
    if found is None or found.score < SURE:
        return None
    span = quote.hit.start + found.start, quote.hit.start + found.end
    return span if found.end - found.start < len(quote.text.rstrip(" .!?")) else None


def _chances(scored: Sequence[Quote]) -> list[float]:
    """Return for each sentence the chance that it is the answer, if one of them is."""
    scores = np.array([quote.score for quote in scored])
    odds = np.exp(scores - scores.max(initial=-np.inf))
    return [float(odd) for odd in odds / max(odds.sum(), 1e-12)]


def sentences_of(hit: Hit) -> list[Sentence]:
    """Return the sentences of a hit, each with the one before it."""
    spans = passage_sentences(hit.text)
    return [
        Sentence(hit, start, end, hit.text[slice(*spans[n - 1])] if n else "") for n, (start, end) in enumerate(spans)
    ]


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
