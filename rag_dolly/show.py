"""What the terminal shows: results on stdout, progress and messages on stderr, JSON when asked for.

Document and model text is stripped of control characters, so that no document can write to the terminal.
"""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ingest.report import OnProgress, Progress, Report
from rag_dolly.inert import visible

if TYPE_CHECKING:
    from ingest.records import DocumentRow
    from rag_dolly.chain import RagChain
    from rag_dolly.types import Hit

_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e01ef]")
SKIPPED_LINES, SKIPPED_REASONS = 20, 6
JSON_KEYS = (
    "question",
    "answer",
    "short_answer",
    "abstained",
    "mode",
    "citations",
    "retrieved",
    "left_out",
    "left_out_hits",
    "model",
    "usage",
    "timings",
)


def plain(text: str) -> str:
    """Return the text without control characters, bidirectional controls and characters that nobody sees."""
    return visible(text)


def note(line: str) -> None:
    """Print a message for the person at the terminal."""
    typer.echo(plain(line), err=True)


def print_json(value: Any) -> None:
    """Print one JSON object on stdout, on one line; what could steer a terminal is escaped."""
    typer.echo(_IN_JSON.sub(_escaped, json.dumps(value, ensure_ascii=False)))


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


@contextmanager
def ingesting() -> Iterator[OnProgress]:
    """Show the progress of an ingestion on stderr: a bar on a terminal, a line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        last = time.monotonic()

        def on_progress(event: Progress) -> None:
            nonlocal last
            line = f"{event.done}/{event.total} files, {event.passages} passages"
            bar.update(task, completed=event.done, total=event.total, description=f"{event.passages} passages")
            if event.stage == "failed" and console.is_terminal:  # elsewhere the report at the end says it once
                console.print(f"could not read {plain(event.source)}", markup=False, highlight=False)
            if not console.is_terminal and time.monotonic() - last > 5:
                last = time.monotonic()
                note(line)

        yield on_progress


def report(result: Report, index: Path, as_json: bool) -> None:
    """Show the report of an ingestion."""
    if as_json:
        print_json(result.to_json())
        return
    for source, reason in result.failed:
        note(_one_line(f"failed   {source}: {reason}"))
    for source, warning in result.partial:
        note(_one_line(f"in part  {source}: {warning}"))
    for source, reason in result.skipped[:SKIPPED_LINES]:
        note(_one_line(f"skipped  {source}: {reason}"))
    if more := [reason for _, reason in result.skipped[SKIPPED_LINES:]]:
        note(f"skipped  {len(more)} more: {_counts(more)}; `rag-dolly ls` lists them all")
    typer.echo(
        f"{result.added} added, {result.updated} updated, {result.deleted} deleted, {result.unchanged} unchanged, "
        f"{len(result.failed)} failed, {len(result.skipped)} skipped: {result.passages} passages in {index} "
        f"({result.seconds:.1f} s)"
    )


def _one_line(text: str) -> str:
    """Return the text without line ends: a file's name may hold some, and must not write lines of its own."""
    return " ".join(text.splitlines())


def _counts(reasons: Sequence[str]) -> str:
    """Return how often each reason is given, most frequent first; only for kinds of files is the detail kept."""
    short = [reason if reason.startswith("unsupported kind") else reason.partition(":")[0] for reason in reasons]
    counts = Counter(short).most_common()
    others = sum(count for _, count in counts[SKIPPED_REASONS:])
    shown = [f"{count} {reason.replace(': ', ' ')}" for reason, count in counts[:SKIPPED_REASONS]]
    return ", ".join([*shown, f"{others} for other reasons"] if others else shown)


def changes(reports: Iterator[Report], index: Path, as_json: bool) -> None:
    """Show what each change of a watched folder did to the index."""
    note("watching; stop with Ctrl-C")
    for result in reports:
        if result.added or result.updated or result.deleted or as_json:
            result.skipped, result.partial = [], []
            report(result, index, as_json)


def forgotten(sources: Sequence[str], left: Sequence[Path], said: int, answers: int, conversations: int) -> None:
    """Show what was removed, which files would come back, and how much of what quoted the documents went too."""
    for path in left:
        note(f"still there: {path}; the next ingest brings it back unless you delete it or name it in .ragignore")
    counts = {"records of feedback": said, "answers of evaluations": answers, "conversations": conversations}
    if gone := ", ".join(f"{count} {name}" for name, count in counts.items() if count):
        note(f"gone too: {gone}")
    typer.echo(f"{len(sources)} forgotten")


