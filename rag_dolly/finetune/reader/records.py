"""Records of (question, passage, answers) to train a reader on, and the ones without an answer made from them.

A line of a file is `{"question", "context", "answers", "answerable", "title"}`, or a record of databricks-dolly-15k,
whose response is the answer. Only answers that stand in the passage word for word are used. A question whose passage
does not answer it teaches the reader to say so; such questions come as they are in the files (`answerable` false), and
are made here in two ways: with another passage of the same title, and by another name or number put into the question
(after Rajpurkar et al., 2018, whose writers did both by hand).
"""

import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rag_dolly.errors import RagDollyError

PER_PASSAGE = 8
"""The most questions taken on one passage."""
PER_QUESTION = 3
"""The most passages taken for one question: sets of few questions would be learned by heart."""
LONGEST_ANSWER = 300
OTHER_PASSAGE, OTHER_NAME = 0.25, 0.2
"""Shares of the questions with an answer from which one without is made, by another passage and by another name."""
HELD_OUT = 20
"""One title (or passage, without titles) of this many is held out."""
_CATEGORIES = ("closed_qa", "information_extraction")
_NAME = re.compile(r"(?<!^)\b(?:[A-Z][\w'-]+(?: (?:of |the )?[A-Z][\w'-]+)*|\d[\d,.]*\d|\d+)\b")


class Record(NamedTuple):
    """A question on a passage, and its answers as they stand there; none if it does not answer."""

    question: str
    context: str
    answers: tuple[str, ...]
    title: str


def read_records(path: Path) -> list[Record]:
    """Return the usable records of a file, .jsonl or .jsonl.gz. Raises `RagDollyError`."""
    if not path.is_file():
        raise RagDollyError(f"No file {path}: expected JSON lines of questions, contexts and answers.")
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            return list(_capped(_usable(path, file)))
    except (OSError, EOFError) as error:
        raise RagDollyError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _usable(path: Path, lines: Any) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = _record(json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise RagDollyError(
                f"Line {number} of {path} is not a record: expected question, context and answers, or instruction, "
                f"context, response and category ({type(error).__name__}: {error})."
            ) from error
        if found:
            yield found


def _record(row: dict[str, Any]) -> Record | None:
    """Return a record, None for one without a passage, or with an answer that does not stand in it."""
    if "instruction" in row:
        answers = [row["response"].strip().rstrip(".")] if row["category"] in _CATEGORIES else []
        question, is_answerable = row["instruction"], True
    else:
        question, answers, is_answerable = row["question"], row["answers"], row.get("answerable", True)
    context = row["context"]
    standing = tuple(one for one in answers if one and len(one) <= LONGEST_ANSWER and one in context)
    if not context.strip() or not question.strip() or (is_answerable and not standing):
        return None
    return Record(question, context, standing if is_answerable else (), row.get("title") or context[:80])


def _capped(records: Iterator[Record]) -> Iterator[Record]:
    """Yield records without repeating a passage or a question too often."""
    passages, questions = Counter[str](), Counter[str]()
    for record in _shuffled(list(records)):
        passages[record.context] += 1
        questions[record.question.lower()] += 1
        if passages[record.context] <= PER_PASSAGE and questions[record.question.lower()] <= PER_QUESTION:
            yield record


def _shuffled(records: list[Record]) -> list[Record]:
    random.Random(0).shuffle(records)
    return records


def split(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Return (for training, held out); no title and no passage is in both."""
    titles = sorted({record.title for record in records})
    held = set(random.Random(0).sample(titles, len(titles) // HELD_OUT))
    passages = {record.context for record in records if record.title in held}
    train = [one for one in records if one.title not in held and one.context not in passages]
    return train, [one for one in records if one.title in held]


def made_unanswerable(records: Sequence[Record], seed: int = 0) -> list[Record]:
    """Return questions without an answer, made from those that have one."""
    draw = random.Random(seed)
    answered = [record for record in records if record.answers]
    by_title = defaultdict(list)
    for record in answered:
        by_title[record.title].append(record)
    names = [match.group() for record in answered for match in _NAME.finditer(record.question)]
    made = []
    for record in answered:
        chance = draw.random()
        if chance < OTHER_PASSAGE:
            made.append(_other_passage(record, by_title[record.title], draw))
        elif chance < OTHER_PASSAGE + OTHER_NAME and names:
            made.append(_other_name(record, names, draw))
    return [record for record in made if record]


def _other_passage(record: Record, near: Sequence[Record], draw: random.Random) -> Record | None:
    lowered = [answer.lower() for answer in record.answers]
    contexts = sorted({other.context for other in near} - {record.context})
    fit = [context for context in contexts if not any(answer in context.lower() for answer in lowered)]
    return record._replace(context=draw.choice(fit), answers=()) if fit else None


def _other_name(record: Record, names: Sequence[str], draw: random.Random) -> Record | None:
    """Put another name of the passage, or one from elsewhere, in the place of a name in the question."""
    found = list(_NAME.finditer(record.question))
    if not found:
        return None
    old = draw.choice(found)
    kind = old.group()[0].isdigit()
    said = " ".join((record.question, *record.answers))
    here = [match.group() for match in _NAME.finditer(record.context) if match.group() not in said]
    here = [name for name in here if name[0].isdigit() == kind]
    elsewhere = [name for name in draw.sample(names, min(40, len(names))) if name not in record.context]
    elsewhere = [name for name in elsewhere if name[0].isdigit() == kind]
    pool = here if here and draw.random() < 0.6 else elsewhere
    if not pool:
        return None
    question = record.question[: old.start()] + draw.choice(pool) + record.question[old.end() :]
    return record._replace(question=question, answers=())
