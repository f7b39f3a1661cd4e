"""How well a reader finds answers in the right passage, and tells that others have none."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rag_dolly.answer_measures import exact_match, f1
from rag_dolly.finetune.reader.records import Record
from rag_dolly.types import Reader, Reading


class Scores(NamedTuple):
    """Means over answerable questions of F1, exact match and containing the answer, 0 to 1, and how many there are.

    `auc` is the chance that a question with an answer scores higher than one without; `unanswerable` how many of these.
    """

    f1: float
    exact: float
    contains: float
    answerable: int
    auc: float
    unanswerable: int


def score(reader: Reader, records: Sequence[Record]) -> Scores:
    """Return the figures of a reader on records, of which some have no answer."""
    answers = read_all(reader, records)
    said = [record.context[one.start : one.end] for record, one in zip(records, answers, strict=True)]
    can = [n for n, record in enumerate(records) if record.answers]
    scores = np.array([one.score for one in answers])
    with_, without = scores[can], np.delete(scores, can)
    return Scores(
        _mean([f1(said[n], records[n].answers) for n in can]),
        _mean([exact_match(said[n], records[n].answers) for n in can]),
        _mean([float(any(_plain(gold) in _plain(said[n]) for gold in records[n].answers)) for n in can]),
        len(can),
        float((with_[:, None] > without[None, :]).mean()) if len(with_) and len(without) else float("nan"),
        len(without),
    )


def read_all(reader: Reader, records: Sequence[Record]) -> list[Reading]:
    """Return the best answer to each record's question in its passage."""
    return [reader.read(record.question, [record.context], [[(0, len(record.context))]])[0][0] for record in records]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
