"""All figures on answers, citations and refusals, one after the other.

    python -m benchmarks.answers DATA [--limit N] [--indexes DIR] [--only PART ...]

DATA has folders of docs/ and qa.jsonl: squad2-a, pubmedqa-dev, cmrc2018-trial, financebench and xquad/LANGUAGE. Parts:

- quotes: what is answered, cited and refused without a language model, on squad2-a, and questions of pubmedqa-dev;
- answers: the same questions through `rag-dolly eval answers`, quoted alone and as a machine without a GPU answers;
- chinese: quotes on cmrc2018-trial;
- filings: citations on the page of the gold answer, through `rag-dolly eval answers --model none`, on financebench;
- refusals: thresholds for other languages and another embedder.

--indexes keeps the indexes for the next time.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import quotes, refusals
from benchmarks.quotes import FOREIGN, picked, rows_of

LANGUAGES = ("en", "de", "zh", "ar")


def main() -> None:
    parser = argparse.ArgumentParser(description="All figures on answers, citations and refusals.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=250, help="questions of each kind (default: 250)")
    parser.add_argument("--indexes", type=Path, help="keep the indexes here")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for part in options.only:
            print(f"\n## {part}", flush=True)
            PARTS[part](options.data, (options.indexes or Path(scratch)).resolve(), options.limit)


def on_quotes(data: Path, indexes: Path, limit: int) -> None:
    given = (data / "squad2-a", "--index", indexes / "squad2-a", "--limit", limit, "--foreign", data / FOREIGN)
    quotes.main([str(one) for one in given])


def on_answers(data: Path, indexes: Path, limit: int) -> None:
    rows = rows_of(data / "squad2-a" / "qa.jsonl")
    asked = [*picked([row for row in rows if row["answerable"]], limit), *picked(rows_of(data / FOREIGN), limit)]
    for model in ("none", "auto"):
        evaluate(asked, data / "squad2-a" / "docs", indexes / "squad2-a-files", model)


def on_chinese(data: Path, indexes: Path, limit: int) -> None:
    given = (data / "cmrc2018-trial", "--index", indexes / "cmrc2018", "--limit", limit)
    quotes.main([str(one) for one in given])


def on_filings(data: Path, indexes: Path, limit: int) -> None:
    rows = rows_of(data / "financebench" / "qa.jsonl")
    there = {path.name for path in (data / "financebench" / "docs").iterdir()}
    asked = [{**row, "page": gold_pages(row)} for row in rows if row["doc"] in there]
    evaluate(asked[:limit], data / "financebench" / "docs", indexes / "financebench", "none")


def on_refusals(data: Path, indexes: Path, limit: int) -> None:
    folders = [data / "xquad" / language for language in LANGUAGES]
    refusals.main([*map(str, folders), str(data / "squad2-a"), "--limit", str(limit)])


def gold_pages(row: dict[str, Any]) -> list[int]:
    """Return the pages with the evidence for an answer, counted from 1."""
    return sorted({int(piece["page0"]) + 1 for piece in row["evidence"]})


PARTS = {
    "quotes": on_quotes,
    "answers": on_answers,
    "chinese": on_chinese,
    "filings": on_filings,
    "refusals": on_refusals,
}


def evaluate(rows: Sequence[dict[str, Any]], documents: Path, index: Path, model: str) -> None:
    """Ingest what has changed and print the table of `rag-dolly eval answers`."""
    print(f"\n{documents.parent.name}, --model {model}", flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)
        file.flush()
        call("ingest", str(documents), "--index", str(index), "--json", output=subprocess.DEVNULL)
        call("eval", "answers", file.name, "--index", str(index), "--model", model, "--offline")


def call(*arguments: str, output: int | None = None) -> None:
    command = (sys.executable, "-c", "from rag_dolly.cli import main; main()", *arguments)
    subprocess.run(command, check=True, stdout=output)


if __name__ == "__main__":
    main()
