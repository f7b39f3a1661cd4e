"""Answers are made in background threads, a few at a time; page and HTTP API only look at the `Job`.

A click anywhere ends a running Streamlit script, so nothing that takes time may run inside one. A job belongs
to the session that submitted it and is ended with `JobQueue.withdraw`; what it has written until then is kept.
Nothing here touches Streamlit. Limits: a model that is inside one long step notices the stop after that step;
jobs live in memory and end with the process.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ingest.errors import RagDollyError
from rag_dolly.types import Turn

State = Literal["queued", "loading", "running", "done", "stopped", "failed"]
Stop = Callable[[], bool]
Stream = Callable[[Mapping[str, Any], Stop], Iterator[Mapping[str, Any]]]

TOGETHER = 8
"""Questions answered at a time: the language model serves them together where it can, else in turn."""
CAPACITY = 20
_log = logging.getLogger(__name__)


class LineFull(RagDollyError):
    """So many questions are waiting that no other is taken."""


@dataclass(eq=False)
class Job:
    """One question and what has come of it so far.

    `result` is the sum of the pieces received (see `add`), `error` one line when `state` is "failed",
    `seen` the monotonic time at which a page last looked, `filter` the documents asked, "" for all. `failure` is the
    failure that `error` is the line of, None where it is not one that the user can act on; `plain` whether the model
    alone is asked, without documents. `news` is set when something has changed since a page last waited.
    """

    question: str
    history: Sequence[Turn] = ()
    state: State = "queued"
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    seen: float = field(default_factory=time.monotonic)
    cancelled: threading.Event = field(default_factory=threading.Event)
    filter: str = ""
    failure: RagDollyError | None = None
    plain: bool = False
    news: threading.Event = field(default_factory=threading.Event)

    @property
    def asked(self) -> dict[str, Any]:
        """Return what the chain is asked."""
        asked = {"question": self.question, "chat_history": list(self.history)}
        return asked | ({"plain": True} if self.plain else {"filter": self.filter, "explain": True})

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "stopped", "failed")

    def touch(self) -> None:
        """Note that a page is still looking at this job."""
        self.seen = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Return as soon as there is something new to show, at the latest after so many seconds."""
        self.news.wait(seconds)
        self.news.clear()

    def changed(self) -> None:
        """Called after each piece and each change of state, in the thread that made it."""
        self.news.set()


def add(result: Mapping[str, Any], piece: Mapping[str, Any]) -> dict[str, Any]:
    """Return `result` with `piece` added: text and lists grow, anything else is set."""
    total = dict(result)
    for name, value in piece.items():
        grows = isinstance(value, str | list) and name in total
        total[name] = total[name] + value if grows else value
    return total


class JobQueue:
    """Runs jobs first come, first served, `together` of them at a time, in threads that start when they are needed.

    `stream` gives the pieces of an answer; `wait_ready` blocks until questions can be answered, returns early
    when its argument turns true, and raises what stands in the way.
    """

    def __init__(
        self, stream: Stream, wait_ready: Callable[[Stop], None], capacity: int = CAPACITY, together: int = 1
    ) -> None:
        self._stream = stream
        self._wait_ready = wait_ready
        self._capacity = capacity
        self._waiting: deque[Job] = deque()
        self._together = together
        self._running = 0
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def submit(self, job: Job) -> None:
        """Put a job in line; when the line is full the job fails at once and says so."""
        with self._changed:
            if len(self._waiting) >= self._capacity:
                failure = LineFull(f"{self._capacity} questions are waiting already. Ask again in a while.")
                _fail(job, str(failure), failure)
                return
            self._waiting.append(job)
            if len(self._threads) < min(self._together, self._running + len(self._waiting)):
                self._threads.append(threading.Thread(target=self._work, name="rag-dolly-answers", daemon=True))
                self._threads[-1].start()
            self._changed.notify()

    def ahead(self, job: Job) -> int:
        """Return how many unfinished jobs will be served before this one."""
        with self._changed:
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + max(0, self._running - self._together + 1)

    @property
    def length(self) -> tuple[int, int]:
        """How many jobs wait, and how many are being answered."""
        with self._changed:
            return len(self._waiting), self._running

    def withdraw(self, job: Job) -> None:
        """Stop a job: one still in line leaves it at once, a running one ends after its current step."""
        job.cancelled.set()
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)
                job.state = "stopped"
        job.changed()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                job = self._waiting.popleft()
                self._running += 1
            try:
                self._run(job)
            finally:
                with self._changed:
                    self._running -= 1

    def _run(self, job: Job) -> None:
        try:
            job.state = "loading"
            if not job.plain:
                self._wait_ready(job.cancelled.is_set)
            if not job.cancelled.is_set():
                job.state = "running"
                self._collect(job)
            job.state = "stopped" if job.cancelled.is_set() else "done"
            job.changed()
        except RagDollyError as error:
            _fail(job, str(error), error)
        except Exception as error:
            _log.exception("answering failed")
            _fail(job, f"The answer could not be made ({type(error).__name__}). The terminal shows why.")

    def _collect(self, job: Job) -> None:
        """Add up the pieces until the end or the stop; the iterator is closed either way."""
        pieces = self._stream(job.asked, job.cancelled.is_set)
        try:
            for piece in pieces:
                job.result = add(job.result, piece)
                job.changed()
                if job.cancelled.is_set():
                    return
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()


def _fail(job: Job, line: str, failure: RagDollyError | None = None) -> None:
    job.error, job.failure = line, failure
    job.state = "failed"
    job.changed()


def stop_unseen(jobs: Sequence[Job], queue: JobQueue, since: float) -> None:
    """Withdraw the unfinished jobs that no page has looked at after `since` (monotonic seconds)."""
    for job in jobs:
        if not job.finished and job.seen <= since:
            queue.withdraw(job)
