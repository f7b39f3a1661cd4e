"""What can be done with a question that was answered: ask it again, change it, take the answer away as a file."""

import streamlit as st

from rag_dolly import conversation_export
from rag_dolly.app import markup, session
from rag_dolly.app.ask import filtering, kept
from rag_dolly.app.engine import Engine
from rag_dolly.conversations import Turn
from rag_dolly.jobs import Job

MAX_QUESTION = 4000


def draw(engine: Engine, turn: int, job: Job) -> None:
    """Draw the buttons below an answer. Asking again takes the choice of documents that holds now."""
    waits = session.busy()
    with st.container(horizontal=True, gap="xsmall", key=f"acts-{turn}"):
        st.button(
            "Try again",
            key=f"again-{turn}",
            icon=":material/refresh:",
            type="tertiary",
            disabled=waits,
            on_click=_again,
            args=(engine, turn, job.question),
        )
        st.button(
            "Edit",
            key=f"edit-{turn}",
            icon=":material/edit:",
            type="tertiary",
            disabled=waits,
            on_click=session.edit,
            args=(turn,),
        )
        if job.result.get("answer"):
            with st.popover("Export", icon=":material/download:", type="tertiary", key=f"export-{turn}"):
                files([kept.turn_of(job)], "", f"answer-{turn + 1}", f"turn-file-{turn}")


def form(engine: Engine, turn: int, job: Job) -> None:
    """Draw the question as a field to be changed and sent again."""
    with st.form(f"edit-form-{turn}", border=False):
        st.text_area("Change the question", job.question, key=f"edit-text-{turn}", max_chars=MAX_QUESTION)
        if len(session.jobs()) > turn + 1:
            st.html(markup.element("p", "rd-note", "What was asked after it goes too."))
        with st.container(horizontal=True, gap="small"):
            sent = st.form_submit_button("Send", type="primary")
            left = st.form_submit_button("Cancel", type="tertiary")
    if sent:
        _again(engine, turn, str(st.session_state[f"edit-text-{turn}"]))
    elif left:
        session.edit(None)
    if sent or left:
        st.rerun()


def files(turns: list[Turn], title: str, name: str, key: str) -> None:
    """Draw the buttons that give questions and answers as files."""
    kinds = {
        "Markdown": (conversation_export.to_markdown, "md", "text/markdown"),
        "JSON": (conversation_export.to_json, "json", "application/json"),
    }
    for label, (made, suffix, mime) in kinds.items():
        st.download_button(
            label,
            made(turns, title),
            f"{name}.{suffix}",
            mime,
            key=f"{key}-{suffix}",
            on_click="ignore",
            icon=":material/description:",
            type="tertiary",
            width="stretch",
        )


def _again(engine: Engine, turn: int, question: str) -> None:
    session.ask_again(engine, turn, question, str(filtering.chosen()))
