"""A test collection in BEIR layout: corpus.jsonl, queries.jsonl and qrels.tsv (or qrels/test.tsv).

Corpus lines are {"_id", "text"} with an optional "title", query lines {"_id", "text"}; other keys are ignored. A line
of qrels is query, document and score, divided by tabs; the first line may name the columns, and TREC's four columns are
read too. A score above 0 means relevant. What is wrong with a file is said in one line with the number of its line.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ingest.corpus import document_of
from ingest.passage import Document
from rag_dolly.errors import RagDollyError

Qrels = dict[str, dict[str, int]]
"""Query id -> document id -> score, higher being more relevant."""
QRELS_FILES = ("qrels.tsv", "qrels/test.tsv")


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents with text, the queries that can be scored, and the judgements on them.

    Every query has a relevant document. `left_out` counts what was passed over, in words: {"queries without a relevant
    document": 3}; a judged document that the corpus lacks stays in the judgements, as a document that is never found.
    """

    documents: list[Document]
    queries: dict[str, str]
    qrels: Qrels
    left_out: dict[str, int]


def read_collection(folder: Path) -> Collection:
    """Read a folder in BEIR layout. Raises `RagDollyError` if a file is missing or cannot be understood."""
    if not folder.is_dir():
        raise RagDollyError(f"No folder {folder}: expected one with corpus.jsonl, queries.jsonl and qrels.tsv.")
    titles = {key: _clean(row.get("title") or "") for key, row in _rows(folder / "corpus.jsonl")}
    texts = {key: _clean(row["text"]) for key, row in _rows(folder / "corpus.jsonl")}
    documents = [document_of(key, title, texts[key] or title) for key, title in titles.items() if texts[key] or title]
    asked = {key: _clean(row["text"]) for key, row in _rows(folder / "queries.jsonl")}
    judged = read_qrels(_qrels_file(folder))
    qrels = {key: judged[key] for key, text in asked.items() if text and max(judged.get(key, {"": 0}).values()) > 0}
    if not qrels:
        raise RagDollyError(f"No query of {folder / 'queries.jsonl'} has a relevant document in {_qrels_file(folder)}.")
    left_out = {
        "documents without text": len(texts) - len(documents),
        "queries without text or without a relevant document": len(asked) - len(qrels),
        "judged queries that queries.jsonl lacks": len(judged.keys() - asked.keys()),
        "judged documents that corpus.jsonl lacks": len(
            {name for rows in qrels.values() for name in rows} - texts.keys()
        ),
    }
    queries = {key: asked[key] for key in qrels}
    return Collection(documents, queries, qrels, {what: count for what, count in left_out.items() if count})


def read_qrels(path: Path) -> Qrels:
    """Read judgements. Raises `RagDollyError` with the number of the line that is not understood."""
    qrels: Qrels = {}
    for number, line in _lines(path):
        fields = line.split("\t") if "\t" in line else line.split()
        if len(fields) == 4:  # TREC: query, iteration, document, score
            del fields[1]
        try:
            query, document, score = fields
            grade = int(float(score))
        except (ValueError, OverflowError) as error:
            if number == 1 and len(fields) == 3:
                continue  # the names of the columns
            raise RagDollyError(
                f"{path}, line {number}: expected query, document and score divided by tabs, found {line[:80]!r}."
            ) from error
        qrels.setdefault(query.strip(), {})[document.strip()] = grade
    return qrels


def trec_name(name: object) -> str:
    """Return an id as a run file, whose fields are divided by white space, can hold it: a space is %20."""
    return re.sub(r"\s", lambda found: quote(found[0]), str(name))


def _qrels_file(folder: Path) -> Path:
    found = [folder / name for name in QRELS_FILES if (folder / name).is_file()]
    if not found:
        raise RagDollyError(f"No judgements in {folder}: expected {' or '.join(QRELS_FILES)}.")
    return found[0]


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (id, row) of each line; ids are text or numbers and may be there once."""
    seen: set[str] = set()
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RagDollyError(f"{path}, line {number}: not JSON: {error}.") from error
        is_row = isinstance(row, dict) and isinstance(row.get("_id"), str | int) and isinstance(row.get("text"), str)
        if not is_row or not isinstance(row.get("title") or "", str):
            raise RagDollyError(f'{path}, line {number}: expected a JSON object with "_id" and "text".')
        key = _clean(str(row["_id"]))
        if not key or key in seen:
            raise RagDollyError(f'{path}, line {number}: the "_id" {key!r} is empty or was there before.')
        seen.add(key)
        yield key, row


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of the lines that are not blank; a line ends at a line feed alone."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RagDollyError(f"{path} cannot be read: {reason}.") from error


def _clean(text: str) -> str:
    """Return the text without space around it and without what cannot be stored (halves of surrogate pairs, NUL)."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ").strip()
