"""What one visitor's session remembers: its questions, which source is open, whether documents are asked.

All of it lives in `st.session_state`, so a reload forgets it; what is kept on disk is in `kept.py`. When the session's
connection ends, its unfinished jobs are withdrawn after a grace time, unless a page looks at them again (a reload, a
lost connection).
"""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from rag_dolly.app.ask import kept
from rag_dolly.app.ask.kept import KeptJob, job_of
from rag_dolly.app.engine import Engine
from rag_dolly.conversations import Conversation
from rag_dolly.jobs import Job, stop_unseen
from rag_dolly.types import Turn

GRACE_SECONDS = 20.0
HISTORY_TURNS = 4
Kind = Literal["cite", "found", "link"]
_OPENED = re.compile(r"(\d{1,4})-(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Opened:
    """The source that is open: citation (or found passage) `number` of question `turn` (counted from 0).

    Of the kind "link" it is a passage that belongs to no question: `turn` is -1, `place` has it.
    """

    turn: int
    kind: Kind
    number: int

    @property
    def key(self) -> str:
        """Return a name for the panel that shows it."""
        return f"source-{max(self.turn, 0)}-{self.kind}-{self.number}"


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
    """Put a question in line, with the session's last exchanges as its history; `filter` says which documents.

    While documents are switched off, the model alone is asked.
    """
    question = question.strip()
    mine = jobs()
    if not question or busy():
        return
    keeper = kept.keeper(engine)
    earlier, plain = tuple(mine), is_plain()
    filter = "" if plain else filter
    job = KeptJob(question, history(earlier, plain), filter=filter, plain=plain, keeper=keeper, earlier=earlier)
    mine.append(job)
    close()
    if keeper is not None:
        keeper.save(mine)
    engine.queue.submit(job)


def ask_again(engine: Engine, turn: int, question: str, filter: str = "") -> None:
    """Ask question `turn` again, perhaps in other words: it and those after it give way to the new one."""
    if question.strip() and not busy() and 0 <= turn < len(jobs()):
        edit(None)
        del jobs()[turn:]
        ask(engine, question, filter)


def busy() -> bool:
    """Whether an answer is still being written."""
    return bool(jobs()) and not jobs()[-1].finished


def edit(turn: int | None) -> None:
    """Show the question `turn` to be changed, None for none."""
    st.session_state["edited"] = turn


def edited() -> int | None:
    """Return which question is being changed."""
    found: int | None = st.session_state.get("edited")
    return found


def is_plain() -> bool:
    """Whether the model alone is asked, without documents."""
    return bool(st.session_state.get("plain"))


def set_plain(plain: bool) -> None:
    """Switch documents off or on."""
    st.session_state["plain"] = plain


def history(earlier: Sequence[Job], plain: bool = False) -> list[Turn]:
    """Return the exchanges a follow-up may refer to: answered ones, the last `HISTORY_TURNS`.

    Answers of the model alone are among them only if it is asked alone again.
    """
    told = [job for job in earlier if plain or not job.plain]
    answered = [job for job in told if job.finished and not job.error and not job.result.get("abstained")]
    turns = [(job.question, str(job.result.get("answer", "")).strip()) for job in answered]
    return [turn for turn in turns if turn[1]][-HISTORY_TURNS:]


def forget() -> None:
    """Start a new conversation, unless an answer is still being written. What is kept on disk stays there."""
    if not busy():
        jobs().clear()
        kept.let_go()
        edit(None)
        close()


def resume(engine: Engine, conversation: Conversation) -> None:
    """Go on with a conversation from disk, unless an answer is still being written."""
    if not busy():
        forget()
        jobs().extend(job_of(turn) for turn in conversation.turns)
        st.session_state["keeper"] = kept.Keeper(engine.backend.index_dir, conversation)


def opened() -> Opened | None:
    """Return the source that is open, if it exists."""
    found: Opened | None = st.session_state.get("opened")
    return found if found is not None and found.turn < len(jobs()) else None


def open_source(turn: int, kind: Kind, number: int) -> None:
    """Show a source beside the answer."""
    st.session_state["opened"] = Opened(turn, kind, number)


def open_place(entry: Mapping[str, Any]) -> None:
    """Show a passage that belongs to no question: source, page, start, end, text and place."""
    st.session_state["place"] = dict(entry)
    st.session_state["opened"] = Opened(-1, "link", int(entry["start"]))


def place() -> Mapping[str, Any] | None:
    """Return the passage that was opened so."""
    found: Mapping[str, Any] | None = st.session_state.get("place")
    return found


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
