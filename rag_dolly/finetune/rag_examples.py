"""Training prompts as the product builds them: several numbered passages, of which one or none has the answer.

From records of question, passage and answer. The passages beside the right one are those of other records that share
most words with the question (BM25) and do not contain the answer; all stand in the order of that search, as they would
after retrieval. From a share of the records the right passage is left out, and the response is the product's refusal.

Limits: another record's passage may answer the question in other words. Records without a passage, and requests for
summaries, are no questions to documents and are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from rag_dolly.answer import REFUSAL
from rag_dolly.context import pack
from rag_dolly.errors import QuestionTooLong, RagDollyError
from rag_dolly.finetune.examples import Example, Speaker
from rag_dolly.finetune.records import Record
from rag_dolly.finetune.shelf import Shelf
from rag_dolly.types import Hit, Turn

if TYPE_CHECKING:
    from numpy.random import Generator

    from ingest.embed import Embedder
    from rag_dolly.generate.dialect import Dialect
    from rag_dolly.types import Pipeline

PASSAGES = 5
"""Passages in a prompt: the default of --top-k."""
ANSWER_TOKENS = 256
_SEARCHED = 40
_NOT_ASKED = "summarization"


@dataclass(frozen=True, slots=True)
class Prompter:
    """What of a `Pipeline` the packing of passages needs: it renders and counts."""

    name: str
    window: int
    dialect: "Dialect"

    def render(self, question: str, passages: Sequence[str], history: Sequence[Turn] = ()) -> str:
        """See `Pipeline.render`."""
        return self.dialect.render(question, passages, history)

    def count(self, prompt: str) -> int:
        """See `Pipeline.count`."""
        return len(self.dialect.encode(prompt))


@dataclass(frozen=True, slots=True)
class Built:
    """Examples in the order of the records, and how many records were left out, in words."""

    examples: list[Example]
    left_out: dict[str, int]


def build_examples(
    records: Sequence[Record], speaker: Speaker, prompter: Prompter, embedder: "Embedder", missing: float, seed: int
) -> Built:
    """Return the examples of records; from the share `missing` (0 to 1) the answer is left out.

    `embedder` only counts tokens, so that contexts are cut into the passages that an ingestion would make. Raises
    `RagDollyError` if no record has a passage.
    """
    asked = [record for record in records if record.context and record.category != _NOT_ASKED]
    if not asked:
        raise RagDollyError(
            '--as-answers needs records with a passage ("context"), none has one: leave --as-answers away.'
        )
    shelf = Shelf((record.context for record in asked), embedder)
    chance = np.random.default_rng([seed, 1])
    built: list[Example] = []
    unfit = 0
    for record in asked:
        example = _example(record, shelf, speaker, prompter, missing, chance)
        if example is None:
            unfit += 1
        else:
            built.append(example)
    left_out = {"without a passage, or a summary": len(records) - len(asked), "passage beyond the window": unfit}
    return Built(built, {what: count for what, count in left_out.items() if count})


def _example(
    record: Record, shelf: Shelf, speaker: Speaker, prompter: Prompter, missing: float, chance: "Generator"
) -> Example | None:
    """Return the example of a record, None if its passage does not fit."""
    own = set(shelf.of(record.context))
    ranked = shelf.search(record.instruction, _SEARCHED)
    if not record.response:
        chosen, needed = [*own, *(place for place in ranked if place not in own)][:PASSAGES], set[int]()
    else:
        others = [place for place in ranked if place not in own and not shelf.says(place, record.response)]
        needed = set() if chance.random() < missing else set(shelf.telling(record.context, record.response))
        if len(needed) > PASSAGES:
            return None
        chosen = [*needed, *others[: PASSAGES - len(needed)]]
    places = {place: rank for rank, place in enumerate(ranked)}
    chosen.sort(key=lambda place: places.get(place, int(chance.integers(_SEARCHED))))
    hits = [_hit(rank, place, shelf) for rank, place in enumerate(chosen, 1)]
    try:
        packed = pack(cast("Pipeline", prompter), record.instruction, hits, ANSWER_TOKENS)
    except QuestionTooLong:
        return None
    if not needed <= {hit.ordinal for hit in packed.hits}:
        return None
    return speaker.after(packed.prompt, record.response if needed else REFUSAL)


def _hit(rank: int, place: int, shelf: Shelf) -> Hit:
    text = shelf.passages[place].text
    return Hit(rank, str(shelf.passages[place].context), place, None, 0, len(text), (), text, 0.0)
