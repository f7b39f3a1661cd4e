"""Records to what the reader is trained on: pairs of tokens, and where in them answers begin and end."""

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rag_dolly.finetune.reader.records import Record
from rag_dolly.reader.pairs import Pair, pair, room, tokens_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH = 24
"""Pairs in a batch."""
POOL = 40
"""Batches whose pairs are sorted by length together, so that little of a batch is padding."""
MOST_PLACES = 20


class Example(NamedTuple):
    """A pair, and the places of the first and last tokens of its answers: ([0], [0]) without an answer."""

    pair: Pair
    starts: list[int]
    ends: list[int]


def examples_of(records: Sequence[Record], tokenizer: "Tokenizer", draw: random.Random) -> list[Example]:
    """Return an example for each record whose answer fits the window. Of a long passage a random part is taken."""
    made = (_example(record, tokenizer, draw) for record in records)
    return [example for example in made if example]


def _example(record: Record, tokenizer: "Tokenizer", draw: random.Random) -> Example | None:
    question, text = tokens_of(tokenizer, record.question).ids, tokens_of(tokenizer, record.context)
    found = [span for answer in record.answers for span in token_spans(text.spans, record.context, answer)]
    if record.answers and not found:
        return None
    whole = pair(question, text.ids, _first(found, len(text.ids), room(question), draw))
    inside = [(start, end) for start, end in found if start >= whole.first and end < whole.first + _held(whole)]
    if record.answers and not inside:
        return None
    shift = whole.begin - whole.first
    starts, ends = sorted({a + shift for a, _ in inside}), sorted({b + shift for _, b in inside})
    return Example(whole, starts or [0], ends or [0])


def _held(made: Pair) -> int:
    return made.end - made.begin


def _first(found: Sequence[tuple[int, int]], size: int, space: int, draw: random.Random) -> int:
    """Return the token of a passage at which a window begins that holds one of the answers, if there are any."""
    last = max(0, size - space)
    if not found:
        return draw.randint(0, last)
    start, end = draw.choice(found)
    return draw.randint(min(last, max(0, end + 1 - space)), max(min(last, max(0, end + 1 - space)), min(last, start)))


def token_spans(spans: Sequence[tuple[int, int]], text: str, answer: str) -> list[tuple[int, int]]:
    """Return the (first, last) tokens of each place where an answer stands, the first twenty."""
    found: list[tuple[int, int]] = []
    at = text.find(answer)
    while at >= 0 and len(found) < MOST_PLACES:
        touched = [n for n, (start, end) in enumerate(spans) if end > at and start < at + len(answer)]
        if touched:
            found.append((touched[0], touched[-1]))
        at = text.find(answer, at + 1)
    return found


def batches(examples: Sequence[Example], draw: random.Random) -> Iterator[list[Example]]:
    """Yield batches of like length in random order, each example once."""
    order = list(examples)
    draw.shuffle(order)
    made = []
    for start in range(0, len(order), BATCH * POOL):
        pool = sorted(order[start : start + BATCH * POOL], key=lambda example: len(example.pair.ids))
        made += [pool[n : n + BATCH] for n in range(0, len(pool), BATCH)]
    draw.shuffle(made)
    yield from made
