"""What one visitor's session remembers: its questions, and which source is open.

All of it lives in `st.session_state`, so a reload forgets it. When the session's connection ends, its unfinished
jobs are withdrawn after a grace time, unless a page looks at them again (a reload, a lost connection).
"""

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from rag_dolly.app.engine import Engine
from rag_dolly.app.jobs import Job, stop_unseen
from rag_dolly.types import Turn

GRACE_SECONDS = 20.0
HISTORY_TURNS = 4
Kind = Literal["cite", "found"]
_OPENED = re.compile(r"(\d{1,4})-(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Opened:
    """The source that is open: citation (or found passage) `number` of question `turn` (counted from 0)."""

    turn: int
    kind: Kind
    number: int

    @property
    def key(self) -> str:
        """Return a name for the panel that shows it."""
        return f"source-{self.turn}-{self.kind}-{self.number}"


def jobs() -> list[Job]:
    """Return this session's questions, oldest first."""
    found: list[Job] = st.session_state.setdefault("jobs", [])
    return found


def attach(engine: Engine) -> None:
    """Tie this session's jobs to its connection: when it ends, they end too, after `GRACE_SECONDS`."""
    _lease(engine, jobs())


def _release(lease: tuple[Engine, list[Job]]) -> None:
    engine, owned = lease
    timer = threading.Timer(GRACE_SECONDS, stop_unseen, (owned, engine.queue, time.monotonic()))
    timer.daemon = True
    timer.start()


@st.cache_resource(scope="session", on_release=_release, show_spinner=False)
def _lease(_engine: Engine, _jobs: list[Job]) -> tuple[Engine, list[Job]]:
    return _engine, _jobs


def ask(engine: Engine, question: str, filter: str = "") -> None:
    """Put a question in line, with the session's last exchanges as its history; `filter` says which documents."""
    question = question.strip()
    mine = jobs()
    if not question or (mine and not mine[-1].finished):
        return
    job = Job(question, history(mine), filter=filter)
    mine.append(job)
    close()
    engine.queue.submit(job)


def history(earlier: Sequence[Job]) -> list[Turn]:
    """Return the exchanges a follow-up may refer to: answered ones, the last `HISTORY_TURNS`."""
    answered = [job for job in earlier if job.finished and not job.error and not job.result.get("abstained")]
    turns = [(job.question, str(job.result.get("answer", "")).strip()) for job in answered]
    return [turn for turn in turns if turn[1]][-HISTORY_TURNS:]


def forget() -> None:
    """Start a new conversation, unless an answer is still being written."""
    if all(job.finished for job in jobs()):
        jobs().clear()
        close()


def opened() -> Opened | None:
    """Return the source that is open, if it exists."""
    found: Opened | None = st.session_state.get("opened")
    return found if found is not None and found.turn < len(jobs()) else None


def open_source(turn: int, kind: Kind, number: int) -> None:
    """Show a source beside the answer."""
    st.session_state["opened"] = Opened(turn, kind, number)


def open_link(value: str) -> None:
    """Open the citation that a link names ("turn-number"); anything else is ignored."""
    match = _OPENED.fullmatch(value)
    if match is None or int(match[1]) >= len(jobs()):
        return
    numbers = {citation["n"] for citation in jobs()[int(match[1])].result.get("citations", [])}
    if int(match[2]) in numbers:
        open_source(int(match[1]), "cite", int(match[2]))


def close() -> None:
    """Close the open source."""
    st.session_state["opened"] = None
