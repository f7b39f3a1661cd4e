"""How well the reader finds the answer in the right passage, and tells that a passage has none.

    python -m benchmarks.reader PATH [--limit N] [--reader DIR]

PATH is a folder with docs/*.txt (a title, then paragraphs between blank lines) and qa.jsonl ({"question", "answers",
"answerable", "doc", "passage_id"}, whose passage_id ends in "#" and the number of the paragraph, from 0), or a .jsonl
or .jsonl.gz file of {"question", "context", "answers", "answerable"}. Prints F1, exact match and how often the answer
contains the gold answer, as SQuAD measures them, and the chance that a question with an answer scores above one
without.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from rag_dolly.finetune.reader.records import Record, read_records
from rag_dolly.finetune.reader.score import score
from rag_dolly.reader.read import SpanReader


def main() -> None:
    parser = argparse.ArgumentParser(description="The reader, given the right passage.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--limit", type=int, default=500, help="questions of each kind (default: 500)")
    parser.add_argument("--reader", type=Path, help="folder of the reader (default: the one of the package)")
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


if __name__ == "__main__":
    main()
