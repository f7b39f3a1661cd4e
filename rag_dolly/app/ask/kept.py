"""The session's conversation on disk, where the user turned that on: saved as it goes on, opened again later.

Conversations are one machine's, not one visitor's: whoever can open the page can read them. So they are kept and shown
only while the page is for this machine alone. What is saved is saved by the thread that answers, so a tab that is
closed loses nothing.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from rag_dolly import conversations
from rag_dolly.app.engine import Engine
from rag_dolly.app.privacy import is_alone
from rag_dolly.conversations import Conversation, Turn
from rag_dolly.errors import RagDollyError
from rag_dolly.jobs import Job, State

_ENDED: dict[str, State] = {"done": "done", "failed": "failed"}


@dataclass(eq=False)
class Keeper:
    """Saves one conversation; `problem` is a line on why it could not be, or ""."""

    index_dir: Path
    conversation: Conversation = field(default_factory=Conversation)
    problem: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def save(self, jobs: Sequence[Job]) -> None:
        """Save these questions as the whole conversation."""
        with self.lock:
            self.conversation.turns = [turn_of(job) for job in jobs]
            try:
                conversations.save(self.index_dir, self.conversation)
                self.problem = ""
            except RagDollyError as error:
                self.problem = str(error)


@dataclass(eq=False)
class KeptJob(Job):
    """A job whose conversation is saved when it has ended; `earlier` are the questions before it."""

    keeper: Keeper | None = None
    earlier: Sequence[Job] = ()

    def changed(self) -> None:
        """Save the conversation once nothing more will come."""
        if self.keeper is not None and self.finished:
            self.keeper.save([*self.earlier, self])
        super().changed()


def is_on(engine: Engine) -> bool:
    """Whether conversations are kept and shown: turned on, and the page is for this machine alone."""
    return engine.backend.keeps_conversations and is_alone(engine)


def said(engine: Engine) -> str:
    """Return what becomes of conversations in a few words, "" if they are forgotten as ever."""
    if not engine.backend.keeps_conversations:
        return ""
    return "Conversations are kept" if is_on(engine) else "Conversations are not kept: others can open this page"


def keeper(engine: Engine) -> Keeper | None:
    """Return what saves this session's conversation, None if nothing is kept."""
    if not is_on(engine):
        return None
    found: Keeper | None = st.session_state.get("keeper")
    if found is None:
        found = st.session_state["keeper"] = Keeper(engine.backend.index_dir)
    return found


def current() -> Keeper | None:
    """Return the keeper of the conversation that is open, None if it has not been saved."""
    found: Keeper | None = st.session_state.get("keeper")
    return found if found is not None and found.conversation.revision else None


def let_go() -> None:
    """Go on without the conversation; what is on disk stays there."""
    st.session_state.pop("keeper", None)


def turn_of(job: Job) -> Turn:
    """Return a job as it is kept."""
    told: dict[str, Any] = {"state": job.state, "error": job.error, "filter": job.filter, "plain": job.plain}
    return conversations.turn(job.question, job.result, **told)


def job_of(turn: Turn) -> Job:
    """Return a kept exchange as the job it was; one that had not ended counts as stopped."""
    state = _ENDED.get(turn["state"], "stopped")
    told: dict[str, Any] = {"error": turn["error"], "filter": turn["filter"], "plain": turn["plain"]}
    return Job(turn["question"], state=state, result=dict(turn["result"]), **told)
