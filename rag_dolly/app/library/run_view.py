"""What is being done to the index now, and what became of what this session began."""

import streamlit as st

from ingest.report import Report
from rag_dolly.app import markup, states
from rag_dolly.app.engine import Engine
from rag_dolly.app.library import runs
from rag_dolly.app.library.folder_form import reasons
from rag_dolly.app.library.runs import Run
from rag_dolly.app.library.uploads import Upload

MOST_REASONS = 8
_WORDS = {
    "waiting": "Waiting: something else is being added…",
    "looking": "Looking for files…",
    "forgetting": "Forgetting…",
    "finishing": "Making the index ready…",
}
_STAGES = {"read": "read, being embedded", "stored": "indexed", "failed": "could not be read"}
_MARKS = {
    "waiting": ("schedule", "waiting"),
    "reading": ("hourglass_top", "read, being embedded"),
    "indexed": ("check_circle", "indexed"),
    "partial": ("warning", "read in part"),
    "refused": ("block", "not taken"),
    "failed": ("error", "could not be read"),
}


def mine() -> Run | None:
    """Return what this session began last."""
    found: Run | None = st.session_state.get("run")
    return found


def is_busy() -> bool:
    """Whether what this session began is still under way."""
    run = mine()
    return run is not None and not run.finished


def draw(engine: Engine) -> None:
    """Draw the progress of this session's work, or its outcome, and whether another session's is under way."""
    run = mine()
    if run is not None and not run.finished:
        st.fragment(_live, run_every=0.5)(run)
        return
    if run is not None:
        _outcome(engine, run)
    if engine.run is not None:
        st.fragment(_others, run_every=1.0)(engine)


def said(run: Run) -> str:
    """Return what a run is doing, in a few words."""
    if run.stopping.is_set():
        return "Stopping after the files that are being read…"
    return _WORDS.get(run.phase) or f"{run.done:,} of {run.total:,} files"


def _live(run: Run) -> None:
    """Draw the progress of a run. Runs twice a second; ends with a run of the page."""
    if run.finished:
        st.rerun()
    with st.container(key="run", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="run-head"):
            st.html(markup.element("p", "rd-place", run.what) + _status(run))
            if run.phase not in ("finishing", "forgetting"):
                st.button(
                    "Stop",
                    key="run-stop",
                    icon=":material/stop_circle:",
                    on_click=run.stopping.set,
                    disabled=run.stopping.is_set(),
                )
        _bar(run)
        if isinstance(run, Upload):
            _files(run)
        else:
            _recent(run)


def _status(run: Run) -> str:
    unread = f" · {run.unread:,} could not be read" if run.unread else ""
    return f'<p class="rd-note" role="status">{markup.element("span", "rd-pulse", said(run) + unread)}</p>'


def _bar(run: Run) -> None:
    share = min(run.done / run.total, 1.0) if run.total else 0.0
    percent = round(100 * share)
    st.html(
        f'<div class="rd-bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent}"><div style="width:{percent}%"></div></div>'
    )


def _recent(run: Run) -> None:
    lines = [
        f"<li>{markup.element('bdi', 'rd-file', source)} {markup.element('span', f'rd-{stage}', _STAGES[stage])}</li>"
        for source, stage in list(run.recent)
        if stage in _STAGES
    ]
    if lines:
        st.html(f'<ul class="rd-recent" aria-label="Last files">{"".join(lines)}</ul>')


def _others(engine: Engine) -> None:
    """Draw, without names, that another session's work is under way."""
    run: Run | None = engine.run
    if run is None or run is mine():
        st.rerun()
    with st.container(key="run-other", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="run-head"):
            st.html(markup.element("p", "rd-place", "The library is being changed in another window") + _status(run))
            if run.phase not in ("finishing", "forgetting"):
                st.button("Stop", key="run-stop", icon=":material/stop_circle:", on_click=run.stopping.set)
        _bar(run)


def _outcome(engine: Engine, run: Run) -> None:
    """Draw what became of a run: what stands in the way, or a line that can be closed, and its files."""
    if run.error:
        _error(engine, run)
        return
    with st.container(key="run-outcome", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="run-line"):
            _line(run)
            st.button("Close", key="run-close", type="tertiary", icon=":material/close:", on_click=_close)
        if isinstance(run, Upload):
            _files(run)
        elif run.report is not None and run.report.failed:
            _unread(run.report)


def _line(run: Run) -> None:
    if run.stopped:
        st.info(markup.label(run.outcome, 600), icon=":material/stop_circle:")
    elif isinstance(run, Upload):
        _upload(run)
    elif run.report is not None and run.report.failed:
        st.warning(markup.label(run.outcome, 600), icon=":material/warning:")
    else:
        st.success(markup.label(run.outcome, 600), icon=":material/check_circle:")


def _error(engine: Engine, run: Run) -> None:
    title = states.title(run.problem, False, "This was not done")
    with st.container(key="run-error", border=True, gap="small"):
        st.html(
            markup.element("p", "rd-place", title)
            + f'<p class="rd-problem" role="alert">{states.coded(run.error)}</p>'
            + states.listed(states.steps(run.problem, False)[:1])
        )
        with st.container(horizontal=True, gap="small"):
            st.button("Try again", key="run-again", icon=":material/refresh:", on_click=runs.again, args=(engine, run))
            st.button("Close", key="run-close", type="tertiary", on_click=_close)


def _unread(report: Report) -> None:
    failed = report.failed[:MOST_REASONS]
    more = len(report.failed) - len(failed)
    st.html(reasons(failed))
    if more:
        st.html(markup.element("p", "rd-note", f"And {more:,} more: see “Could not be read” below."))


def _upload(run: Upload) -> None:
    good = sum(file.state in ("indexed", "partial") for file in run.files)
    line = f"{good} of {len(run.files)} {'file' if len(run.files) == 1 else 'files'} indexed."
    if all(file.state == "indexed" for file in run.files):
        st.success(line, icon=":material/check_circle:")
    else:
        st.warning(f"{line} The list says what could not be read, and why.", icon=":material/warning:")


def _files(run: Upload) -> None:
    with st.container(key="upload-files", gap="xxsmall"):
        for file in run.files:
            icon, word = _MARKS[file.state]
            reason = f" — {markup.label(file.reason, 300)}" if file.reason else ""
            st.markdown(f":material/{icon}: **{markup.label(file.name, 120)}** {word}{reason}")


def _close() -> None:
    st.session_state["run"] = None
