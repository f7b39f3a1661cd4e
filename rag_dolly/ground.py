"""Which passage supports which sentence. A sentence that nothing supports is not shown as an answer.

Support is decided by rules on what can be checked, never by asking the model: every number and every name must stand
in the supporting sentences, a denial must be a denial there, most content words must be found there, and they must
stand in the same order or mean the same (cosine). The thresholds are fixed.

Limits: this is lexical and semantic agreement, not proof; a short sentence that turns two names around may pass.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from ingest.nearness import near, word_share
from rag_dolly.orders import is_order
from rag_dolly.quote import passage_sentences
from rag_dolly.sentence_features import Embed
from rag_dolly.types import Hit
from rag_dolly.words import content_words, in_order, is_negated, names, numbers

NEAR_ENOUGH = 0.55
"""The nearness (`ingest.nearness`) that a question must reach in an index that has not been calibrated."""
WORDS_ENOUGH = 0.2
"""The same for a question in a script that the embedder does not know, where words alone count: 40 % of them."""
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


Check = Literal["number", "name", "denial", "words", "order and meaning", "states nothing", "no passage"]


@dataclass(frozen=True, slots=True)
class Lack:
    """The first check that a sentence fails against the text nearest to it, and what is missing there.

    `missing` are the numbers, the names in lower case or the stems that the text does not have. `coverage` is the share
    of the sentence's words that it has, `order` the share that it has in the same order; both 0 to 1.
    """

    check: Check
    missing: tuple[str, ...] = ()
    nearest: Support | None = None
    coverage: float = 0.0
    order: float = 0.0
    cosine: float = 0.0


def answerable(question: str, hits: Sequence[Hit], needed: float = NEAR_ENOUGH, is_known: bool = True) -> bool:
    """Whether retrieval came near enough to the question, in meaning and in words, for an answer to be looked for."""
    return near(*nearness(question, hits, is_known)) >= (needed if is_known else WORDS_ENOUGH)


def nearness(question: str, hits: Sequence[Hit], is_known: bool = True) -> tuple[float, float]:
    """Return the best cosine of the hits, and the largest share of the question's words that one of them holds.

    The cosine is 0 for a question that is not in a script that the embedder knows (`is_known`).
    """
    cosine = max((hit.dense or 0.0 for hit in hits), default=0.0) if is_known else 0.0
    texts = [" ".join((*hit.heading, hit.text)) for hit in hits]
    return cosine, word_share(question, texts, [hit.source for hit in hits])


def find_support(sentence: str, hits: Sequence[Hit], embed: Embed) -> Support | None:
    """Return the best support for a sentence in the passages, or None if there is none."""
    words = content_words(sentence)
    if not _states(sentence, words):
        return None
    windows = [window for hit in hits for window in _windows(hit) if _lacks(sentence, words, window) is None]
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


def why_not(sentence: str, hits: Sequence[Hit], embed: Embed) -> Lack:
    """Return what stands between an unsupported sentence and the text that comes nearest to supporting it.

    Nearest is the best of what fails at the last check only, else what holds most of the sentence's words.
    """
    words = content_words(sentence)
    windows = [window for hit in hits for window in _windows(hit)]
    if not windows or not _states(sentence, words):
        return Lack("states nothing" if windows else "no passage")
    lacks = [_lacks(sentence, words, window) for window in windows]
    shares = [len(set(words) & set(_said(window))) / len(set(words)) for window in windows]
    near = [n for n, lack in enumerate(lacks) if lack is None] or [shares.index(max(shares))]
    vectors = embed([sentence, *(windows[n].text for n in near)])
    orders = [in_order(words, _said(windows[n])) for n in near]
    cosine, order, n = max(
        zip((vectors[1:] @ vectors[0]).tolist(), orders, near, strict=True), key=lambda m: max(m[:2])
    )
    check, missing = lacks[n] or ("order and meaning", ())
    coverage = 1 - len(missing) / len(set(words)) if check == "words" else shares[n]
    return Lack(check, missing, replace(windows[n], score=min(1.0, max(order, cosine, 0.0))), coverage, order, cosine)


def _windows(hit: Hit) -> Iterator[Support]:
    """Yield what may support a sentence: each sentence of a passage, and two where the second leans on the first.

    Other neighbours are not joined: the words of two statements, put together, say what neither says. An order to the
    one who answers supports nothing, not even what it says.
    """
    spans = passage_sentences(hit.text)
    pairs = [(first[0], second[1]) for first, second in pairwise(spans) if _LEANS.match(hit.text, second[0])]
    for start, end in [*spans, *pairs]:
        if not is_order(hit.text[start:end]):
            yield Support(hit, hit.start + start, hit.start + end, hit.text[start:end], 0.0)


def _states(sentence: str, words: Sequence[str]) -> bool:
    """Whether a sentence says something: it does not announce, ask, order, or consist of marks."""
    return bool(words) and not sentence.rstrip("\"'”’)*_ ").endswith((":", "?")) and not is_order(sentence)


def _lacks(sentence: str, words: Sequence[str], window: Support) -> tuple[Check, tuple[str, ...]] | None:
    """Return the first hard fact of a sentence that a window lacks, and what of it; None if it has them all.

    The hard facts are numbers, names, denial, and enough of the words.
    """
    above = _above(window.hit)
    where = f"{above} {window.text}"
    if missing := numbers(sentence) - numbers(where):
        return "number", tuple(sorted(missing))
    if is_negated(sentence) != is_negated(window.text):
        return "denial", ()
    lowered = where.lower()
    if missing := {name for name in names(sentence) if name not in lowered}:
        return "name", tuple(sorted(missing))
    wanted, said = set(words), set(_said(window))
    if len(wanted & said) < COVERAGE * len(wanted):
        return "words", tuple(word for word in dict.fromkeys(words) if word not in said)
    shown, named = wanted & set(content_words(window.text)), set(content_words(above))
    if shown <= named and len(shown) < COVERAGE * len(wanted):  # a heading says it, and the text below does not
        return "words", tuple(word for word in dict.fromkeys(words) if word not in shown)
    return None


def _above(hit: Hit) -> str:
    """Return the headings above a passage, but none that gives an order."""
    return " ".join(heading for heading in hit.heading if not is_order(heading))


def _said(window: Support) -> list[str]:
    """Return the content words of the headings above the window and of the window itself."""
    return content_words(f"{_above(window.hit)} {window.text}")
