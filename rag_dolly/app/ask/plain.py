"""The page as a plain chat with the model, without documents: how it is entered and left."""

import streamlit as st

from rag_dolly.app import markup, session
from rag_dolly.app.engine import Engine

LABEL = "Without documents"


def reason_against(engine: Engine) -> str:
    """Return why there is no chat without documents, "" if there is or if that is not known yet."""
    if engine.has_model is not False:
        return ""
    if engine.backend.model == "none":
        return "There is no language model to chat with: rag-dolly was started with the model none."
    return "There is no language model to chat with: none was found. `rag-dolly doctor` says how to get one."


def switch(engine: Engine) -> None:
    """Draw the switch between documents and the model alone."""
    against = reason_against(engine)
    st.toggle(
        LABEL,
        session.is_plain(),
        key="plain-switch",
        disabled=bool(against) or session.busy(),
        help=against or "The model answers from its training alone. Such answers have no source.",
        on_change=_switched,
    )


def offer(engine: Engine) -> None:
    """Draw, where there are no documents, the way to the chat without any."""
    against = reason_against(engine)
    with st.container(key="plain-offer", gap="xsmall"):
        if against:
            st.html(markup.element("p", "rd-note", against))
            return
        st.button(
            "Chat without documents",
            key="plain-start",
            icon=":material/forum:",
            type="tertiary",
            on_click=session.set_plain,
            args=(True,),
        )


def _switched() -> None:
    session.set_plain(bool(st.session_state["plain-switch"]))
