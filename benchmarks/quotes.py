"""How well the sentences quoted without a language model answer, and how well a refusal tells what is not there.

    python -m benchmarks.quotes PATH [--foreign FILE] [--limit N] [--index DIR] [--fit]

PATH is a folder with docs/ and qa.jsonl ({"question", "answers", "answerable", "doc"}), or a .jsonl or .jsonl.gz file
of {"question", "context", "answers", "title"}, whose contexts are put together by title. Prints, with 95 % intervals:
answers that contain the gold answer (all quotes, the first quote), their words, citations of a passage that has it, and
how many questions are refused: answerable ones, unanswerable ones, and those of --foreign (another qa.jsonl,
queries.jsonl or such a file), which the documents do not answer. --fit prints the weights of
rag_dolly/sentence_features.py, found by a softmax regression on these questions; fit and test on different ones.
"""

import argparse
import gzip
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ingest.embed import Embedder, open_embedder
from ingest.index import FILE, Index
from ingest.sync import ingest_paths
from rag_dolly.answer_measures import exact_match, f1
from rag_dolly.assemble import open_reranker
from rag_dolly.evaluate import bootstrap
from rag_dolly.evidence import find_evidence
from rag_dolly.ground import NEAR_ENOUGH, answerable
from rag_dolly.quote import best_quotes, score_sentences, sentences_of, short_answer
from rag_dolly.reader.read import SpanReader
from rag_dolly.reader.shipped import open_shipped
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.sentence_features import LEAST_KNOWN, features, read
from rag_dolly.settings import load_settings
from rag_dolly.types import Hit, Reader

T = TypeVar("T")
TOP_K = 5
FOREIGN = Path("pubmedqa-dev", "qa.jsonl")
"""Questions that no other data set here answers, below a folder of data sets."""


class Question(NamedTuple):
    """A question, its gold answers (none: it is not answerable), and the document that has them."""

    text: str
    answers: tuple[str, ...]
    doc: str


class Found(NamedTuple):
    """The hits of a question, and whether it would be refused."""

    question: Question
    hits: list[Hit]
    refused: bool


