"""Evaluations of answers that were kept: `evaluations/NAME.json` in the index folder has the figures of one, and
`NAME.answers.jsonl` beside it each question with its answer, sources and faults.

The figures are written last, so that an evaluation which has them is complete. Limits: a file that cannot be read is
passed over; answers hold the passages that were found, which `forget_documents` takes out.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from rag_dolly.answer_questions import Answer, Question
from rag_dolly.errors import RagDollyError
from rag_dolly.evaluate_answers import Judged, evaluate_answers
from rag_dolly.show_answers import as_row

FOLDER = "evaluations"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One that was kept: when it ended (ISO 8601, UTC), what was evaluated, and figures as `eval answers --json` has.

    `facts` has "data", "model", "embedder", "documents", and "asked" of "total" questions.
    """

    name: str
    time: str
    facts: dict[str, Any]
    measures: dict[str, dict[str, dict[str, float]]]
    questions: dict[str, int]
    faults: dict[str, int]

    def figure(self, measure: str) -> float | None:
        """Return the mean of a measure over all questions, None where there was nothing to measure."""
        found = self.measures.get("overall", {}).get(measure)
        return found["mean"] if found else None


def save(
    index_dir: Path, asked: Sequence[Question], given: Sequence[Answer], known: set[str], facts: Mapping[str, Any]
) -> Evaluation:
    """Judge answers to questions, in the same order, and keep them; `known` are the names of the index's documents.

    Raises `RagDollyError` if the files cannot be written.
    """
    found = evaluate_answers(asked, given, known)
    row = as_row(found)
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
    kept = {key: row[key] for key in ("measures", "questions", "faults")}
    kept = {"time": now.isoformat(timespec="seconds"), "facts": dict(facts), **kept}
    folder = index_dir / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        _write(_answers(folder, name), (json.dumps(_as_line(one), ensure_ascii=False) for one in found.judged))
        _write(folder / f"{name}.json", [json.dumps(kept, ensure_ascii=False)])
    except OSError as error:
        raise RagDollyError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return Evaluation(name, **kept)


def _as_line(judged: Judged) -> dict[str, Any]:
    question = judged.question
    expected = {"answers": list(question.answers), "doc": question.doc, "pages": sorted(question.pages)}
    return {**judged.answer, "expected": expected, "kind": judged.kind, "faults": list(judged.faults)}


def _write(path: Path, lines: Iterator[str] | list[str]) -> None:
    """Write a file that is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)
    os.replace(new, path)


def kept(index_dir: Path) -> list[Evaluation]:
    """Return what is kept in an index folder, the latest first."""
    found = (_read(path) for path in sorted((index_dir / FOLDER).glob("*.json"), reverse=True))
    return [one for one in found if one]


def _read(path: Path) -> Evaluation | None:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        return Evaluation(path.stem, **row)
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def answers(index_dir: Path, name: str) -> list[dict[str, Any]]:
    """Return each question of an evaluation with its answer and what is wrong with it; [] if they are gone."""
    path = _answers(index_dir / FOLDER, Path(name).name)
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError):
        return []


def delete(index_dir: Path, name: str) -> None:
    """Delete an evaluation for good."""
    (index_dir / FOLDER / f"{Path(name).name}.json").unlink(missing_ok=True)
    _answers(index_dir / FOLDER, Path(name).name).unlink(missing_ok=True)


def forget_documents(index_dir: Path, sources: Collection[str]) -> int:
    """Take out every answer that was shown a passage of these documents; return how many. The figures stay."""
    gone = 0
    for path in (index_dir / FOLDER).glob("*.answers.jsonl"):
        rows = answers(index_dir, path.name.removesuffix(".answers.jsonl"))
        left = [row for row in rows if not _quotes(row, sources)]
        gone += len(rows) - len(left)
        if len(left) < len(rows):
            _write(path, [json.dumps(row, ensure_ascii=False) for row in left])
    return gone


def _quotes(row: Mapping[str, Any], sources: Collection[str]) -> bool:
    return any(part["source"] in sources for part in (*row["retrieved"], *row["citations"]))


def _answers(folder: Path, name: str) -> Path:
    return folder / f"{name}.answers.jsonl"
