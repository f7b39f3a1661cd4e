"""What the terminal shows of an evaluation: tables on stdout, progress on stderr, JSON when asked for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag_dolly.show import note, plain, print_json

if TYPE_CHECKING:
    from rag_dolly.evaluate import Estimate, Evaluation, Table

WIDTH = 100
"""Columns of the table where the terminal does not say how many it has."""
QUIET = 5
"""Seconds between two lines of progress where there is no terminal."""
OnStep = Callable[[str, int, int], None]
"""Told (what is counted, done, of how many)."""


@contextmanager
def steps() -> Iterator[OnStep]:
    """Show on stderr how far a long work is: a bar on a terminal, a line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}
        last = time.monotonic()

        def on_step(what: str, done: int, total: int) -> None:
            nonlocal last
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)
            if not console.is_terminal and time.monotonic() - last > QUIET:
                last = time.monotonic()
                note(f"{what} {done}/{total}")

        yield on_step


def evaluation(found: "Evaluation", facts: dict[str, Any], as_json: bool) -> None:
    """Show an evaluation; `facts` say what was evaluated and stand first."""
    if as_json:
        print_json({**facts, "stages": as_rows(found.stages), "differences": as_rows(found.differences)})
        return
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    for what, count in facts["left_out"].items():
        note(f"{count} {what}")
    title = f"{facts['data']}: {facts['queries']} queries, {facts['documents']} documents, {facts['passages']} passages"
    console.print(_table(found.stages, title, "{:.3f}", ""))
    console.print(_table(found.differences, f"{found.product} less the other stage; * beyond noise", "{:+.3f}", "*"))


def as_rows(table: "Table") -> dict[str, dict[str, dict[str, float]]]:
    """Return a table as JSON has it, figures rounded to six places."""
    return {
        stage: {
            measure: {"mean": round(cell.mean, 6), "low": round(cell.low, 6), "high": round(cell.high, 6)}
            for measure, cell in row.items()
        }
        for stage, row in table.items()
    }


def _table(table: "Table", title: str, form: str, mark: str) -> Any:
    from rich.table import Table as RichTable

    shown = RichTable(title=plain(title), title_justify="left")
    shown.add_column("stage")
    for measure in next(iter(table.values())):
        shown.add_column(measure, justify="right", no_wrap=True)
    for stage, row in table.items():
        shown.add_row(stage, *(_cell(found, form, mark if found.is_beyond_noise else "") for found in row.values()))
    return shown


def _cell(found: "Estimate", form: str, mark: str) -> str:
    return f"{form.format(found.mean)}{mark}\n{form.format(found.low)} {form.format(found.high)}"
