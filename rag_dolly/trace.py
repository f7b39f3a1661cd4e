"""How one answer came about, as data: what was searched, found, packed, written, checked and quoted, and why.

`explain.py` makes it, only when it is asked for; terminal, page and LangChain callbacks show the same object. It
belongs to one question and is not stored. Text in it comes from documents and models: who shows it escapes it.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rag_dolly.types import Mode

Outcome = Literal["shown", "dropped", "replaced"]


@dataclass(frozen=True, slots=True)
class Where:
    """A text and where it stands: `start` and `end` are offsets into the document's text."""

    source: str
    page: int | None
    place: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage as the retriever ranked it, before copies are folded and neighbours joined.

    `dense` (cosine), `keyword` (BM25), `fused` (0 to 1) and `rerank` are the scores of the stages, None where one did
    not run. `named` is how clearly the question names its document, 0 to 1; None where it names none. `ranks` has the
    rank in each stage among all passages proposed, for "rerank" among those that the reranker read. `passage` is the
    rank of the passage it went into, None if it was left out; `became` says so in words.
    """

    rank: int
    where: Where
    dense: float | None
    keyword: float | None
    fused: float | None
    named: float | None
    rerank: float | None
    ranks: dict[str, int]
    passage: int | None
    became: str


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near the passages come to the question: `score` = `cosine` + half of `share`, of which `needed` is enough.

    `cosine` is that of the best passage, `share` how much of the question's words one passage holds at most, 0 to 1.
    """

    cosine: float
    share: float
    score: float
    needed: float
    enough: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as it was offered to the model. `n` is its number in the prompt, None if it is not in it.

    `tokens` is what it takes of the prompt, or would take; 0 without a model. `also` names other places with its text.
    """

    rank: int
    where: Where
    also: tuple[str, ...]
    n: int | None
    tokens: int
    widened: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The exact prompt and its size in tokens of the model.

    `window` is for prompt and answer together, `room` what of it the prompt may have, `frame` what question, earlier
    turns and the model's format take. `turns` of `turns_given` earlier turns are in it. `was_sent` is false if the
    model was not asked.
    """

    text: str
    window: int
    room: int
    tokens: int
    frame: int
    answer_tokens: int
    turns: int
    turns_given: int
    was_sent: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the model, whether it was shown, and if not why.

    `where` is what supports it, or what comes nearest to that; `score`, 0 to 1, is how alike the two are. `check` names
    the check that it failed, "" where it was shown; `n` is the number of its citation.
    """

    text: str
    outcome: Outcome
    check: str
    reason: str
    score: float | None
    n: int | None
    where: Where | None


@dataclass(frozen=True, slots=True)
class QuoteConsidered:
    """A sentence of the documents that was considered as a quotation.

    `read` is the log-odds of the best answer that the reader found in it, `answer` its words; None if it was not read.
    """

    where: Where
    score: float
    cosine: float
    n: int | None
    read: float | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """How one answer came about. `reason` says in a sentence why it has its mode; `seconds` are those of each step.

    `searched` is the question as it was searched for; `proposed` how many passages the two searches proposed, and the
    `candidates` the best of them. Candidates and quotes are best first, passages by rank, sentences as written.
    """

    question: str
    searched: str
    filters: str
    proposed: int
    candidates: tuple[Candidate, ...]
    nearness: Nearness
    passages: tuple[Passage, ...]
    model: str
    prompt: Prompt | None
    sentences: tuple[Sentence, ...]
    quotes: tuple[QuoteConsidered, ...]
    mode: Mode
    reason: str
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the trace as JSON has it: dicts, lists, strings and numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain
