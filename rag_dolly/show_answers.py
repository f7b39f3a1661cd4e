"""What the terminal shows of an evaluation of answers: a table on stdout, or JSON when asked for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rag_dolly.evaluate_answers import LATENCY, MEASURES, REFUSAL_SCORE, AnswerEvaluation, Figure
from rag_dolly.show import note, plain, print_json

WIDTH = 110
"""Columns of the table where the terminal does not say how many it has."""


def answers(found: AnswerEvaluation, facts: Mapping[str, Any], as_json: bool) -> None:
    """Show an evaluation; `facts` say what was evaluated and stand first."""
    if as_json:
        print_json({**facts, **as_row(found)})
        return
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    console.print(_table(found, plain(str(facts["data"]))))
    for score, areas in found.areas.items():
        said = ", ".join(f"{name} {area.mean:.3f} ({area.low:.3f} {area.high:.3f})" for name, area in areas.items())
        if said:
            drawn = " (drawn)" if score == REFUSAL_SCORE else ""
            console.print(
                f"area of {score}{drawn}, answerable against {said}".replace("_", " "), highlight=False, soft_wrap=True
            )
    lost = sum(judged.question.answerable and judged.kind == "out_of_corpus" for judged in found.judged)
    if lost:
        note(f"{lost} answerable questions name a document that the index lacks: they count as out of corpus")
    faults = Counter(fault for judged in found.judged for fault in judged.faults)
    note("; ".join(f"{count} {fault}" for fault, count in faults.most_common()) or "no faults")


def as_row(found: AnswerEvaluation) -> dict[str, Any]:
    """Return an evaluation as JSON has it, figures rounded to six places."""
    return {
        "questions": {kind: found.count(kind) for kind in ("answerable", "unanswerable", "out_of_corpus")},
        "measures": {
            row: {name: _rounded(asdict(cell)) for name, cell in part.items()} for row, part in found.figures.items()
        },
        "calibration": {
            "score": REFUSAL_SCORE,
            "areas": {
                score: {name: _rounded(asdict(area)) for name, area in areas.items()}
                for score, areas in found.areas.items()
            },
            "bins": [_rounded(asdict(part)) for part in found.bins],
        },
        "faults": dict(Counter(fault for judged in found.judged for fault in judged.faults)),
    }


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _rounded(value) if isinstance(value, dict) else round(value, 6) if isinstance(value, float) else value
        for key, value in row.items()
    }


def _table(found: AnswerEvaluation, data: str) -> Any:
    from rich.table import Table as RichTable

    kinds = (
        f"{found.count(kind)} {kind.replace('_', ' ')}" for kind in ("answerable", "unanswerable", "out_of_corpus")
    )
    shown = RichTable(title=f"{data}: {', '.join(kinds)}", title_justify="left")
    shown.add_column("measure", no_wrap=True)
    for row in found.figures:
        shown.add_column(row, justify="right", no_wrap=True)
    for measure in (*MEASURES, LATENCY):
        cells = [part.get(measure) for part in found.figures.values()]
        if any(cells):
            shown.add_row(measure, *map(_cell, cells))
    return shown


def _cell(figure: Figure | None) -> str:
    return f"{figure.mean:.3f}\n{figure.low:.3f} {figure.high:.3f}" if figure else ""
