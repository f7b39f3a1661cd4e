"""Which passage supports which sentence. A sentence that nothing supports is not shown as an answer.

Support is decided by rules on what can be checked, never by asking the model: every number and every name must stand
in the supporting sentences, a denial must be a denial there, most content words must be found there, and they must
stand in the same order or mean the same (cosine). The thresholds are fixed.

Limits: this is lexical and semantic agreement, not proof; a short sentence that turns two names around may pass.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag_dolly.quote import Embed, passage_sentences
from rag_dolly.types import Hit
from rag_dolly.words import content_words, in_order, is_negated, names, numbers

NEAR_ENOUGH = 0.55
"""What the best cosine plus half the best share of the question's words must reach for the documents to be about it."""
COVERAGE = 0.75
"""Share of a sentence's content words that its support must hold, whatever else speaks for it."""
SAME_ORDER = 0.85
"""Share of the content words that stand in the support in the same order: near enough to word for word."""
SAME_MEANING = 0.8
"""Cosine between sentence and support, for a sentence that says it in other words or another order."""
_LEANS = re.compile(r"(?:It|Its|He|His|She|Her|They|Their|This|These|That|Those)\b")


@dataclass(frozen=True, slots=True)
class Support:
    """Where a sentence is supported: offsets into the document's text, and how much, 0..1."""

    hit: Hit
    start: int
    end: int
    text: str
    score: float


def answerable(question: str, hits: Sequence[Hit]) -> bool:
    """Whether retrieval came near enough to the question, in meaning and in words, for an answer to be looked for."""
    words = set(content_words(question))
    cosine = max((hit.dense or 0.0 for hit in hits), default=0.0)
    shares = (len(words & set(content_words(" ".join((*hit.heading, hit.text))))) / max(len(words), 1) for hit in hits)
    return cosine + 0.5 * max(shares, default=0.0) >= NEAR_ENOUGH


def find_support(sentence: str, hits: Sequence[Hit], embed: Embed) -> Support | None:
    """Return the best support for a sentence in the passages, or None if there is none."""
    words = content_words(sentence)
    if not words or sentence.rstrip("\"'”’)*_ ").endswith((":", "?")):  # announces or asks, says nothing
        return None
    windows = [window for hit in hits for window in _windows(hit) if _may_support(sentence, words, window)]
    if not windows:
        return None
    vectors = embed([sentence, *(window.text for window in windows)])
    best: Support | None = None
    for window, cosine in zip(windows, vectors[1:] @ vectors[0], strict=True):
        order = in_order(words, _said(window))
        score = min(1.0, max(order, float(cosine)))
        if (order >= SAME_ORDER or cosine >= SAME_MEANING) and (best is None or score > best.score):
            best = Support(window.hit, window.start, window.end, window.text, score)
    return best


def _windows(hit: Hit) -> Iterator[Support]:
    """Yield what may support a sentence: each sentence of a passage, and two where the second leans on the first.

    Other neighbours are not joined: the words of two statements, put together, say what neither says.
    """
    spans = passage_sentences(hit.text)
    pairs = [(first[0], second[1]) for first, second in pairwise(spans) if _LEANS.match(hit.text, second[0])]
    for start, end in [*spans, *pairs]:
        yield Support(hit, hit.start + start, hit.start + end, hit.text[start:end], 0.0)


def _may_support(sentence: str, words: Sequence[str], window: Support) -> bool:
    """Check the hard facts: numbers, names, denial, and enough of the words."""
    where = " ".join((*window.hit.heading, window.text))
    if not numbers(sentence) <= numbers(where) or is_negated(sentence) != is_negated(window.text):
        return False
    lowered = where.lower()
    if not all(name in lowered for name in names(sentence)):
        return False
    wanted = set(words)
    return len(wanted & set(_said(window))) >= COVERAGE * len(wanted)


def _said(window: Support) -> list[str]:
    """Return the content words of the headings above the window and of the window itself."""
    return content_words(" ".join((*window.hit.heading, window.text)))
