"""A row of cells to the lines that say it, each short enough for a passage to hold it whole."""

import re
from collections.abc import Iterator, Sequence

from ingest.sentences import sentence_spans

_MOST_COST = 200
"""What a line may cost: tokens, estimated from above, well below what a passage holds."""
_MOST_KEY_COST = 40
_TOKENS = re.compile(r"[A-Za-z]{1,4}|\d{1,2}|\S")


def row_lines(labels: Sequence[str], row: Sequence[str]) -> list[str]:
    """Return the row as "label: cell | label: cell", without its empty cells.

    A cell without a label stands alone. A long row is divided between cells, a long cell between sentences; each line
    repeats the row's first cell, and each part of a cell its label.
    """
    pairs = [(labels[i] if i < len(labels) else "", cell) for i, cell in enumerate(row) if cell.strip()]
    if len(pairs) == 2 and not pairs[0][0] and pairs[0][1].rstrip().endswith((":", "：")):  # it is a label itself
        pairs = [(_one_line(pairs[0][1]), pairs[1][1])]
    whole = " | ".join(_named(label, _one_line(cell)) for label, cell in pairs)
    return [whole] if len(whole) <= _MOST_COST or _cost(whole) <= _MOST_COST else list(_divided(pairs))


def _divided(pairs: list[tuple[str, str]]) -> Iterator[str]:
    key = _named(pairs[0][0], _one_line(pairs[0][1]))
    keyed = len(pairs) > 1 and _cost(key) <= _MOST_KEY_COST
    opening = [key] if keyed else []
    line, spent = list(opening), _cost(key) if keyed else 0
    least = spent
    for label, cell in pairs[keyed:]:
        for part in _parts(label, cell, _MOST_COST - least):
            cost = _cost(part) + 1
            if spent > least and spent + cost > _MOST_COST:
                yield " | ".join(line)
                line, spent = list(opening), least
            line.append(part)
            spent += cost
    if spent > least:
        yield " | ".join(line)


def _parts(label: str, cell: str, room: int) -> Iterator[str]:
    """Yield a cell with its label, in as many parts as it needs."""
    whole = _named(label, _one_line(cell))
    if _cost(whole) <= room:
        yield whole
        return
    room = max(room - _cost(label) - 1, _MOST_KEY_COST)
    part, spent = "", 0
    for glue, run in _runs(cell, room):
        cost = _cost(run)
        if part and spent + cost > room:
            yield _named(label, part)
            part, spent = "", 0
        part = f"{part}{glue}{run}" if part else run
        spent += cost
    yield _named(label, part)


def _runs(cell: str, room: int) -> Iterator[tuple[str, str]]:
    """Yield what parts of a cell are made of, and what stands before each: sentences, or words and pieces of words."""
    for start, end in sentence_spans(cell):
        sentence = _one_line(cell[start:end])
        if _cost(sentence) <= room:
            yield " ", sentence
            continue
        for word in sentence.split():
            yield from ((" " if i == 0 else "", word[i : i + room]) for i in range(0, len(word), room))


def _named(label: str, text: str) -> str:
    return f"{label.rstrip(':： ')}: {text}" if label else text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cost(text: str) -> int:
    return len(_TOKENS.findall(text))
