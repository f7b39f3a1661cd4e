"""From data and a base to examples in the base's language: to train on, and held out. No weights are read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.base import directory_of
from rag_dolly.finetune.base_model import load_speech
from rag_dolly.finetune.examples import Example, Speaker, within
from rag_dolly.finetune.recipe import Asked, Recipe
from rag_dolly.finetune.records import Data

if TYPE_CHECKING:
    from rag_dolly.generate.dialect import Dialect

LEAST_HELD_OUT = 10
"""One record in so many is held out where there are fewer than the recipe would have for it."""


class Prepared(NamedTuple):
    """A base's directory and language, and the examples; `left_out` counts records in words, `added` new tokens."""

    directory: Path
    tokenizer: Any
    dialect: "Dialect"
    added: int
    training: list[Example]
    held_out: list[Example]
    left_out: dict[str, int]

    def summary(self, data: Data) -> str:
        """Return in a line how many records there are and why others are left out."""
        left = "".join(f"; {count} left out: {what}" for what, count in self.left_out.items())
        return f"{data.name}: {len(self.training)} records to train on, {len(self.held_out)} held out{left}"


def prepare(asked: Asked, data: Data) -> Prepared:
    """Return the examples for training and those held out, in the base's language. The weights are not read yet."""
    from rag_dolly.generate.opening import window_of

    directory = directory_of(asked.base, asked.offline)
    tokenizer, dialect, added = load_speech(directory)
    speaker = Speaker(tokenizer, dialect)
    window = min(asked.recipe.max_length, window_of(json.loads((directory / "config.json").read_text("utf-8"))))
    left_out = {"repeated": data.repeated} if data.repeated else {}
    if asked.recipe.as_answers:
        examples, more = _as_answers(asked, data, directory, speaker, window)
        left_out |= more
    else:
        answered = [record for record in data.records if record.response]
        if len(answered) < len(data.records):
            left_out["without a response"] = len(data.records) - len(answered)
        examples = [speaker.example(record) for record in answered]
    kept, dropped = within(examples, window)
    if dropped:
        left_out[f"of {window} tokens or more"] = dropped
    if len(kept) < 2:
        said = ", ".join(f"{count} {what}" for what, count in left_out.items()) or "there are no more"
        raise RagDollyError(
            f"{len(kept)} of {len(data.records)} records can be trained on, 2 are the least ({said}): "
            "give more records, or a larger --max-length."
        )
    training, held_out = _split(kept, asked.recipe)
    return Prepared(directory, tokenizer, dialect, added, training, held_out, left_out)


def _as_answers(
    asked: Asked, data: Data, directory: Path, speaker: Speaker, window: int
) -> tuple[list[Example], dict[str, int]]:
    from ingest.embed import open_embedder
    from rag_dolly.finetune.rag_examples import Prompter, build_examples

    recipe = asked.recipe
    prompter = Prompter(directory.name, window, speaker.dialect)
    built = build_examples(data.records, speaker, prompter, open_embedder("auto", True), recipe.missing, recipe.seed)
    return built.examples, built.left_out


def _split(examples: Sequence[Example], recipe: Recipe) -> tuple[list[Example], list[Example]]:
    """Return the examples to train on and those held out, drawn by the seed; equal prompts stay together."""
    wanted = min(recipe.held_out, len(examples) // LEAST_HELD_OUT)
    order = np.random.default_rng([recipe.seed, 2]).permutation(len(examples)).tolist()
    held = {tuple(examples[place].prompt) for place in order[:wanted]}
    held_out = [examples[place] for place in order[:wanted]]
    return [example for example in examples if tuple(example.prompt) not in held], held_out
