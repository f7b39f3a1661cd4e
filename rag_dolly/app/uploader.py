"""The form that takes files, and the progress of what was given."""

import streamlit as st

from ingest import loaders
from rag_dolly.app import markup, uploads
from rag_dolly.app.engine import Engine

_MARKS = {
    "waiting": ("schedule", "waiting"),
    "reading": ("hourglass_top", "being read"),
    "indexed": ("check_circle", "indexed"),
    "partial": ("warning", "read in part"),
    "refused": ("block", "not taken"),
    "failed": ("error", "could not be read"),
}


def first_documents(engine: Engine) -> None:
    """Draw what a visitor sees before there are documents: what to do, and the form."""
    with st.container(key="welcome"):
        st.html(markup.element("h1", "rd-title", "No documents yet"))
        st.html(
            markup.element("p", "rd-lead", "Add files here, or index a whole folder from the terminal:")
            + markup.element("pre", "rd-command", "rag-dolly ingest FOLDER")
        )
        form(engine)


def form(engine: Engine) -> None:
    """Draw the form, or the progress while files are being indexed, and what became of the last ones."""
    run: uploads.Run | None = st.session_state.get("upload")
    if run is not None and not run.finished:
        st.fragment(_progress, run_every=0.4)(run)
        return
    if run is not None:
        _outcome(run)
    with st.form("upload-form", clear_on_submit=True, border=False):
        files = st.file_uploader(
            "Files to add",
            accept_multiple_files=True,
            max_upload_size=uploads.MAX_BYTES // 1024 // 1024,
            key="files",
            help=markup.label(f"Kinds: {loaders.examples()}", 300),
        )
        given = st.form_submit_button("Add to the library", type="primary", icon=":material/add:")
    if given and files:
        st.session_state["upload"] = uploads.start(engine, [(file.name, file.getvalue()) for file in files])
        st.rerun()


def _progress(run: uploads.Run) -> None:
    if run.finished:
        st.rerun()
    share = run.done / run.total if run.total else 0.0
    st.progress(min(share, 1.0), text=f"Indexing: {run.done} of {run.total} files" if run.total else "Starting…")
    _files(run)


def _outcome(run: uploads.Run) -> None:
    good = sum(file.state in ("indexed", "partial") for file in run.files)
    if run.error:
        st.error(markup.label(run.error, 1000), icon=":material/error:")
        return
    line = f"{good} of {len(run.files)} {'file' if len(run.files) == 1 else 'files'} indexed."
    if all(file.state == "indexed" for file in run.files):
        st.success(line, icon=":material/check_circle:")
    else:
        st.warning(f"{line} The list says what could not be read, and why.", icon=":material/warning:")
    _files(run)


def _files(run: uploads.Run) -> None:
    with st.container(key="upload-files", gap="xxsmall"):
        for file in run.files:
            icon, word = _MARKS[file.state]
            reason = f" — {markup.label(file.reason, 300)}" if file.reason else ""
            st.markdown(f":material/{icon}: **{markup.label(file.name, 120)}** {word}{reason}")
