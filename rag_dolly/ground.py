"""Which passage supports which sentence. A sentence that nothing supports is not shown as an answer.

Support is decided by rules on what can be checked, never by asking the model: every number and every name must stand
in the supporting sentences, a denial must be a denial there, and the content words must be found there, all of them
or most of them with the same meaning (cosine). The thresholds are fixed.

Limits: this is lexical and semantic agreement, not proof; a sentence that turns the roles of two names around passes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag_dolly.quote import Embed, passage_sentences
from rag_dolly.types import Hit
from rag_dolly.words import content_words, is_negated, names, numbers

MIN_COSINE_TO_ANSWER = 0.3
"""Below this cosine between question and best passage the documents are not about the question."""
FULL_COVERAGE = 0.9
PART_COVERAGE = 0.75
SAME_MEANING = 0.75


@dataclass(frozen=True, slots=True)
class Support:
    """Where a sentence is supported: offsets into the document's text, and how much, 0..1."""

    hit: Hit
    start: int
    end: int
    text: str
    score: float


def answerable(hits: Sequence[Hit]) -> bool:
    """Whether retrieval came near enough to the question for an answer to be looked for."""
    return any((hit.dense or 0.0) >= MIN_COSINE_TO_ANSWER for hit in hits)


def find_support(sentence: str, hits: Sequence[Hit], embed: Embed) -> Support | None:
    """Return the best support for a sentence in the passages, or None if there is none."""
    words = set(content_words(sentence))
    if not words or sentence.rstrip("\"'”’)*_ ").endswith((":", "?")):  # announces or asks, says nothing
        return None
    windows = [window for hit in hits for window in _windows(hit) if _may_support(sentence, words, window)]
    if not windows:
        return None
    vectors = embed([sentence, *(window.text for window in windows)])
    best: Support | None = None
    for window, cosine in zip(windows, vectors[1:] @ vectors[0], strict=True):
        covered = _coverage(words, window)
        if covered < FULL_COVERAGE and cosine < SAME_MEANING:
            continue
        score = min(1.0, (covered + max(0.0, float(cosine))) / 2)
        if best is None or score > best.score:
            best = Support(window.hit, window.start, window.end, window.text, score)
    return best


def _windows(hit: Hit) -> Iterator[Support]:
    """Yield each sentence of a passage, and each two neighbours, as possible support."""
    spans = passage_sentences(hit.text)
    pairs = [(first[0], second[1]) for first, second in pairwise(spans)]
    for start, end in [*spans, *pairs]:
        yield Support(hit, hit.start + start, hit.start + end, hit.text[start:end], 0.0)


def _may_support(sentence: str, words: set[str], window: Support) -> bool:
    """Check the hard facts: numbers, names, denial, and enough of the words."""
    where = " ".join((*window.hit.heading, window.text))
    if not numbers(sentence) <= numbers(where) or is_negated(sentence) != is_negated(window.text):
        return False
    lowered = where.lower()
    return all(name in lowered for name in names(sentence)) and _coverage(words, window) >= PART_COVERAGE


def _coverage(words: set[str], window: Support) -> float:
    """Return the share of the words that stand in the window or in the headings above it."""
    present = set(content_words(" ".join((*window.hit.heading, window.text))))
    return len(words & present) / len(words)
