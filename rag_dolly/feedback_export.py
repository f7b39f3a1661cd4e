"""Feedback to training records: instruction, context, response and category, as databricks-dolly-15k has them.

A record is made of what was written, of an answer with its correction, and of an answer that was rated up; only with
consent. The context is what the answer cited; where it cited nothing, the passage shown that holds most of the
response's words. What must not leave is taken out (`redact`), and of records that say the same the latest is kept.

Limits: whether a question asks to extract or to be answered is told by its first words, in English.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rag_dolly.errors import RagDollyError
from rag_dolly.feedback import WRITTEN, Feedback, Shown
from rag_dolly.inert import visible, without_markers
from rag_dolly.redact import Rule, redact
from rag_dolly.words import content_words, is_negated

FIELDS = ("instruction", "context", "response", "category")
"""Of a record, all of them text; the context may be ""."""
CATEGORIES = (
    "brainstorming",
    "classification",
    "closed_qa",
    "creative_writing",
    "general_qa",
    "information_extraction",
    "open_qa",
    "summarization",
)
WITH_CONTEXT = ("closed_qa", "information_extraction", "summarization")
"""Categories whose records have a context, as in databricks-dolly-15k."""
LEAST_SHARED = 0.5
"""Share of the response's content words that an uncited passage must have to be its context."""
NEARLY = 0.85
"""Share of their different words that two records have in common from which on they say the same."""
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_EXTRACTS = re.compile(
    r"(?:please )?(?:list|extract|name (?:all|the|three|some)|enumerate|find all|give (?:me )?(?:all|a list))\b"
)

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records were written, and why others were not; what was redacted, how often."""

    written: int = 0
    by_category: dict[str, int] = field(default_factory=dict)
    without_consent: int = 0
    without_answer: int = 0
    duplicates: int = 0
    redacted: dict[str, int] = field(default_factory=dict)


def export(records: Sequence[Feedback], out: Path, rules: Sequence[Rule] = ()) -> Counts:
    """Write the records of feedback as JSON lines. Raises `RagDollyError`; then nothing was written."""
    rows, counts = training_records(records, rules)
    try:
        with out.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    except OSError as error:
        raise RagDollyError(f"{out} cannot be written: {error.strerror or error}.") from error
    return counts


def training_records(records: Sequence[Feedback], rules: Sequence[Rule] = ()) -> tuple[list[Row], Counts]:
    """Return the rows, oldest first, and the counts. Raises `RagDollyError` where a rule takes too long."""
    allowed = [said for said in records if said.consent]
    made = [row for said in allowed if (row := _row(said))]
    redacted: Counter[str] = Counter()
    rows = [_redacted(row, rules, redacted) for row in made]
    kept = distinct(rows)
    return kept, Counts(
        written=len(kept),
        by_category=dict(sorted(Counter(row["category"] for row in kept).items())),
        without_consent=len(records) - len(allowed),
        without_answer=len(allowed) - len(made),
        duplicates=len(rows) - len(kept),
        redacted=dict(redacted),
    )


def _row(said: Feedback) -> Row | None:
    """Return what is learnt from one record, None if nothing is: rated down or refused, and not corrected."""
    if said.mode == WRITTEN:
        context = "\n\n".join(passage.text for passage in said.passages)
        return _made(said.question, context, said.answer, said.category)
    good = said.answer if said.rating == "up" and said.mode != "abstained" else ""
    response = said.correction or _plain_answer(good)
    if not response.strip():
        return None
    context = "\n\n".join(passage.text for passage in _context(said.passages, response))
    extracts = bool(_EXTRACTS.match(said.question.strip().lower()))
    category = "open_qa" if not context else "information_extraction" if extracts else "closed_qa"
    return _made(said.question, context, response, category)


def _plain_answer(answer: str) -> str:
    """Return an answer without its markers."""
    return "\n".join(without_markers(line) for line in answer.splitlines())


def _made(instruction: str, context: str, response: str, category: str) -> Row:
    texts = (instruction, context, response, category)
    return {name: visible(text).strip() for name, text in zip(FIELDS, texts, strict=True)}


def _context(passages: Sequence[Shown], response: str) -> list[Shown]:
    """Return the passages that were cited; where none was, the one with most of the response's content words."""
    if cited := [passage for passage in passages if passage.cited]:
        return cited
    words = set(content_words(response))
    shares = [len(words & set(content_words(passage.text))) / max(len(words), 1) for passage in passages]
    best = max(range(len(passages)), key=shares.__getitem__, default=None)
    return [passages[best]] if best is not None and shares[best] >= LEAST_SHARED else []


def _redacted(row: Row, rules: Sequence[Rule], redacted: Counter[str]) -> Row:
    clean = dict(row)
    for name in ("instruction", "context", "response"):
        clean[name], found = redact(row[name], rules)
        redacted += found
    return clean


def distinct(rows: Sequence[Row]) -> list[Row]:
    """Return the rows without those that say what a later one says, word for word or nearly.

    Nearly: the same words but for a few, while every number, every word with a capital letter, and whether something is
    denied agree. In scripts without letter case the characters must be the same.
    """
    kept: list[Row] = []
    groups: dict[tuple[str, frozenset[str], bool], list[frozenset[str]]] = {}
    for row in reversed(rows):
        text = f"{row['instruction']}\n{row['response']}"
        tokens = _TOKEN.findall(text)
        facts = frozenset(token for token in tokens if not token.islower())
        words = frozenset(map(str.casefold, tokens))
        alike = groups.setdefault((row["category"], facts, is_negated(text)), [])
        if not any(len(words & other) >= NEARLY * len(words | other) for other in alike):
            alike.append(words)
            kept.append(row)
    return kept[::-1]


def as_json(counts: Counts, damaged: int) -> dict[str, Any]:
    """Return the counts as `--json` prints them; `damaged` lines of the file could not be read."""
    return {**asdict(counts), "damaged_lines": damaged}


def in_words(counts: Counts, damaged: int) -> list[str]:
    """Return the counts as lines for a person."""
    kinds = ", ".join(f"{count} {name}" for name, count in counts.by_category.items())
    lines = [f"{counts.written} {'record' if counts.written == 1 else 'records'}" + (f": {kinds}" if kinds else "")]
    gone = {
        "without consent": counts.without_consent,
        "with nothing to learn from (rated down or refused, and not corrected)": counts.without_answer,
        "said again by a later one": counts.duplicates,
        "damaged lines": damaged,
    }
    lines += [f"left out: {count} {why}" for why, count in gone.items() if count]
    if counts.redacted:
        lines.append("redacted: " + ", ".join(f"{count} {name}" for name, count in counts.redacted.items()))
    return lines
