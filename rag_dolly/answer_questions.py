"""Questions whose answers are known, from a file; and their answers, in a file that a later run goes on with.

A line of questions is {"id", "question", "answers", "answerable", "doc"} and, where it is known, "page": a number from
1, or a list of them. A line of answers is what `ask --questions` writes. Each answer is written as soon as it is there,
so that a run that is killed loses the one under way; a line that was cut is taken away.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_dolly.answer import check_question
from rag_dolly.errors import EmptyQuestion, QuestionTooLong, RagDollyError
from rag_dolly.evaluate import OnStep
from rag_dolly.show import JSON_KEYS

Answer = Mapping[str, Any]
"""An answer object: see docs/chain.md."""
Ask = Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what is expected: any of `answers`, from `doc`, on one of `pages` if there are any."""

    id: str | int
    question: str
    answers: tuple[str, ...]
    answerable: bool
    doc: str
    pages: frozenset[int]

    @property
    def key(self) -> str:
        """The id as text, by which answers are found."""
        return str(self.id)


def read_questions(path: Path, limit: int | None = None) -> list[Question]:
    """Return the questions of a file, the first `limit`. Raises `RagDollyError`, naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RagDollyError(f"{path} cannot be read: {error}") from error
    found: dict[str, Question] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and len(found) != limit:
            question = _question(line, f"{path}, line {number}")
            if question.key in found:
                raise RagDollyError(f"{path}, line {number}: the id {question.key!r} has been given before.")
            found[question.key] = question
    if not found:
        raise RagDollyError(f'{path} has no questions: expected lines of {{"id", "question", "answers", ...}}.')
    return list(found.values())


def _question(line: str, where: str) -> Question:
    row = _object(line, where)
    answers, page = row.get("answers", []), row.get("page")
    pages = page if isinstance(page, list) else [] if page is None else [page]
    checks = {
        "id (text or a number)": isinstance(row.get("id"), str | int),
        "question (text)": isinstance(row.get("question"), str),
        "answers (a list of texts)": isinstance(answers, list) and all(isinstance(gold, str) for gold in answers),
        "answerable (true or false)": isinstance(row.get("answerable"), bool),
        "doc (the name of a document)": isinstance(row.get("doc") or "", str),
        "page (numbers from 1)": all(isinstance(number, int) and number > 0 for number in pages),
    }
    if wrong := [name for name, is_right in checks.items() if not is_right]:
        raise RagDollyError(f"{where}: expected {wrong[0]}.")
    try:
        text = check_question(row["question"])
    except (EmptyQuestion, QuestionTooLong) as error:
        raise RagDollyError(f"{where}: {error}") from error
    golds = tuple(gold for gold in answers if gold.strip())
    return Question(row["id"], text, golds, row["answerable"], row.get("doc") or "", frozenset(pages))


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RagDollyError(f"{where}: not JSON.") from error
    if not isinstance(row, dict):
        raise RagDollyError(f"{where}: expected a JSON object.")
    return row


def read_answers(path: Path, questions: Sequence[Question]) -> dict[str, Answer]:
    """Return the answers of a file to these questions, by key; {} if there is no file. A cut last line is left out.

    Raises `RagDollyError` if the file holds anything else than answers, or an answer to another question.
    """
    try:
        whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n") if path.exists() else ("", "", "")
    except UnicodeDecodeError:  # a character was cut
        whole = path.read_bytes().rpartition(b"\n")[0].decode("utf-8", "replace")
    except OSError as error:
        raise RagDollyError(f"{path} cannot be read: {error.strerror}.") from error
    asked = {question.key: question.question for question in questions}
    found: dict[str, Answer] = {}
    for number, line in enumerate(whole.split("\n") if whole else [], 1):
        row = _object(line, f"{path}, line {number}")
        key = str(row.get("id"))
        if not {"question", "answer", "mode", "citations", "retrieved", "timings"} <= row.keys():
            raise RagDollyError(f"{path}, line {number}: expected an answer as `ask --questions` writes it.")
        if key in asked and row["question"] != asked[key]:
            raise RagDollyError(f"{path}, line {number} answers another question than {key!r}: name another --out.")
        found[key] = row
    return {key: found[key] for key in asked if key in found}


def answer_questions(
    questions: Sequence[Question], ask: Ask, out: Path | None = None, on_step: OnStep = lambda *_: None
) -> list[Answer]:
    """Return the answer to each question, in their order; those that `out` holds are kept, the others added to it.

    Raises `RagDollyError` as `read_answers`, and what `ask` raises.
    """
    answers = dict(read_answers(out, questions)) if out else {}
    done = len(answers)
    with _appending(out) if out else nullcontext() as file:
        for question in questions:
            if question.key in answers:
                continue
            on_step("questions answered", done, len(questions))
            answers[question.key] = row = _answer(question, ask)
            done += 1
            if file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
    on_step("questions answered", done, len(questions))
    return [answers[question.key] for question in questions]


def _answer(question: Question, ask: Ask) -> Answer:
    try:
        answer = ask(question.question)
    except QuestionTooLong as error:
        raise RagDollyError(f"Question {question.key!r}: {error}") from error
    return {"id": question.id, **{key: answer[key] for key in JSON_KEYS}}


def _appending(path: Path) -> Any:
    """Open a file to write after its last whole line; half a pair of characters is written as JSON escapes it."""
    try:
        if path.exists():
            kept = path.read_bytes()
            with path.open("r+b") as file:
                file.truncate(kept.rfind(b"\n") + 1)
        return path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise RagDollyError(f"{path} cannot be written: {error.strerror}.") from error
