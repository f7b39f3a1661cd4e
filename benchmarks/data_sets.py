"""The data sets of a folder as test collections, whatever their layout.

- corpus.jsonl, queries.jsonl and qrels.tsv: BEIR.
- docs/*.txt and qa.jsonl, without a corpus.jsonl: articles whose paragraphs are the passages, and questions on them.
- *.jsonl of {"instruction", "context", "category"}: databricks-dolly-15k; closed questions, each to its own context.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.corpus import document_of
from ingest.passage import Document
from rag_dolly.beir import Collection, read_collection


def data_sets(folder: Path, wanted: Sequence[str] = ()) -> dict[str, Path]:
    """Return name -> folder of the data sets in `folder` and below, or of those `wanted`; of itself if it is one."""
    if reader_of(folder):
        return {folder.name: folder}
    found = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.glob("*")) + sorted(folder.glob("*/*"))
    }
    found = {name: path for name, path in found.items() if path.is_dir() and reader_of(path)}
    return {name: path for name, path in found.items() if not wanted or name in wanted or name.split("/")[0] in wanted}


def reader_of(folder: Path) -> Any:
    """Return the function that reads a folder, None if it holds no data set."""
    if (folder / "corpus.jsonl").is_file():
        return read_collection if (folder / "qrels.tsv").is_file() or (folder / "qrels").is_dir() else None
    if (folder / "qa.jsonl").is_file() and '"passage_id"' in first_line(folder / "qa.jsonl"):
        return read_articles
    return read_dolly if any('"instruction"' in first_line(path) for path in folder.glob("*dolly*.jsonl")) else None


def first_line(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline()


def read(folder: Path, limit: int | None = None) -> Collection:
    """Read a data set; with `limit`, that many of its queries, the same each time."""
    collection: Collection = reader_of(folder)(folder)
    if limit is None or limit >= len(collection.queries):
        return collection
    kept = set(random.Random(0).sample(sorted(collection.queries), limit))
    queries = {key: text for key, text in collection.queries.items() if key in kept}
    return replace(collection, queries=queries, qrels={key: collection.qrels[key] for key in queries})


def read_articles(folder: Path) -> Collection:
    """Paragraphs as documents, `Article#0` the first after the title; the answerable questions on them."""
    documents = [document for path in sorted((folder / "docs").glob("*.txt")) for document in paragraphs(path)]
    known = {document.source for document in documents}
    rows = [row for row in json_lines(folder / "qa.jsonl") if row["answerable"] and row["passage_id"] in known]
    queries = {str(row["id"]): str(row["question"]) for row in rows}
    return Collection(documents, queries, {str(row["id"]): {str(row["passage_id"]): 1} for row in rows}, {})


def paragraphs(path: Path) -> Iterator[Document]:
    title, *texts = [text.strip() for text in path.read_text(encoding="utf-8").split("\n\n") if text.strip()]
    for number, text in enumerate(texts):
        yield document_of(f"{path.stem}#{number}", title, text)


def read_dolly(folder: Path) -> Collection:
    """Every distinct context as a document; closed questions, for which their own context is relevant."""
    rows = [row for path in sorted(folder.glob("*dolly*.jsonl")) for row in json_lines(path)]
    contexts = list(dict.fromkeys(row["context"].strip() for row in rows if row["context"].strip()))
    names = {context: str(number) for number, context in enumerate(contexts)}
    asked = [row for row in rows if row["category"] == "closed_qa" and row["context"].strip()]
    queries = {f"q{number}": row["instruction"] for number, row in enumerate(asked)}
    qrels = {f"q{number}": {names[row["context"].strip()]: 1} for number, row in enumerate(asked)}
    return Collection([document_of(name, "", context) for context, name in names.items()], queries, qrels, {})


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
