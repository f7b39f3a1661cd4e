"""The page to ask on: questions and answers on the left, an open source beside them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rag_dolly.app import markup, session, source_view, states
from rag_dolly.app.ask import answers, deep_link, filtering, history, kept, links, plain, sources, turn_actions, welcome
from rag_dolly.app.engine import Engine, OpenIndex
from rag_dolly.app.library import uploader
from rag_dolly.app.privacy import what_leaves


def show(engine: Engine) -> None:
    """Draw the page."""
    index = engine.index
    if index is not None:
        deep_link.follow(index)
    opened = session.opened()
    links.listen(opened.key if opened else None, len(session.jobs()), session.open_link, session.close)
    if engine.state == "failed" and not session.is_plain():
        states.failed(engine)
    elif engine.state == "opening":
        st.fragment(_opening, run_every=0.3)(engine)
    elif not _has_documents(index) and not session.is_plain():
        uploader.first_documents(engine)
        plain.offer(engine)
    else:
        history.draw(engine)
        _conversation(engine, index)


def _has_documents(index: OpenIndex | None) -> bool:
    return index is not None and bool(index.passage_count)


def _conversation(engine: Engine, index: OpenIndex | None) -> None:
    opened = session.opened()
    entry = _entry(opened) if opened else None
    if index is not None and opened and entry:
        with st.container(key="beside"):
            left, right = st.columns([10, 9], gap="large")
        with right:
            source_view.draw(index, entry, opened, _also(opened, entry))
        with left, st.container(key="thread"):
            _turns(engine, index, opened)
    else:
        with st.container(key="thread"):
            _turns(engine, index, None)
    _question_box(engine, index)


def _entry(opened: session.Opened) -> Mapping[str, Any] | None:
    if opened.kind == "link":
        return session.place()
    return sources.find(session.jobs()[opened.turn].result, opened)


def _also(opened: session.Opened, entry: Mapping[str, Any]) -> list[str]:
    return [] if opened.kind == "link" else sources.also(session.jobs()[opened.turn].result, entry)


def _turns(engine: Engine, index: OpenIndex | None, opened: session.Opened | None) -> None:
    if line := deep_link.problem():
        st.warning(markup.label(line), icon=":material/link_off:")
    mine = session.jobs()
    if not mine:
        if session.is_plain() or index is None:
            welcome.plain(engine)
        else:
            welcome.documents(engine, index)
        return
    for turn, job in enumerate(mine):
        answers.draw(engine, turn, job, opened)
    if mine[-1].finished:
        history.tools(engine)


def _question_box(engine: Engine, index: OpenIndex | None) -> None:
    with st.bottom, st.container(key="ask-box", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="top", key="ask-how"):
            if index is not None and not session.is_plain():
                filtering.draw(index)
            plain.switch(engine)
        st.chat_input(
            _prompt(),
            key="question",
            max_chars=turn_actions.MAX_QUESTION,
            disabled=session.busy(),
            on_submit=_submitted,
            args=(engine,),
        )
        if engine.state == "loading":
            st.fragment(_loading, run_every=0.5)(engine)
        else:
            lines = [
                what_leaves(engine.backend.model, engine.is_shared),
                kept.said(engine),
                engine.note.partition(" (")[0],
            ]
            st.html(markup.element("p", "rd-privacy", " · ".join(line for line in lines if line)))


def _prompt() -> str:
    if session.is_plain():
        return "Ask the model, without documents"
    return "Ask a follow-up" if session.jobs() else "Ask a question about your documents"


def _submitted(engine: Engine) -> None:
    session.ask(engine, st.session_state["question"] or "", str(filtering.chosen()))


def _loading(engine: Engine) -> None:
    if engine.state != "loading":
        st.rerun()
    line = f"The model is loading, you can ask already. {engine.note}".strip()
    st.html(f'<p class="rd-privacy">{markup.element("span", "rd-pulse", line)}</p>')


def _opening(engine: Engine) -> None:
    if engine.state != "opening":
        st.rerun()
    with st.container(key="welcome"):
        st.html(markup.element("h1", "rd-title", "Ask your documents"))
        st.html(f'<p class="rd-status">{markup.element("span", "rd-pulse", "Opening the index…")}</p>')
