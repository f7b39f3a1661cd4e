"""The form that takes a folder on this machine: look first, then read."""

import streamlit as st

from ingest.errors import RagDollyError
from rag_dolly.app import markup
from rag_dolly.app.engine import Engine
from rag_dolly.app.library import folders, runs
from rag_dolly.app.library.folders import Survey
from rag_dolly.app.sizes import counted, size


def draw(engine: Engine) -> None:
    """Draw the field for a path, and what a folder holds before it is read."""
    line = {"horizontal": True, "vertical_alignment": "bottom"}
    with st.form("folder-form", border=False), st.container(**line, key="folder-line"):  # type: ignore[arg-type]
        st.text_input("Folder on this machine", key="folder-path", placeholder="/home/me/papers")
        if st.form_submit_button("Look inside", icon=":material/search:"):
            _look()
    if problem := st.session_state.get("folder-problem"):
        st.error(markup.label(problem, 1000), icon=":material/error:")
    if found := st.session_state.get("folder-found"):
        _found(engine, found)


def _look() -> None:
    state = st.session_state
    state["folder-found"], state["folder-problem"] = None, ""
    try:
        with st.spinner("Looking…"):
            state["folder-found"] = folders.survey(state["folder-path"])
    except RagDollyError as error:
        state["folder-problem"] = str(error)


def _found(engine: Engine, found: Survey) -> None:
    with st.container(key="folder-found", border=True, gap="small"):
        st.html(markup.element("p", "rd-place", str(found.path)) + markup.element("p", "rd-note", words(found)))
        if found.examples:
            with st.expander("What is passed over, for example", type="compact", key="folder-passed"):
                st.html(reasons(found.examples))
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Read this folder",
                key="folder-read",
                type="primary",
                icon=":material/add:",
                on_click=_read,
                args=(engine, found),
            )
            st.button("Cancel", key="folder-cancel", type="tertiary", on_click=_forget)


def words(found: Survey) -> str:
    """Return what would be read of a folder, in one line."""
    kinds = ", ".join(f"{number:,} {suffix}" for suffix, number in found.suffixes.most_common(4))
    more = " and others" if len(found.suffixes) > 4 else ""
    least = "" if found.whole else "At least "
    said = f"{least}{counted(found.files, 'file')} to read, {size(found.bytes)}: {kinds}{more}."
    return f"{said} {found.passed:,} passed over." if found.passed else said


def reasons(pairs: "tuple[tuple[str, str], ...] | list[tuple[str, str]]") -> str:
    """Return files with what is said of each as HTML; `reason` may have several lines."""
    lines = []
    for source, reason in pairs:
        lines.append(markup.element("dt", "rd-file", source))
        lines += [markup.element("dd", "rd-reason", line) for line in reason.splitlines()]
    return f'<dl class="rd-failures">{"".join(lines)}</dl>'


def _read(engine: Engine, found: Survey) -> None:
    path = found.path
    run = runs.Run(f"Adding {path.name}")
    st.session_state["run"] = runs.begin(engine, run, lambda tell: engine.backend.ingest([path], tell))
    _forget()


def _forget() -> None:
    st.session_state["folder-found"], st.session_state["folder-problem"] = None, ""
