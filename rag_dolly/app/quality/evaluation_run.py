"""An evaluation in the background: of answers, or of what is found (`retrieval_run.py`).

One runs at a time in a process; it can be stopped, and what was answered until then is judged. Questions go through the
page's own queue, one at a time, and wait in line like everybody else's, so that people who ask meanwhile are served.
No Streamlit here.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rag_dolly import evaluations
from rag_dolly.answer_questions import Answer
from rag_dolly.app.engine import Engine
from rag_dolly.errors import RagDollyError
from rag_dolly.evaluate_answers import names_in
from rag_dolly.jobs import Job, LineFull
from rag_dolly.show import JSON_KEYS

State = Literal["running", "judging", "done", "stopped", "failed"]
POLL_SECONDS = 0.05
FULL_SECONDS = 2.0
"""How long to wait when the line is full."""

_lock = threading.Lock()
_current: "Run | None" = None
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Run:
    """One evaluation: `data` is the name of its questions, `error` one line if `state` is "failed".

    `work` does it, and sets `name`, under which the result is kept, "" while there is none.
    """

    engine: Engine
    data: str
    questions: Sequence[Any]
    work: "Callable[[Run], None]"
    done: int = 0
    state: State = "running"
    name: str = ""
    error: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "stopped", "failed")


def current(engine: Engine) -> Run | None:
    """Return the evaluation of this engine that runs, or ran last."""
    return _current if _current is not None and _current.engine is engine else None


def start(engine: Engine, data: str, questions: Sequence[Any], work: Callable[[Run], None] | None = None) -> Run:
    """Begin to evaluate, without `work` the answers to these `Question`s. Raises `RagDollyError` while another runs."""
    global _current
    with _lock:
        if _current is not None and not _current.finished:
            raise RagDollyError("Another evaluation is running: wait for it, or stop it.")
        _current = run = Run(engine, data, questions, work or answers)
    threading.Thread(target=_carry_out, args=(run,), name="rag-dolly-evaluation", daemon=True).start()
    return run


def dismiss(run: Run) -> None:
    """Forget a finished run, so that it is shown no more; what it kept stays."""
    global _current
    with _lock:
        if _current is run and run.finished:
            _current = None


def _carry_out(run: Run) -> None:
    try:
        run.work(run)
    except RagDollyError as error:
        run.error = str(error)
    except Exception as error:
        _log.exception("an evaluation failed")
        run.error = f"The evaluation failed ({type(error).__name__}). The terminal shows why."
    run.state = "failed" if run.error else "stopped" if run.stopping.is_set() else "done"


def answers(run: Run) -> None:
    """Ask each question, then judge and keep what was answered, also where something stood in the way of the rest."""
    given: list[Answer] = []
    try:
        _ask_all(run, given)
    finally:
        if given:
            run.state = "judging"
            run.name = _keep(run, given)


def _ask_all(run: Run, given: list[Answer]) -> None:
    """Ask each question and add its answer, until the stop."""
    for question in run.questions:
        result = _ask(run, question.question)
        if result is None:
            return
        given.append({"id": question.id, **{key: result[key] for key in JSON_KEYS if key in result}})
        run.done += 1


def _ask(run: Run, question: str) -> dict[str, Any] | None:
    """Return the answer of the page's queue, None when stopped. Raises `RagDollyError` if it cannot be made."""
    while not run.stopping.is_set():
        job = Job(question)
        run.engine.queue.submit(job)
        while not job.finished:
            job.touch()
            if run.stopping.wait(POLL_SECONDS):
                run.engine.queue.withdraw(job)
                return None
        if job.state == "failed" and not isinstance(job.failure, LineFull):
            raise RagDollyError(job.error)
        if job.state == "done":
            return job.result
        time.sleep(FULL_SECONDS)
    return None


def _keep(run: Run, given: Sequence[Answer]) -> str:
    index = run.engine.index
    rows = [row.source for row in index.documents() if row.state == "indexed"] if index else []
    facts = {
        "data": run.data,
        "model": ", ".join(sorted({str(answer["model"]) for answer in given})),
        "documents": len(rows),
        "asked": len(given),
        "total": len(run.questions),
    }
    asked = run.questions[: len(given)]
    return evaluations.save(run.engine.backend.index_dir, asked, given, names_in(rows), facts).name
