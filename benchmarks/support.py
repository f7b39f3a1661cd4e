"""How well the check of a sentence against passages tells what they support: precision and recall by threshold.

    python -m benchmarks.support FILE [--limit N]

FILE is databricks-dolly-15k, or another .jsonl of {"instruction", "context", "response", "category"}. The sentences
that people wrote in answer to a question on a text (closed_qa, information_extraction) stand for supported ones,
though a few of them say more than the text; not one is changed. The same sentences with another number or name of the
text in them, denied, or before the text of another record, stand for unsupported ones: each is a lie that such a
check is there for. Prints, for each threshold of the last rule (words in the same order, or meaning) with all other
rules in force, the share of shown sentences that are supported (precision, as if both kinds were equally frequent)
and of supported sentences that are shown (recall); then what becomes of each kind at the thresholds in use. One
sentence alone is checked, not an answer.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ingest.embed import Embedder, open_embedder
from ingest.sentences import sentence_spans
from rag_dolly import ground
from rag_dolly.types import Hit
from rag_dolly.words import content_words, is_negated, names, numbers

THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
LONGEST = 6000
KINDS = ("supported", "another number", "another name", "denied", "another text")


class Case(NamedTuple):
    """A sentence and a text, and of which of `KINDS` they are."""

    sentence: str
    text: str
    kind: str


def main() -> None:
    parser = argparse.ArgumentParser(description="Precision and recall of the check of a sentence.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, default=400, help="supported sentences (default: 400)")
    options = parser.parse_args()
    embedder = open_embedder()
    cases = list(made(options.file, options.limit))
    scores = np.array([strength(case, embedder) for case in cases])
    kinds = np.array([case.kind for case in cases])
    print("threshold  precision  recall")
    for threshold in THRESHOLDS:
        precision, recall = rates(scores, kinds, threshold)
        print(f"{threshold:>9.2f}  {precision:>9.3f}  {recall:>6.3f}")
    print(f"\nin use: {ground.SAME_ORDER} in the same order or a meaning {ground.SAME_MEANING} near")
    for kind in KINDS:
        shown = [bool(find(case, embedder)) for case in cases if case.kind == kind]
        print(f"{kind:<16} {len(shown):>5} sentences, shown {np.mean(shown):.3f}")


def made(path: Path, limit: int) -> Iterator[Case]:
    """Yield the sentences of people's answers, and each changed in every way that it can be."""
    draw = random.Random(0)
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    wanted = ("closed_qa", "information_extraction")
    texts = [row for row in rows if row["category"] in wanted and 0 < len(row["context"]) <= LONGEST]
    draw.shuffle(texts)
    found = ((sentence, row["context"]) for row in texts for sentence in stated(row["response"]))
    for (sentence, text), other in zip(found, reversed(texts), strict=False):
        if limit == 0:
            return
        limit -= 1
        yield Case(sentence, text, "supported")
        yield from changed(sentence, text, other["context"], draw)


def stated(response: str) -> Iterator[str]:
    """Yield the sentences of an answer that say something."""
    for start, end in sentence_spans(response):
        sentence = response[start:end]
        if len(content_words(sentence)) >= 3 and sentence.endswith("."):
            yield sentence


def changed(sentence: str, text: str, other: str, draw: random.Random) -> Iterator[Case]:
    """Yield what the text does not say any more."""
    yield Case(sentence, other, "another text")
    if here := swapped(sentence, re.findall(r"\d[\d.,]*\d|\d", sentence), sorted(numbers(text)), draw):
        yield Case(here, text, "another number")
    if here := swapped(
        sentence, [one for one in names(sentence) if one.title() in sentence], sorted(names(text)), draw
    ):
        yield Case(here, text, "another name")
    denied = re.sub(r"\b(is|was|are|were|has|had|can|will)\b", r"\1 not", sentence, count=1)
    if denied != sentence and not is_negated(sentence):
        yield Case(denied, text, "denied")


def swapped(sentence: str, said: Sequence[str], others: Sequence[str], draw: random.Random) -> str | None:
    """Return the sentence with another number or name of the text in the place of one of its own."""
    pool = [one for one in others if one.lower() not in sentence.lower()]
    if not said or not pool:
        return None
    old, new = draw.choice(list(said)), draw.choice(pool)
    return re.sub(re.escape(old), new.title() if old[0].isalpha() else new, sentence, count=1, flags=re.IGNORECASE)


def hit_of(text: str) -> Hit:
    return Hit(1, "text", 0, None, 0, len(text), (), text, 1.0)


def find(case: Case, embedder: Embedder) -> ground.Support | None:
    return ground.find_support(case.sentence, [hit_of(case.text)], embedder.embed_sentences)


def strength(case: Case, embedder: Embedder) -> float:
    """Return the order or meaning of the best text that passes the other rules, 0 if none does."""
    lack = ground.why_not(case.sentence, [hit_of(case.text)], embedder.embed_sentences)
    return max(lack.order, lack.cosine) if lack.check == "order and meaning" else 0.0


def rates(scores: np.ndarray, kinds: np.ndarray, threshold: float) -> tuple[float, float]:
    """Return precision, as if supported and unsupported sentences were equally frequent, and recall."""
    recall = float((scores[kinds == KINDS[0]] >= threshold).mean())
    wrong = float((scores[kinds != KINDS[0]] >= threshold).mean())
    return recall / max(recall + wrong, 1e-9), recall


if __name__ == "__main__":
    main()
