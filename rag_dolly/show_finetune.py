"""What the terminal shows of a fine-tuning: progress on stderr, the figures before and after on stdout."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag_dolly.show import note, plain, print_json

if TYPE_CHECKING:
    from rag_dolly.finetune.embedder_run import TunedEmbedder
    from rag_dolly.finetune.run import Tuned
    from rag_dolly.finetune.training import Step

WIDTH = 100
QUIET = 5
"""Seconds between two lines of progress where there is no terminal."""


@contextmanager
def training() -> "Iterator[Callable[[Step], None]]":
    """Show loss, tokens a second and time left: a bar on a terminal, a line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, disable=not console.is_terminal or not _speaks()) as bar:
        task = bar.add_task("", total=None)
        last = 0.0

        def on_step(step: "Step") -> None:
            nonlocal last
            says = f"loss {step.loss:.4f}, {step.rate:,.0f} tokens/s, {in_words(step.left)} left"
            bar.update(task, completed=step.done, total=step.total, description=says)
            if not console.is_terminal and (time.monotonic() - last > QUIET or step.done == step.total):
                last = time.monotonic()
                note(f"step {step.done}/{step.total}, {says}")

        yield on_step


def in_words(seconds: float) -> str:
    """Return a time: "2 h 05 min", "12 min", "40 s"."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes} min" if minutes >= 2 else f"{seconds:.0f} s"


def tuned(found: "Tuned", as_json: bool) -> None:
    """Show what came of a run, once where several processes trained."""
    if not _speaks():
        return
    before, after = (figures.as_json() if figures else None for figures in (found.before, found.after))
    if as_json:
        print_json(
            {
                "out": str(found.out),
                "records": found.records,
                "left_out": found.left_out,
                "steps": len(found.losses),
                "before": before,
                "after": after,
            }
        )
        return
    if before and after:
        _table(before, after, f"{after['records']} held-out records, {after['answers']} of them answered")
    else:
        note("no record was held out, so nothing was measured")
    note(f'the model is in {found.out}: rag-dolly ask "..." --model {found.out}')


def tuned_embedder(found: "TunedEmbedder", as_json: bool) -> None:
    """Show what came of the fine-tuning of an embedder."""
    if as_json:
        keys = {"out": str(found.out), "records": found.records, "questions": found.questions}
        print_json({**keys, "before": dict(found.before), "after": dict(found.after)})
        return
    _table(found.before, found.after, f"{found.questions} held-out questions")
    note(f"the embedder is in {found.out}: rag-dolly reembed --embedder {found.out} --index YOUR_INDEX")


def _speaks() -> bool:
    """Whether this is the only process, or the first of those that `accelerate launch` started."""
    return os.environ.get("RANK", "0") == "0"


def _table(before: Mapping[str, Any], after: Mapping[str, Any], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    table = Table(title=plain(title), title_justify="left")
    for column in ("measure", "before", "after"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    for name, value in after.items():
        if isinstance(value, float) and before.get(name) is not None:
            table.add_row(name.replace("_", " "), f"{before[name]:.4g}", f"{value:.4g}")
    console.print(table)