def main(asked: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Quality of quoted answers and refusals.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--foreign", type=Path, help="questions that the documents do not answer")
    parser.add_argument("--limit", type=int, default=250, help="answerable questions, and foreign ones (default: 250)")
    parser.add_argument("--index", type=Path, help="keep the index here for the next time")
    parser.add_argument("--top-k", type=int, default=TOP_K, help="passages retrieved (default: 5)")
    parser.add_argument("--reader", type=Path, help="folder of the reader (default: the one of the package)")
    parser.add_argument("--fit", action="store_true", help="print weights found on these questions")
    options = parser.parse_args(asked)
    embedder = open_embedder()
    documents, questions = read_documents(options.path)
    with tempfile.TemporaryDirectory() as scratch:
        index = open_filled(options.index or Path(scratch) / "index", documents, embedder)
        reader = SpanReader(options.reader) if options.reader else open_shipped()
        can = look(index, picked([one for one in questions if one.answers], options.limit), options.top_k)
        print(
            f"{options.path.name}: {len(can)} questions, {index.passage_count} passages, needed {index.near_enough()}"
        )
        show_quotes(can, embedder, None)
        if reader:
            print("with the reader:")
            show_quotes(can, embedder, reader)
        line("answerable, refused", [one.refused for one in can])
        if cannot := [one for one in questions if not one.answers]:
            line("unanswerable, refused", [one.refused for one in look(index, cannot, options.top_k)])
        if options.foreign:
            line(
                "foreign, refused",
                [
                    one.refused
                    for one in look(index, picked(read_questions(options.foreign), options.limit), options.top_k)
                ],
            )
        if options.fit:
            fit(can, embedder, reader)
        index.close()


def rows_of(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(text) for text in file]


def read_questions(path: Path) -> list[Question]:
    return [
        Question(row.get("question") or row["text"], tuple(row.get("answers", ())), row.get("doc", ""))
        for row in rows_of(path)
    ]


def read_documents(path: Path) -> tuple[dict[str, str], list[Question]]:
    """Return name -> text of the documents, and the questions on them."""
    if path.is_dir():
        documents = {file.name: file.read_text(encoding="utf-8") for file in sorted((path / "docs").glob("*.txt"))}
        return documents, [
            Question(row["question"], tuple(row["answers"]) if row["answerable"] else (), row["doc"])
            for row in rows_of(path / "qa.jsonl")
        ]
    contexts: dict[str, dict[str, None]] = defaultdict(dict)
    rows = rows_of(path)
    for row in rows:
        contexts[f"{row['title']}.txt"][row["context"]] = None
    documents = {title: "\n\n".join([title[:-4].replace("_", " "), *parts]) for title, parts in contexts.items()}
    return documents, [Question(row["question"], tuple(row["answers"]), f"{row['title']}.txt") for row in rows]


def picked(questions: Sequence[T], limit: int) -> list[T]:
    return random.Random(0).sample(list(questions), min(limit, len(questions)))


def open_filled(folder: Path, documents: dict[str, str], embedder: Embedder) -> Index:
    """Return the index of these documents, ingested as files are, made if it is not there."""
    if not (folder / FILE).exists():
        with tempfile.TemporaryDirectory() as scratch:
            for name, text in documents.items():
                Path(scratch, name).write_text(text, encoding="utf-8")
            ingest_paths([Path(scratch)], folder, embedder)
    return Index.open(folder, embedder)


def look(index: Index, questions: Sequence[Question], top_k: int) -> list[Found]:
    retriever, needed = HybridRetriever(index, open_reranker(load_settings(), index.embedder)), index.near_enough()
    found = []
    for question in questions:
        hits = find_evidence(retriever, question.text, top_k)
        is_known = index.embedder.knows(question.text) >= LEAST_KNOWN
        is_near = answerable(question.text, hits, NEAR_ENOUGH if needed is None else needed, is_known)
        found.append(Found(question, hits, not is_near))
    return found


def show_quotes(found: Sequence[Found], embedder: Embedder, reader: Reader | None) -> None:
    """Print the figures of the answers that are shown; a refused question has none."""
    shown, first, cited, words, quotes, short = [], [], [], [], [], []
    for question, hits, refused in found:
        best = best_quotes(score_sentences(question.text, hits, embedder.embed_sentences, embedder, reader))
        best = [] if refused else best
        shown.append(any(has(quote.text, question) for quote in best))
        first.append(bool(best) and has(best[0].text, question))
        if best:
            cited.append(any(quote.hit.source == question.doc and has(quote.hit.text, question) for quote in best))
            words.append(sum(len(quote.text.split()) for quote in best))
            quotes.append(len(best))
            if (span := short_answer(best[0])) is not None:
                said = best[0].hit.text[span[0] - best[0].hit.start : span[1] - best[0].hit.start]
                short.append((f1(said, question.answers), exact_match(said, question.answers)))
    line("gold in the answer", shown)
    line("gold in the first sentence", first)
    line("of answers shown, gold in a cited passage", cited)
    print(f"{'words, sentences':<44} {np.mean(words):.1f}, {np.mean(quotes):.2f}")
    if short:
        print(f"{'in short: share, F1, exact':<44} {len(short) / len(found):.3f}, {np.mean(short, axis=0).round(3)}")


def has(text: str, question: Question) -> bool:
    folded = " ".join(text.lower().split())
    return any(" ".join(answer.lower().split()) in folded for answer in question.answers)


def line(name: str, values: Sequence[bool]) -> None:
    (found,) = bootstrap(np.array(values, dtype=float)[:, None])
    print(f"{name:<44} {found.mean:.3f} ({found.low:.3f} to {found.high:.3f})", flush=True)


def fit(found: Sequence[Found], embedder: Embedder, reader: Reader | None, penalty: float = 1.0) -> None:
    """Print the weights under which the sentences with the gold answer have the highest chances."""
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    rows, names = [], list[str]()
    for question, hits, _ in found:
        sentences = [sentence for hit in hits for sentence in sentences_of(hit)]
        gold = np.array([has(one.text, question) and one.hit.source == question.doc for one in sentences])
        if gold.any():
            readings = read(question.text, sentences, reader) if reader else [None] * len(sentences)
            values, weights = features(question.text, sentences, embedder.embed_sentences, embedder, readings)
            names = list(weights)
            rows.append((np.column_stack([values[name] for name in names]), gold))
    together = np.vstack([values for values, _ in rows])
    spread = together.std(axis=0) + 1e-9

    def loss(weights: Any) -> tuple[float, Any]:
        total, slope = penalty * weights @ weights / 2, penalty * weights
        for values, gold in rows:
            scaled = values / spread
            odds = np.exp(scaled @ weights - (scaled @ weights).max())
            chances = odds / odds.sum()
            right = np.where(gold, chances, 0.0) / chances[gold].sum()
            total, slope = total - np.log(chances[gold].sum()), slope + scaled.T @ (chances - right)
        return float(total), slope

    best = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x / spread
    print({name: round(float(weight), 2) for name, weight in zip(names, best, strict=True)})


if __name__ == "__main__":
    main()
