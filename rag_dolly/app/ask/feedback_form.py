"""Thumbs under an answer, and the form for what the answer should have been.

What is said is stored at once (`rag_dolly.feedback`) and shown as it is stored, also where a kept conversation is
opened again; saying it again replaces it. A session sees only what was said of its own answers.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from ingest.errors import RagDollyError
from rag_dolly import feedback
from rag_dolly.app import markup
from rag_dolly.feedback import Feedback
from rag_dolly.jobs import Job

MAX_CORRECTION = 10_000
MAX_NAME = 60
CONSENT = "May be exported to train a model"
WRITER = "Your name, if you like"
_RATINGS: dict[int | None, feedback.Rating] = {1: "up", 0: "down", None: ""}


def draw(index_dir: Path, job: Job) -> None:
    """Draw thumbs and form under a finished answer, with what was said of it before."""
    said = _said(index_dir, job)
    with st.container(key=f"feedback-{said.key}", horizontal=True, vertical_alignment="center", gap="small"):
        _thumbs(index_dir, said)
        with st.popover(
            "Corrected" if said.correction else "Correct",
            icon=":material/check:" if said.correction else ":material/edit_note:",
            type="tertiary",
            key=f"correct-{said.key}-{st.session_state.get(f'saves-{said.key}', 0)}",  # another one is closed
        ):
            _form(index_dir, said)
        if said.says_something:
            st.html(markup.element("p", "rd-note", _state(said)))
    if problem := st.session_state.pop(f"unsaved-{said.key}", ""):
        st.error(markup.label(problem, 400), icon=":material/error:")


def _said(index_dir: Path, job: Job) -> Feedback:
    """Return what was said of an answer: in this session, else before it was opened again, else nothing yet."""
    fresh = feedback.about(job.question, job.result)
    held: dict[str, Feedback] = st.session_state.setdefault("feedback", {})
    if fresh.key not in held:
        try:
            held[fresh.key] = feedback.find(index_dir, fresh.key) or fresh
        except RagDollyError:
            held[fresh.key] = fresh
    return held[fresh.key]


def _state(said: Feedback) -> str:
    return "Saved, may be exported" if said.consent else "Saved on this machine"


def _thumbs(index_dir: Path, said: Feedback) -> None:
    key = f"thumbs-{said.key}"
    if key not in st.session_state:
        st.session_state[key] = {"up": 1, "down": 0}.get(said.rating)
    st.feedback("thumbs", key=key, on_change=_rated, args=(index_dir, said))


def _rated(index_dir: Path, said: Feedback) -> None:
    _save(index_dir, replace(said, rating=_RATINGS[st.session_state[f"thumbs-{said.key}"]]))


def _form(index_dir: Path, said: Feedback) -> None:
    with st.form(f"correction-{said.key}", border=False, enter_to_submit=False):
        st.text_area(
            "What should the answer have been?",
            said.correction,
            key=f"text-{said.key}",
            max_chars=MAX_CORRECTION,
            height=96,
            placeholder="As it should read, from these documents",
        )
        name_and_consent(said.key, said.writer, said.consent)
        st.form_submit_button("Save", type="primary", on_click=_corrected, args=(index_dir, said))


def name_and_consent(key: str, writer: str, consent: bool) -> None:
    """Draw the field for a name and the box for consent; their keys are "name-KEY" and "consent-KEY"."""
    st.text_input(WRITER, writer or remembered_name(), key=f"name-{key}", max_chars=MAX_NAME, autocomplete="off")
    st.checkbox(CONSENT, consent, key=f"consent-{key}")
    st.html(markup.element("p", "rd-note", "Kept on this machine, beside the index, and listed on the page Quality."))


def remembered_name() -> str:
    """Return the name that was given last in this session, "" if none was."""
    return str(st.session_state.get("writer", ""))


def remember_name(name: str) -> None:
    """Offer a name again in this session."""
    st.session_state["writer"] = name


def _corrected(index_dir: Path, said: Feedback) -> None:
    given = {name: st.session_state[f"{name}-{said.key}"] for name in ("text", "name", "consent")}
    remember_name(given["name"].strip())
    told = replace(said, correction=given["text"].strip(), writer=given["name"].strip(), consent=given["consent"])
    _save(index_dir, told)
    st.session_state[f"saves-{said.key}"] = st.session_state.get(f"saves-{said.key}", 0) + 1


def _save(index_dir: Path, said: Feedback) -> None:
    """Store what was said and hold it for this session; nothing said and nothing there before is not stored."""
    held: dict[str, Feedback] = st.session_state.setdefault("feedback", {})
    before = held.get(said.key)
    if not said.says_something and not (before and before.says_something):
        held[said.key] = said
        return
    try_to(lambda: held.update({said.key: feedback.save(index_dir, said)}), f"unsaved-{said.key}")


def try_to(do: Callable[[], None], problem_key: str) -> bool:
    """Do something that may fail with a line for the user, which is left under a key of the session for the page."""
    try:
        do()
    except RagDollyError as error:
        st.session_state[problem_key] = str(error)
        return False
    return True