def exported(facts: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Show what was exported, and on stderr what was not."""
    if as_json:
        print_json(facts)
        return
    typer.echo(lines[0])
    for line in lines[1:]:
        note(line)


def hits(found: "Sequence[Hit]", as_json: bool) -> None:
    """Show search results."""
    from rag_dolly.types import hit_json

    if as_json:
        print_json({"hits": [hit_json(hit) for hit in found]})
        return
    for hit in found:
        stages = (("dense", hit.dense), ("keyword", hit.keyword), ("rerank", hit.rerank))
        said = ", ".join(f"{k} {v:.3f}" for k, v in stages if v is not None)
        typer.echo(f"{hit.rank:>3}  {hit.score:.3f}  {place(hit.source, hit.page, hit.place)}  ({said})")
        typer.echo(f"     {_one_line(plain(' > '.join(hit.heading)))}")
        typer.echo(f"     {shorten(hit.text, 240)}")
        if hit.also:
            typer.echo(f"     also in: {shorten('; '.join(hit.also), 240)}")
        typer.echo("")


def place(source: str, page: int | None, words: str = "") -> str:
    """Return "source, page n" or where else in the source it is, the source alone where nothing more is known."""
    return _one_line(plain(source) + (plain(f", {words}") if words else f", page {page}" if page else ""))


def shorten(text: str, limit: int) -> str:
    """Return the text on one line, cut at a word before `limit` characters."""
    line = plain(" ".join(text.split()))
    return line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0] + " ..."


def answer(pieces: Iterator[dict[str, Any]], as_json: bool) -> dict[str, Any]:
    """Print an answer as it comes, then its sources; return the whole answer."""
    from langchain_core.runnables.utils import AddableDict

    whole = AddableDict()
    for piece in pieces:
        whole = whole + AddableDict(piece)
        if not as_json and piece.get("answer"):
            typer.echo(plain(piece["answer"]), nl=False)
            sys.stdout.flush()
    if as_json:
        print_json(answer_json(whole))
        return whole
    typer.echo("")
    if whole["short_answer"]:
        typer.echo(f"\nIn short: {plain(whole['short_answer']['text'])} [{whole['short_answer']['n']}]")
    _sources(whole)
    return whole


def answer_json(whole: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as the JSON contract has it; with the trace, if it was asked for."""
    keys = (*JSON_KEYS, "trace") if "trace" in whole else JSON_KEYS
    return {key: whole[key] for key in keys}


def _sources(whole: dict[str, Any]) -> None:
    if whole["mode"] == "quoted":
        note("(quoted from the documents)")
    if whole["citations"]:
        typer.echo("\nSources")
    for cited in whole["citations"]:
        where = place(cited["source"], cited["page"], cited["place"])
        typer.echo(f"  [{cited['n']}] {where}, characters {cited['start']}-{cited['end']}")
        if whole["mode"] == "generated":
            typer.echo(f"      “{shorten(cited['text'], 300)}”")
        if others := _also(whole["retrieved"], cited):
            typer.echo(f"      also in: {shorten('; '.join(others), 240)}")
    if whole["abstained"] and whole["retrieved"]:
        nearest = dict.fromkeys(place(hit["source"], hit["page"], hit["place"]) for hit in whole["retrieved"][:3])
        typer.echo(f"Nearest passages: {'; '.join(nearest)}")
    if whole["left_out_hits"]:
        left = (place(hit["source"], hit["page"], hit["place"]) for hit in whole["left_out_hits"])
        note(f"found, but did not fit the model's window: {shorten('; '.join(left), 240)}")
    times = whole["timings"]
    used = len(whole["retrieved"]) - whole["left_out"]
    note(
        f"{used} of {len(whole['retrieved'])} passages read, {whole['usage']['prompt_tokens']} tokens; "
        f"retrieval {times['retrieve']:.2f} s, first words {times['first_token']:.2f} s, total {times['total']:.2f} s"
    )


def _also(retrieved: Sequence[dict[str, Any]], cited: dict[str, Any]) -> list[str]:
    """Return where else the passage stands that a citation is from."""
    around = (
        hit
        for hit in retrieved
        if hit["source"] == cited["source"] and hit["start"] <= cited["start"] and cited["end"] <= hit["end"]
    )
    return next((hit["also"] for hit in around), [])


def chat(chain: "RagChain") -> None:
    """Ask, answer, follow up."""
    history: list[tuple[str, str]] = []
    while question := _prompt():
        whole = answer(chain.stream({"question": question, "chat_history": history}), False)
        history.append((question, re.sub(r" ?\[\d+\]", "", whole["answer"])))


def _prompt() -> str:
    try:
        return input("\n> ").strip() if sys.stdin.isatty() else sys.stdin.readline().strip()
    except EOFError:
        return ""


def status(facts: dict[str, Any], as_json: bool) -> None:
    """Show what the index holds."""
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if not isinstance(value, list):
            typer.echo(f"{key:<11}{plain(str(value))}")
    for entry in facts["failures"]:
        typer.echo(_one_line(plain(f"failed   {entry['source']}: {entry['error']}")))
    for entry in facts["partial"]:
        typer.echo(_one_line(plain(f"in part  {entry['source']}: {entry['warning']}")))


def documents(rows: "Sequence[DocumentRow]", as_json: bool) -> None:
    """Show every file the index knows of."""
    keys = ("source", "kind", "title", "passages", "bytes", "state", "reason")
    if as_json:
        print_json({"documents": [{key: getattr(row, key) for key in keys} for row in rows]})
        return
    for row in rows:
        reason = f": {row.reason}" if row.reason else ""
        typer.echo(_one_line(f"{row.state:<8} {row.passages:>6}  {plain(row.source)}{plain(reason)}"))


def findings(found: dict[str, Any], as_json: bool) -> None:
    """Show what `doctor` found."""
    if as_json:
        print_json(found)
        return
    for section, content in found.items():
        typer.echo(f"{section}")
        lines = content.items() if isinstance(content, dict) else enumerate(content, 1)
        for key, value in lines:
            typer.echo(f"  {key}: {plain(str(value))}")
    if not found["problems"]:
        typer.echo("  none")
