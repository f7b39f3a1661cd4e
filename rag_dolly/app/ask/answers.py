"""One question and what has come of it, in each state it can be in."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rag_dolly.app import markup, session
from rag_dolly.app.ask import feedback_form, filtering, sources, turn_actions
from rag_dolly.app.engine import Engine
from rag_dolly.app.inspect import trace_view
from rag_dolly.jobs import Job

POLL_SECONDS = 0.2
WAIT_SECONDS = 0.17
"""How long a look at an answer waits for something new, so that it is shown at once and not at the next look."""


def draw(engine: Engine, turn: int, job: Job, opened: session.Opened | None) -> None:
    """Draw a question with its answer; one still being written keeps itself up to date."""
    with st.container(key=f"turn-{turn}", gap="small"):
        if session.edited() == turn and job.finished:
            turn_actions.form(engine, turn, job)
        else:
            st.html(markup.element("h2", "rd-question", job.question))
        if job.filter:
            st.html(markup.element("p", "rd-note", filtering.said_of(job.filter)))
        if job.finished:
            _finished(turn, job, opened)
            with st.container(horizontal=True, gap="small", key=f"below-{turn}"):
                if job.state == "done":
                    feedback_form.draw(engine.backend.index_dir, job)
                turn_actions.draw(engine, turn, job)
        else:
            st.fragment(_live, run_every=POLL_SECONDS)(engine, turn, job, looks=[])


def _live(engine: Engine, turn: int, job: Job, looks: list[None]) -> None:
    """Draw an answer while it is being written. Runs a few times a second; ends with a run of the page.

    `looks` is empty in the run of the whole page, which must not wait.
    """
    job.touch()
    if looks:
        job.wait(WAIT_SECONDS)
    looks.append(None)
    ended = job.finished
    text = str(job.result.get("answer", ""))
    if job.plain:
        unsourced()
    if text:
        _text(turn, job.result, None)
    if ended:  # the words are on their way to the browser, before the rest of the page
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key=f"live-{turn}"):
        st.html(
            f'<p class="rd-status" role="status">{markup.element("span", "rd-pulse", progress(engine, job))}</p>',
            width="content",
        )
        st.button(
            "Stop",
            key=f"stop-{turn}",
            icon=":material/stop_circle:",
            on_click=engine.queue.withdraw,
            args=(job,),
            disabled=job.cancelled.is_set(),
        )


def progress(engine: Engine, job: Job) -> str:
    """Return in a few words what a job is waiting for or doing."""
    ahead = engine.queue.ahead(job)
    if job.cancelled.is_set():
        return "Stopping…"
    if job.state == "queued" and ahead:
        return f"Waiting: {ahead} {'question is' if ahead == 1 else 'questions are'} ahead of yours"
    if job.state in ("queued", "loading"):
        return "Loading the model…" if engine.state != "ready" else "Starting…"
    if job.plain:
        return "Writing…" if engine.has_model else "Loading the model…"
    if "retrieved" not in job.result:
        return "Searching your documents…"
    found = len(job.result["retrieved"])
    return "Writing…" if job.result.get("answer") else f"Reading {found} {'passage' if found == 1 else 'passages'}…"


def _finished(turn: int, job: Job, opened: session.Opened | None) -> None:
    if job.state == "failed":
        st.error(markup.label(job.error, 1000), icon=":material/error:")
    elif job.state == "done" and job.result.get("abstained"):
        _abstained(turn, job, opened)
    else:
        _answered(turn, job, opened)
    trace_view.draw(turn, job.result)


def _answered(turn: int, job: Job, opened: session.Opened | None) -> None:
    result = job.result
    if job.state == "stopped":
        st.badge("Stopped", icon=":material/stop_circle:", color="orange")
    if job.plain:
        unsourced()
    if result.get("mode") == "quoted":
        st.badge("Quoted from your documents", icon=":material/format_quote:", color="gray")
    if result.get("short_answer"):
        _short(turn, result["short_answer"], opened)
    if result.get("answer"):
        _text(turn, result, opened)
    else:
        st.html(markup.element("p", "rd-note", "Nothing had been written yet."))
    sources.cited(turn, result, opened)
    sources.not_cited(turn, result, opened)
    if job.state == "done":
        st.html(markup.element("p", "rd-note", made_by(result)))


def _abstained(turn: int, job: Job, opened: session.Opened | None) -> None:
    with st.container(border=True, key=f"abstained-{turn}"):
        st.html(markup.element("p", "rd-abstained", "Your documents do not answer this."))
        st.html(markup.element("p", "rd-note", "Nothing was made up. Ask in other words, or see what came nearest."))
        sources.nearest(turn, job.result, opened)


def _text(turn: int, result: Mapping[str, Any], opened: session.Opened | None) -> None:
    numbers = {citation["n"] for citation in result.get("citations", [])}
    current = opened.number if opened and opened.turn == turn and opened.kind == "cite" else None
    css_class = {"quoted": "rd-quoted", "plain": "rd-plain"}.get(str(result.get("mode")), "rd-generated")
    st.html(f'<div class="{css_class}">{markup.answer(str(result["answer"]), numbers, turn, current)}</div>')


def _short(turn: int, short: Mapping[str, Any], opened: session.Opened | None) -> None:
    """Show the words that answer in short, with the marker of their source."""
    number = int(short["n"])
    current = opened.number if opened and opened.turn == turn and opened.kind == "cite" else None
    st.html(markup.short(str(short["text"]), number, turn, current))


def unsourced() -> None:
    """Say that an answer has no source."""
    st.badge("Unsourced: the model alone, no documents", icon=":material/warning:", color="orange")


def made_by(result: Mapping[str, Any]) -> str:
    """Return who wrote an answer and how long it took, as plain text."""
    quoted = result.get("mode") == "quoted"
    writer = "Word for word from the sources" if quoted else f"Written by {result.get('model', 'the model')}"
    seconds = result.get("timings", {}).get("total")
    return f"{writer} · {seconds:.1f} s" if isinstance(seconds, int | float) else writer
