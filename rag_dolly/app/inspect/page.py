"""The page that shows how an answer came about, and where its passages lie in the corpus."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rag_dolly.app import markup, session, source_view
from rag_dolly.app.ask import links
from rag_dolly.app.engine import Engine
from rag_dolly.app.inspect import map_view, trace_charts, trace_view
from rag_dolly.jobs import Job


def show(engine: Engine) -> None:
    """Draw the page."""
    opened = session.opened()
    place = session.place() if opened and opened.kind == "link" else None
    links.listen(opened.key if opened and place else None, len(session.jobs()), session.open_link, session.close)
    index = engine.index
    with st.container(key="inspect"):
        st.html(markup.element("h1", "rd-title", "Inspect"))
        st.html(
            markup.element("p", "rd-lead", "How an answer came about, and where its passages lie among all others.")
        )
        job = _chosen()
        if index is None or not index.passage_count:
            st.html(markup.element("p", "rd-note", "There are no documents yet: add some on the page Library."))
        elif opened and place:
            left, right = st.columns([10, 9], gap="large")
            with right:
                source_view.draw(index, place, opened)
            with left:
                _map(index, job)
        else:
            _map(index, job)
        if job is not None:
            _trace(job.result)


def _map(index: Any, job: Job | None) -> None:
    st.html(markup.element("h2", "rd-section", "Map of the corpus"))
    keys = "Each point is a passage; a click opens it."
    if job is not None:
        keys += " The diamond is the question, the numbered points are what was found for it."
    st.html(markup.element("p", "rd-note", keys))
    map_view.draw(index, job.result if job else None)


def _chosen() -> Job | None:
    """Draw the choice among the answers of this session that have a trace; return the chosen one."""
    traced = {turn: job for turn, job in enumerate(session.jobs()) if job.finished and job.result.get("trace")}
    if not traced:
        line = "Ask something on the page Ask: what happens between question and answer is shown here."
        st.html(markup.element("p", "rd-note", line))
        return None
    turns = list(traced)[::-1]
    turn = st.selectbox(
        "Answer to",
        turns,
        format_func=lambda turn: f"{turn + 1}. {markup.shorten(traced[turn].question, 90)}",
        key="inspected",
    )
    return traced[turn if turn in traced else turns[0]]


def _trace(result: Mapping[str, Any]) -> None:
    trace = result["trace"]
    st.html(markup.element("h2", "rd-section", "How it was answered"))
    st.html(trace_charts.seconds(trace["seconds"]) + trace_charts.tokens(trace["prompt"]))
    with st.container(key="trace-whole"):
        st.html("".join(trace_view.sections(trace)))
