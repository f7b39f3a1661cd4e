"""What is done to the index in the background: adding, reading again, forgetting. One at a time in a process.

A `Run` is the object that pages look at while a thread works on it. It can be stopped between two files; what was
stored until then stays, and the next run does the rest. A run goes on when the page that began it is closed.
No Streamlit here.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ingest.errors import RagDollyError
from ingest.report import OnProgress, Progress, Report
from rag_dolly.app.engine import Engine

Phase = Literal["waiting", "looking", "reading", "finishing", "forgetting", "ended"]
Work = Callable[[OnProgress], Report]

RECENT = 6
_POLL_SECONDS = 0.2
_log = logging.getLogger(__name__)


class Stopped(Exception):
    """Somebody asked for the end of a run."""


@dataclass(eq=False)
class Run:
    """One piece of work, named in words by `what`.

    `phase`: "waiting" for another run, "looking" for files, "reading", "finishing" (the search structures),
    "forgetting", "ended". `done` of `total` files have come to their end; `recent` holds the last (source, stage)
    events. At the end: `report` of an ingestion, `outcome` in one line, or `error` in one line and `problem`, which
    was raised.
    """

    what: str
    phase: Phase = "waiting"
    done: int = 0
    total: int = 0
    stored: int = 0
    unread: int = 0
    recent: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=RECENT))
    report: Report | None = None
    outcome: str = ""
    error: str = ""
    problem: Exception | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    work: Callable[[], None] | None = None

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end, good or bad."""
        return self.phase == "ended"

    @property
    def stopped(self) -> bool:
        """Whether it ended because somebody asked for it."""
        return self.finished and self.stopping.is_set() and self.report is None and not self.error

    def follow(self, event: Progress) -> None:
        """Take notice of an event. Raises `Stopped` if the run is to end."""
        if self.stopping.is_set():
            raise Stopped
        self.done, self.total = event.done, event.total
        self.phase = "finishing" if event.total and event.done == event.total else "reading"
        if event.stage != "found":
            self.stored += event.stage == "stored"
            self.unread += event.stage == "failed"
            self.recent.appendleft((event.source, event.stage))

    def conclude(self, report: Report) -> None:
        """Take notice of the report of an ingestion."""
        self.report = report
        self.outcome = summary(report)


def summary(report: Report) -> str:
    """Return what an ingestion did, in one line."""
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "removed": report.deleted,
        "could not be read": len(report.failed),
    }
    said = [f"{number:,} {word}" for word, number in counts.items() if number]
    return f"{', '.join(said).capitalize()}." if said else "Nothing to do: no file was found."


def begin(engine: Engine, run: Run, work: Work) -> Run:
    """Carry out an ingestion in the background, after those that began before it."""

    def ingest() -> None:
        run.phase = "looking"
        run.conclude(work(run.follow))

    return _start(engine, run, ingest)


def forget(engine: Engine, sources: Sequence[str]) -> Run:
    """Take documents out of the index for good, in the background."""
    run = Run(f"Forgetting {named(sources)}", total=len(sources))

    def work() -> None:
        run.phase = "forgetting"
        run.outcome = _forgotten(sources, engine.backend.forget(sources))

    return _start(engine, run, work)


def named(sources: Sequence[str]) -> str:
    """Return what sources are called in a sentence: the only one by its name, several by their number."""
    return sources[0] if len(sources) == 1 else f"{len(sources):,} documents"


def _forgotten(sources: Sequence[str], left: Sequence[Path]) -> str:
    what = named(sources)
    if not left:
        return f"Forgotten: {what}."
    file = "Its file is" if len(left) == 1 else f"{len(left):,} files are"
    again = "read again with the folder: move or delete it, or list it in a .ragignore."
    return f"Forgotten: {what}. {file} still on the disk, and {again}"


def again(engine: Engine, run: Run) -> None:
    """Carry out once more what ended with an error."""
    if run.finished and run.work is not None:
        run.error, run.problem, run.phase = "", None, "waiting"
        _start(engine, run, run.work)


def _start(engine: Engine, run: Run, work: Callable[[], None]) -> Run:
    run.work = work
    threading.Thread(target=_carry_out, args=(engine, run, work), name="rag-dolly-ingest", daemon=True).start()
    return run


def _carry_out(engine: Engine, run: Run, work: Callable[[], None]) -> None:
    try:
        with _turn(engine, run):
            work()
    except Stopped:
        run.outcome = (
            f"Stopped: {run.done:,} of {run.total:,} files were done. They stay; update to go on with the rest."
        )
    except RagDollyError as error:
        run.error, run.problem = str(error), error
    except Exception as error:
        _log.exception("work on the index failed")
        run.error = f"This could not be done ({type(error).__name__}). The terminal shows why."
    finally:
        engine.restart()
        run.phase = "ended"


@contextmanager
def _turn(engine: Engine, run: Run) -> Iterator[None]:
    """Hold the engine's lock for a run, and show it as the engine's. Raises `Stopped` if it ends while it waits."""
    while not engine.ingesting.acquire(timeout=_POLL_SECONDS):
        if run.stopping.is_set():
            raise Stopped
    engine.run = run
    try:
        yield
    finally:
        engine.run = None
        engine.ingesting.release()
