"""How well the reader finds the answer in the right passage, and tells that a passage has none.

    python -m benchmarks.reader PATH [--limit N] [--reader DIR] [--model DIR ...]

PATH is a folder with docs/*.txt (a title, then paragraphs between blank lines) and qa.jsonl ({"question", "answers",
"answerable", "doc", "passage_id"}, whose passage_id ends in "#" and the number of the paragraph, from 0), or a .jsonl
or .jsonl.gz file of {"question", "context", "answers", "answerable"}. Prints F1, exact match and how often the answer
contains the gold answer, as SQuAD measures them, and the chance that a question with an answer scores above one
without. Each --model is the directory of a language model, "bundled" for the one of the package, that is asked the
questions with an answer in the format of `rag-dolly finetune`; the same three figures are printed for it.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag_dolly.answer_measures import exact_match, f1, find_any
from rag_dolly.finetune.base_model import load_base, load_speech
from rag_dolly.finetune.examples import Speaker
from rag_dolly.finetune.measure import greedy_answers
from rag_dolly.finetune.reader.records import Record, read_records
from rag_dolly.finetune.reader.score import score
from rag_dolly.finetune.records import Record as Written
from rag_dolly.generate import bundled
from rag_dolly.generate.device import Choice
from rag_dolly.reader.read import SpanReader


def main() -> None:
    parser = argparse.ArgumentParser(description="The reader, given the right passage.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--limit", type=int, default=500, help="questions of each kind (default: 500)")
    parser.add_argument("--reader", type=Path, help="folder of the reader (default: the one of the package)")
    parser.add_argument("--model", nargs="*", default=[], help="language models to ask beside it")
    options = parser.parse_args()
    records = list(given(options.path)) if options.path.is_dir() else read_records(options.path)
    draw = random.Random(0)
    kinds = ([one for one in records if one.answers], [one for one in records if not one.answers])
    chosen = [one for kind in kinds for one in draw.sample(kind, min(options.limit, len(kind)))]
    reader = SpanReader(options.reader)
    began = time.monotonic()
    found = score(reader, chosen)
    spent = 1000 * (time.monotonic() - began) / len(chosen)
    print(
        f"{found.answerable} with an answer: F1 {found.f1:.3f}, exact {found.exact:.3f}, contains {found.contains:.3f}"
    )
    print(f"{found.unanswerable} without: told from those in {found.auc:.3f} of all pairs")
    print(f"{spent:.1f} ms for a passage, one at a time")
    for model in options.model:
        write(model, [one for one in chosen if one.answers])


def given(folder: Path) -> Iterator[Record]:
    """Yield the questions of a folder with the paragraph that each was asked about."""
    paragraphs = {
        file.name: [part for part in file.read_text(encoding="utf-8").split("\n\n") if part.strip()][1:]
        for file in sorted((folder / "docs").glob("*.txt"))
    }
    for line in (folder / "qa.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        context = paragraphs[row["doc"]][int(row["passage_id"].rsplit("#", 1)[1])]
        yield Record(row["question"], context, tuple(row["answers"]) if row["answerable"] else (), row["doc"])


def write(name: str, records: Sequence[Record]) -> None:
    """Print how well a language model answers from the right passage."""
    directory = bundled.converted(bundled.find() or Path()) if name == "bundled" else Path(name)
    tokenizer, dialect, added = load_speech(directory)
    model = load_base(directory, Choice("cpu", "float32", ""), tokenizer, added)
    speaker = Speaker(tokenizer, dialect)
    examples = [speaker.example(Written(one.question, one.context, one.answers[0])) for one in records]
    began = time.monotonic()
    said = greedy_answers(model, dialect, examples)
    spent = 1000 * (time.monotonic() - began) / len(records)
    pairs = list(zip(said, (one.answers for one in records), strict=True))
    found = [(f1(text, gold), exact_match(text, gold), bool(find_any(gold, text))) for text, gold in pairs]
    means = (sum(column) / len(found) for column in zip(*found, strict=True))
    print("{}: F1 {:.3f}, exact {:.3f}, contains {:.3f}, {:.0f} ms".format(Path(name).name, *means, spent))


if __name__ == "__main__":
    main()
