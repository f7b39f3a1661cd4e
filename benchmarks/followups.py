"""Follow-up questions: what is found when the question leans on what was said before.

    python -m benchmarks.followups RUST_BOOK_DIR [--cache DIR]

RUST_BOOK_DIR holds the chapters (the folder `src` of github.com/rust-lang/book). The index is made once, in DIR if one
is given. followups.jsonl holds conversations written for this: `history` (question and answer pairs), `question` (the
follow-up), `standalone` (the same as a person would ask it alone) and `relevant`: the sections ("file#heading", with
all below the heading) or files that answer it. Each of them suffices, so they count as one: recall@5 is 1 where one of
the first five passages stands in one of them, and nDCG@10 is 1 / log2(1 + rank) of the first that does.

Five ways: the follow-up alone; the question before put before it, always; the rule that was in use before (the
question before put before it where the follow-up has a pronoun or hardly any words); ours; and the question as written
to stand alone. No rule was chosen by a score on the part "test", but the same author wrote its questions and the rules,
knowing them, so it is not blind: expect less of other people's questions. Intervals are bootstrapped, 95 %.
"""

import argparse
import json
import math
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ingest.embed import open_embedder
from ingest.index import Index
from ingest.records import StoredPassage
from ingest.sync import ingest_paths
from rag_dolly.followup import search_text
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.types import HEADING_SEPARATOR, Hit, Turn
from rag_dolly.words import content_words

FILE = Path(__file__).with_name("followups.jsonl")
RESAMPLES = 10_000
DEPTH = 10
Scores = NDArray[np.float64]  # one row a conversation: recall@5, nDCG@10
Way = Callable[["Conversation"], str]
_LEANED = re.compile(
    r"^\s*(?:and|but|so|what about|how about|why)\b"
    r"|\b(?:it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|hers|there|ones?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of followups.jsonl."""

    id: str
    split: str
    kind: str
    history: list[Turn]
    question: str
    standalone: str
    relevant: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description="What is found for follow-up questions.")
    parser.add_argument("book", type=Path)
    parser.add_argument("--cache", type=Path, help="where the index is kept (default: made anew, then deleted)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.cache or Path(scratch)
        embedder = open_embedder()
        ingest_paths([asked.book], folder, embedder, lambda _: None)
        index = Index.open(folder, embedder)
        talks = conversations()
        check(talks, index)
        search = cache(partial(HybridRetriever(index).search, top_k=DEPTH))
        print_tables(talks, {name: measure(way, talks, search) for name, way in ways().items()})
        index.close()
    print_time(talks)


def conversations() -> list[Conversation]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [Conversation(**{**row, "history": [(q, a) for q, a in row["history"]]}) for row in rows]


def check(talks: Sequence[Conversation], index: Index) -> None:
    """Stop where a relevant section is not in the index: the book has changed."""
    there = set[str]()
    for stored in index.all_passages():
        there |= names(stored)
    missing = sorted({name for talk in talks for name in talk.relevant} - there)
    if missing:
        raise SystemExit(f"{len(missing)} relevant sections are not in this book: {', '.join(missing[:5])}")


def names(found: StoredPassage | Hit) -> set[str]:
    """Return what a passage may be listed as: its file, and its file with each heading above it."""
    passage = found.passage if isinstance(found, StoredPassage) else found
    source = passage.source.rsplit("/", 1)[-1]
    headings = [part for heading in passage.heading for part in heading.split(HEADING_SEPARATOR)]
    return {source, *(f"{source}#{heading}" for heading in headings)}


def ways() -> dict[str, Way]:
    return {
        "follow-up alone": lambda talk: talk.question,
        "question before, always": lambda talk: f"{talk.history[-1][0]} {talk.question}",
        "rule before": rule_before,
        "ours": lambda talk: search_text(talk.question, talk.history),
        "written to stand alone": lambda talk: talk.standalone,
    }


def rule_before(talk: Conversation) -> str:
    leans = _LEANED.search(talk.question) or len(content_words(talk.question)) < 2
    return f"{talk.history[-1][0]} {talk.question}" if leans else talk.question


def measure(way: Way, talks: Sequence[Conversation], search: Callable[[str], list[Hit]]) -> Scores:
    return np.array([score(talk, search(way(talk))) for talk in talks])


def score(talk: Conversation, hits: Sequence[Hit]) -> tuple[float, float]:
    relevant = set(talk.relevant)
    ranks = (rank for rank, hit in enumerate(hits, 1) if names(hit) & relevant)
    first = next(ranks, None)
    return (float(first <= 5), 1 / math.log2(1 + first)) if first else (0.0, 0.0)


def print_tables(talks: Sequence[Conversation], scores: dict[str, Scores]) -> None:
    for split in ("tune", "test"):
        chosen = np.array([talk.split == split for talk in talks])
        print(f"\n{split}: {chosen.sum()} conversations\n{'':<32}{'recall@5':<23}nDCG@10")
        for name, values in scores.items():
            print(f"{name:<32}{interval(values[chosen, 0])}{interval(values[chosen, 1])}")
        for other in ("follow-up alone", "question before, always", "rule before"):
            gain = scores["ours"][chosen] - scores[other][chosen]
            print(f"{'ours - ' + other:<32}{interval(gain[:, 0])}{interval(gain[:, 1])}")
        print_kinds(talks, scores, chosen)


def print_kinds(talks: Sequence[Conversation], scores: dict[str, Scores], chosen: NDArray[np.bool_]) -> None:
    print(f"nDCG@10 by kind{'':<11}{''.join(f'{name[:18]:>20}' for name in scores)}")
    for kind in dict.fromkeys(talk.kind for talk in talks):
        these = chosen & np.array([talk.kind == kind for talk in talks])
        means = "".join(f"{values[these, 1].mean():>20.3f}" for values in scores.values())
        print(f"  {kind:<14}{these.sum():>4}{'':<6}{means}")


def interval(values: Scores) -> str:
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), (0.025, 0.975))
    return f"{f'{values.mean():.3f} [{low:.3f}, {high:.3f}]':<23}"


def print_time(talks: Sequence[Conversation]) -> None:
    began = perf_counter()
    for talk in talks:
        search_text(talk.question, talk.history)
    print(f"\nmaking the text to search for: {(perf_counter() - began) / len(talks) * 1e6:.0f} microseconds a question")


if __name__ == "__main__":
    main()
