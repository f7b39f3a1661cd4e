"""In which order should a prompt hold its passages? Small models read the middle of a long prompt worst.

    python -m benchmarks.order DIR [QUESTIONS]

DIR holds `docs/` (the documents) and `qa.jsonl` (lines of {"question", "answers"}). The documents are indexed and five
passages retrieved for each of QUESTIONS questions (default 60), drawn the same way each time among those that one of
the five passages answers. The model of the settings answers each from the same passages in three orders, greedily, in
at most 40 tokens. Prints for each order how many answers hold a gold answer, and the difference from rank order with
its 95 % interval (paired bootstrap).
"""

import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from ingest import ingest_folder
from ingest.index import Index
from rag_dolly.assemble import load_pipeline
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.settings import load_settings
from rag_dolly.types import Pipeline

PASSAGES = 5
MAX_TOKENS = 40
DRAWS = 10_000
Item = TypeVar("Item")
Case = tuple[str, list[str], list[str]]
"""A question, its gold answers, the texts of its passages by rank."""


def best_first(ranked: Sequence[Item]) -> list[Item]:
    return list(ranked)


def best_last(ranked: Sequence[Item]) -> list[Item]:
    return list(ranked[::-1])


def best_at_both_ends(ranked: Sequence[Item]) -> list[Item]:
    """Rank 1 first, rank 2 last, and so on inwards: the weakest stands in the middle."""
    return [*ranked[::2], *ranked[1::2][::-1]]


ORDERS = {"best first (rank order)": best_first, "best last": best_last, "best at both ends": best_at_both_ends}


def main(folder: Path, count: int) -> None:
    rows = [json.loads(line) for line in (folder / "qa.jsonl").open(encoding="utf-8")]
    rows = [row for row in rows if row["answers"]]
    random.Random(0).shuffle(rows)
    cases = find_cases(folder, rows, count)
    pipeline = load_pipeline(load_settings())
    if pipeline is None:
        sys.exit("No language model: install the bundled one, or name one with RAG_DOLLY_MODEL.")
    found = {name: [False] * len(cases) for name in ORDERS}
    began = time.monotonic()
    for n, (question, golds, passages) in enumerate(cases):
        for name, order in ORDERS.items():
            found[name][n] = answers(pipeline, question, order(passages), golds)
        so_far = ", ".join(str(sum(hits)) for hits in found.values())
        line = f"{n + 1}/{len(cases)} questions, {time.monotonic() - began:.0f} s, gold answers: {so_far}"
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
    print(f"\n{pipeline.name}: {len(cases)} questions, {PASSAGES} passages each")
    print(f"{'order of the passages':<26}{'gold in answer':>15}{'difference':>12}{'95 % interval':>18}")
    base = found[next(iter(ORDERS))]
    for name, hits in found.items():
        low, high = interval([a - b for a, b in zip(hits, base, strict=True)])
        mean, difference = sum(hits) / len(hits), (sum(hits) - sum(base)) / len(hits)
        print(f"{name:<26}{mean:>15.3f}{difference:>+12.3f}{f'{low:+.3f} .. {high:+.3f}':>18}")


def find_cases(folder: Path, rows: Sequence[dict[str, object]], count: int) -> list[Case]:
    """Return `count` questions for which one of the retrieved passages holds a gold answer."""
    from ingest.embed import open_embedder

    cases: list[Case] = []
    with tempfile.TemporaryDirectory() as scratch:
        ingest_folder(folder / "docs", index=scratch)
        index = Index.open(scratch, open_embedder())
        retriever = HybridRetriever(index)
        for row in rows:
            question, golds = str(row["question"]), [str(gold) for gold in row["answers"]]  # type: ignore[attr-defined]
            passages = [hit.text for hit in retriever.search(question, PASSAGES)]
            if any(holds(text, golds) for text in passages):
                cases.append((question, golds, passages))
            if len(cases) == count:
                break
        index.close()
    return cases


def answers(pipeline: Pipeline, question: str, passages: Sequence[str], golds: Sequence[str]) -> bool:
    return holds("".join(pipeline.stream(pipeline.render(question, passages), MAX_TOKENS, lambda: False)), golds)


def holds(text: str, golds: Sequence[str]) -> bool:
    return any(f" {plain(gold)} " in f" {plain(text)} " for gold in golds)


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def interval(differences: Sequence[int]) -> tuple[float, float]:
    """Return the 95 % interval of the mean by drawing from the questions again and again."""
    draw = random.Random(0)
    n = len(differences)
    means = sorted(sum(draw.choices(differences, k=n)) / n for _ in range(DRAWS))
    return means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60)
