"""The page on how good the answers are: what people said of them, what to fix, and evaluations."""

import streamlit as st

from rag_dolly import feedback
from rag_dolly.app import markup, states
from rag_dolly.app.engine import Engine
from rag_dolly.app.quality import evaluations_view, feedback_view, to_fix
from rag_dolly.errors import RagDollyError

PARTS = ("Feedback", "What to fix", "Evaluations")


def show(engine: Engine) -> None:
    """Draw the page."""
    with st.container(key="quality"):
        st.html(markup.element("h1", "rd-title", "Quality"))
        if engine.state == "opening":
            st.fragment(_opening, run_every=0.3)(engine)
            return
        part = st.segmented_control(
            "Part of the page",
            PARTS,
            default=PARTS[0],
            required=True,
            key="quality-part",
            label_visibility="collapsed",
            persist_state="session",
        )
        try:
            _part(engine, str(part))
        except RagDollyError as error:
            st.error(markup.label(str(error), 400), icon=":material/error:")


def _part(engine: Engine, part: str) -> None:
    if part == "Evaluations":
        evaluations_view.draw(engine)
        return
    kept = feedback.read(engine.backend.index_dir)
    if kept.damaged:
        lines = "1 line of the file" if kept.damaged == 1 else f"{kept.damaged} lines of the file"
        st.warning(
            f"{lines} could not be read and is left out." if kept.damaged == 1 else f"{lines} could not be read."
        )
    if part == "Feedback":
        feedback_view.draw(engine, kept.records)
    else:
        to_fix.draw(engine, kept.records)


def _opening(engine: Engine) -> None:
    if engine.state != "opening":
        st.rerun()
    states.opening()
