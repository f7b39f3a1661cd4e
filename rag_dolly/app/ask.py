"""The page to ask on: questions and answers on the left, an open source beside them."""

from urllib.parse import urlsplit

import streamlit as st

from rag_dolly.app import answers, filtering, links, markup, session, source_view, sources, suggest, uploader
from rag_dolly.app.engine import Engine, OpenIndex

MAX_QUESTION = 4000
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def show(engine: Engine) -> None:
    """Draw the page."""
    opened = session.opened()
    links.listen(opened.key if opened else None, len(session.jobs()), session.open_link, session.close)
    index = engine.index
    if engine.state == "failed":
        _failed(engine)
    elif engine.state == "opening":
        st.fragment(_opening, run_every=0.3)(engine)
    elif index is None or not index.passage_count:
        uploader.first_documents(engine)
    else:
        _conversation(engine, index)


def _conversation(engine: Engine, index: OpenIndex) -> None:
    opened = session.opened()
    entry = sources.find(session.jobs()[opened.turn].result, opened) if opened else None
    if opened and entry:
        with st.container(key="beside"):
            left, right = st.columns([10, 9], gap="large")
        with right:
            source_view.draw(index, entry, opened, sources.also(session.jobs()[opened.turn].result, entry))
        with left, st.container(key="thread"):
            _turns(engine, index, opened)
    else:
        with st.container(key="thread"):
            _turns(engine, index, None)
    _question_box(engine, index)


def _turns(engine: Engine, index: OpenIndex, opened: session.Opened | None) -> None:
    mine = session.jobs()
    if not mine:
        _welcome(engine, index)
        return
    for turn, job in enumerate(mine):
        answers.draw(engine, turn, job, opened)
    if mine[-1].finished:
        st.button("New conversation", key="forget", icon=":material/add:", type="tertiary", on_click=session.forget)


def _welcome(engine: Engine, index: OpenIndex) -> None:
    with st.container(key="welcome"):
        st.html(markup.element("h1", "rd-title", "Ask your documents"))
        st.html(markup.element("p", "rd-lead", _counts(index)))
        questions = suggest.questions(index.headings(60))
        if questions:
            st.html(markup.element("p", "rd-label", "For example"))
            with st.container(key="suggestions", gap="xsmall"):
                for number, question in enumerate(questions):
                    st.button(
                        markup.label(question, 120),
                        key=f"suggestion-{number}",
                        on_click=session.ask,
                        args=(engine, question, str(filtering.chosen())),
                        width="stretch",
                    )


def _counts(index: OpenIndex) -> str:
    indexed = sum(row.state == "indexed" for row in index.documents())
    passages = index.passage_count
    documents = f"{indexed:,} {'document' if indexed == 1 else 'documents'}"
    held = f"{documents} · {passages:,} {'passage' if passages == 1 else 'passages'}"
    return f"{held}. Every sentence of an answer names its source."


def _question_box(engine: Engine, index: OpenIndex) -> None:
    mine = session.jobs()
    busy = bool(mine) and not mine[-1].finished
    with st.bottom, st.container(key="ask-box", gap="xxsmall"):
        filtering.draw(index)
        st.chat_input(
            "Ask a follow-up" if mine else "Ask a question about your documents",
            key="question",
            max_chars=MAX_QUESTION,
            disabled=busy,
            on_submit=_submitted,
            args=(engine,),
        )
        if engine.state == "loading":
            st.fragment(_loading, run_every=0.5)(engine)
        else:
            lines = [privacy(engine.backend.model), engine.note.partition(" (")[0]]
            st.html(markup.element("p", "rd-privacy", " · ".join(line for line in lines if line)))


def _submitted(engine: Engine) -> None:
    session.ask(engine, st.session_state["question"] or "", str(filtering.chosen()))


def privacy(model: str) -> str:
    """Return what leaves this machine, for a model setting: nothing, unless the model is on another host."""
    host = urlsplit(model).hostname if model.startswith(("http://", "https://")) else None
    if host is None or host in _LOOPBACK:
        return "Nothing leaves this machine"
    return f"Questions and passages are sent to the model at {host}. Documents stay on this machine"


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


def _failed(engine: Engine) -> None:
    with st.container(key="welcome"):
        what = "documents cannot be opened" if engine.index is None else "model cannot be loaded"
        st.html(markup.element("h1", "rd-title", f"The {what}"))
        st.error(markup.label(engine.error, 1000), icon=":material/error:")
        st.button("Try again", icon=":material/refresh:", on_click=engine.restart)
