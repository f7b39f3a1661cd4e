"""Whether a refusal, calibrated by an index's own passages, holds for other languages and other embedders.

    python -m benchmarks.refusals FOLDER [FOLDER ...] [--limit N] [--embedder DIR]

FOLDER has docs/ and qa.jsonl ({"question", "answers", "answerable", "doc"}). Half of its articles are indexed. Their
questions should be answered; those on the other half of the same encyclopedia, and everyday questions in the same
language, should not. Each folder is measured with the bundled embedder and with another, which --embedder names: by
default the first three of its six layers, whose cosines lie elsewhere. Prints the threshold that the index was given,
the share of questions refused of each kind, and beside it the best that any threshold could do with this nearness: how
many of the other articles' questions are refused where 5 % of its own are.
"""

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.quotes import Question, open_filled, picked, read_documents
from ingest.embed import Embedder, open_embedder
from ingest.foreign_questions import FOREIGN_QUESTIONS
from ingest.index import Index
from ingest.nearness import near
from ingest.weights import bundled_folder
from rag_dolly.evidence import find_evidence
from rag_dolly.ground import NEAR_ENOUGH, WORDS_ENOUGH, nearness
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.sentence_features import LEAST_KNOWN

TOP_K = 5
LAYERS = 3
Nearness = NDArray[np.float64]


class Halves(NamedTuple):
    """Documents that are indexed, the questions on them, and those on the others."""

    documents: dict[str, str]
    own: list[Question]
    others: list[Question]


def main(asked: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Refusals in other languages, by other embedders.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=200, help="questions of each kind (default: 200)")
    parser.add_argument("--embedder", help="another embedder (default: three layers of the bundled one)")
    options = parser.parse_args(asked)
    print("set          embedder           needed  own refused  others refused  everyday refused  at 5 %", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        other = options.embedder or shallow(Path(scratch) / "three-layers")
        for embedder in (open_embedder(), open_embedder(str(other))):
            for number, folder in enumerate(options.folders):
                place = Path(scratch) / f"{embedder.identity.name}-{number}".replace("/", "-")
                print_line(folder, halved(folder), open_filled(place, halved(folder).documents, embedder), options)


def shallow(folder: Path) -> Path:
    """Save the first layers of the bundled embedder as an embedder of its own."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(bundled_folder()), device="cpu")
    bert: Any = model[0].auto_model
    bert.encoder.layer = bert.encoder.layer[:LAYERS]
    bert.config.num_hidden_layers = LAYERS
    model.save(str(folder))
    return folder


def halved(folder: Path) -> Halves:
    documents, questions = read_documents(folder)
    names = sorted(documents)
    kept = set(random.Random(0).sample(names, len(names) // 2))
    own = [one for one in questions if one.answers and one.doc in kept]
    return Halves(
        {name: documents[name] for name in kept}, own, [one for one in questions if one.answers and one.doc not in kept]
    )


def print_line(folder: Path, halves: Halves, index: Index, options: argparse.Namespace) -> None:
    everyday = [Question(text, (), "") for text in FOREIGN_QUESTIONS.get(folder.name, FOREIGN_QUESTIONS["en"])]
    needed, embedder = index.near_enough(), index.embedder
    kinds = (picked(halves.own, options.limit), picked(halves.others, options.limit), everyday)
    own, others, strange = (distances(index, questions, embedder, needed) for questions in kinds)
    at_five = float(np.mean(others < np.quantile(own, 0.05)))
    shares = "  ".join(f"{np.mean(of < 0):>{width}.3f}" for of, width in ((own, 11), (others, 14), (strange, 16)))
    shown = "words" if needed is None else f"{needed:.3f}"
    print(f"{folder.name:<12} {embedder.identity.name:<18} {shown:>6}  {shares}  {at_five:>6.3f}", flush=True)
    index.close()


def distances(index: Index, questions: Sequence[Question], embedder: Embedder, needed: float | None) -> Nearness:
    """Return by how much each question comes nearer than is needed; below 0 it is refused."""
    retriever = HybridRetriever(index)
    found = []
    for question in questions:
        known = embedder.knows(question.text) >= LEAST_KNOWN
        enough = (NEAR_ENOUGH if needed is None else needed) if known else WORDS_ENOUGH
        found.append(near(*nearness(question.text, find_evidence(retriever, question.text, TOP_K), known)) - enough)
    return np.array(found)


if __name__ == "__main__":
    main()
