"""Retrieval measured on an open index, and kept: `evaluations/NAME.retrieval.jsonl` in the index folder.

Its first line has the figures, each further one a query: where each stage has the first document that should be found,
and what the product shows first. Limits: whole documents, not pages; a file that cannot be read is passed over.
"""

import json
from collections.abc import Collection as Names
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from rag_dolly import evaluate
from rag_dolly.answer_questions import Question
from rag_dolly.beir import Collection, Qrels
from rag_dolly.errors import RagDollyError
from rag_dolly.evaluate_answers import names_in
from rag_dolly.evaluations import FOLDER
from rag_dolly.measures import Run
from rag_dolly.show_eval import as_rows

SUFFIX = ".retrieval.jsonl"
SHOWN = 5
"""Documents kept of those that a query found."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Queries (id -> text) and the documents of an index that they should find; `left_out` counts other queries."""

    queries: dict[str, str]
    qrels: Qrels
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """One evaluation: when it ended (ISO 8601, UTC), what was measured, and figures as `eval retrieval --json` has.

    `facts` has "data", "documents", "embedder", "reranker", "product" (a stage), "left_out", "asked" of "total".
    """

    name: str
    time: str
    facts: dict[str, Any]
    stages: dict[str, dict[str, dict[str, float]]]
    differences: dict[str, dict[str, dict[str, float]]]

    def figure(self, measure: str) -> float | None:
        """Return a measure of what `rag-dolly search` shows, None if it was not taken."""
        found = self.stages.get(str(self.facts.get("product")), {}).get(measure)
        return found["mean"] if found else None


def of_questions(questions: Sequence[Question], sources: Iterable[str]) -> Wanted:
    """Return the questions that a document of the index answers. Raises `RagDollyError` if there is none."""
    named = {question.key: {question.doc: 1} for question in questions if question.answerable and question.doc}
    return _wanted({question.key: question.question for question in questions}, named, sources)


def of_collection(collection: Collection, sources: Iterable[str], limit: int) -> Wanted:
    """Return the first queries of a collection with a judged document in the index. Raises `RagDollyError`."""
    texts = dict(list(collection.queries.items())[:limit])
    return _wanted(texts, {key: collection.qrels[key] for key in texts}, sources)


def _wanted(texts: Mapping[str, str], judged: Qrels, sources: Iterable[str]) -> Wanted:
    holders: dict[str, list[str]] = {}
    for source in sources:
        for name in names_in([source]):
            holders.setdefault(name, []).append(source)
    qrels = {
        key: {s: grade for name, grade in judged.get(key, {}).items() for s in holders.get(name, ())} for key in texts
    }
    qrels = {key: row for key, row in qrels.items() if max(row.values(), default=0) > 0}
    if not qrels:
        raise RagDollyError('No question names a document of the index: give each a "doc", as `rag-dolly ls` shows it.')
    return Wanted({key: texts[key] for key in qrels}, qrels, len(texts) - len(qrels))


def save(index_dir: Path, runs: Mapping[str, Run], wanted: Wanted, facts: Mapping[str, Any]) -> Kept:
    """Score what was found and keep it; queries that were not searched do not count. Raises `RagDollyError`."""
    product = evaluate.product_of(runs)
    qrels = {key: wanted.qrels[key] for key in runs[product]}
    stages, differences = map(as_rows, evaluate.estimate(runs, qrels, evaluate.measures_for(evaluate.DEPTH)))
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
    counts = {"product": product, "left_out": wanted.left_out, "asked": len(qrels), "total": len(wanted.queries)}
    head: dict[str, Any] = {"time": now.isoformat(timespec="seconds"), "facts": {**facts, **counts}}
    head |= {"stages": stages, "differences": differences}
    try:
        (index_dir / FOLDER).mkdir(exist_ok=True)
        _write(_file(index_dir, name), [head, *_rows(runs, wanted, qrels)])
    except OSError as error:
        raise RagDollyError(f"{index_dir / FOLDER} cannot be written: {error.strerror or error}.") from error
    return Kept(name, **head)


def _rows(runs: Mapping[str, Run], wanted: Wanted, qrels: Qrels) -> Iterator[dict[str, Any]]:
    product = evaluate.product_of(runs)
    for key, judged in qrels.items():
        right = sorted(source for source, grade in judged.items() if grade > 0)
        ranks = {stage: _rank(run[key], right) for stage, run in runs.items()}
        found = runs[product][key][:SHOWN]
        yield {"id": key, "question": wanted.queries[key], "wanted": right, "ranks": ranks, "found": found}


def _rank(found: Sequence[str], right: Names[str]) -> int | None:
    return next((rank for rank, source in enumerate(found, 1) if source in right), None)


def kept(index_dir: Path) -> list[Kept]:
    """Return what is kept in an index folder, the latest first."""
    paths = sorted((index_dir / FOLDER).glob("*" + SUFFIX), reverse=True)
    return [one for one in map(_read, paths) if one]


def _read(path: Path) -> Kept | None:
    try:
        with path.open(encoding="utf-8") as file:
            return Kept(path.name.removesuffix(SUFFIX), **json.loads(file.readline()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def queries(index_dir: Path, name: str) -> list[dict[str, Any]]:
    """Return each query of an evaluation with the ranks of what should be found; [] if it is gone."""
    try:
        lines = _file(index_dir, name).read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[1:] if line]
    except (OSError, ValueError):
        return []


def delete(index_dir: Path, name: str) -> None:
    """Delete an evaluation for good."""
    _file(index_dir, name).unlink(missing_ok=True)


def forget_documents(index_dir: Path, sources: Names[str]) -> int:
    """Take out every query that names one of these documents; return how many. The figures stay."""
    gone = 0
    for path in (index_dir / FOLDER).glob("*" + SUFFIX):
        name = path.name.removesuffix(SUFFIX)
        rows = queries(index_dir, name)
        left = [row for row in rows if not {*row["wanted"], *row["found"]} & {*sources}]
        if len(left) < len(rows):
            gone += len(rows) - len(left)
            head = path.read_text(encoding="utf-8").partition("\n")[0]
            _write(path, [json.loads(head), *left])
    return gone


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a file that is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    new.replace(path)


def _file(index_dir: Path, name: str) -> Path:
    return index_dir / FOLDER / f"{Path(name).name}{SUFFIX}"
