"""The command that trains a reader: `rag-dolly finetune-reader`."""

from pathlib import Path
from typing import Annotated

import typer


def finetune_reader(
    data: Annotated[
        list[Path],
        typer.Argument(help="JSON lines of {question, context, answers, answerable, title}.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the reader, its card and its losses.", show_default=False)],
    epochs: Annotated[int, typer.Option(min=1, help="Times that every record is seen.")] = 2,
) -> None:
    """Train the reader, which finds the words that answer a question, on questions and passages."""
    from rag_dolly import show
    from rag_dolly.errors import RagDollyError
    from rag_dolly.finetune.disk import make_folder, writing
    from rag_dolly.finetune.reader import card
    from rag_dolly.finetune.reader.records import HELD_OUT, made_unanswerable, read_records, split
    from rag_dolly.finetune.reader.score import score
    from rag_dolly.finetune.reader.train import Step, train
    from rag_dolly.reader import weights
    from rag_dolly.reader.read import SpanReader

    files = [card.Source.of(path, read_records(path)) for path in data]
    if not any(record.answers for file in files for record in file.records):
        raise RagDollyError("No usable record in the data: expected answers that stand word for word in their context.")
    if (make_folder(out) / weights.FILE).exists():
        raise RagDollyError(f"{out} already holds a reader: name another folder, or delete it first.")
    records, held_out = split([record for file in files for record in file.records])
    if not any(record.answers for record in held_out):
        raise RagDollyError(f"Too few passages: of {HELD_OUT} titles or passages one is held out; give more records.")
    show.note(f"{len(records):,} records to train on, {len(held_out):,} held out")

    def tell(step: Step) -> None:
        if step.number % 50 == 0 or step.number in (1, step.steps):
            left = step.seconds / step.number * (step.steps - step.number) / 60
            speed = step.tokens / max(step.seconds, 1e-9)
            done = f"step {step.number:,} of {step.steps:,}, loss {step.loss:.3f}"
            show.note(f"{done}, {speed:,.0f} tokens/s, {left:.0f} min left")

    with writing(out):
        losses = train(records, out, epochs, tell)
        found = score(SpanReader(out), [*held_out, *made_unanswerable(held_out)])
        card.write(out, files, found, losses, epochs)
    show.note(f"Held out: F1 {found.f1:.3f}, exact {found.exact:.3f}, told from unanswerable {found.auc:.3f}")
