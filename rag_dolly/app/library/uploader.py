"""What takes documents: a folder on this machine, and files from the browser."""

import streamlit as st

from ingest import loaders
from rag_dolly.app import markup
from rag_dolly.app.engine import Engine
from rag_dolly.app.library import folder_form, run_view, uploads


def first_documents(engine: Engine) -> None:
    """Draw what a visitor sees before there are documents: what to do, and the forms."""
    with st.container(key="welcome"):
        st.html(markup.element("h1", "rd-title", "No documents yet"))
        st.html(markup.element("p", "rd-lead", "Name a folder, or give files. They stay on this machine."))
        run_view.draw(engine)
        if not run_view.is_busy():
            _forms(engine)
        st.html(
            markup.element("p", "rd-note", "Or index a folder in a terminal, then look again:")
            + markup.element("pre", "rd-command", "rag-dolly ingest FOLDER")
        )
        st.button("Look again", key="look-again", icon=":material/refresh:", on_click=engine.restart)


def draw(engine: Engine) -> None:
    """Draw the forms, folded away."""
    with st.expander("Add documents", icon=":material/add:", key="add"):
        _forms(engine)


def _forms(engine: Engine) -> None:
    folder_form.draw(engine)
    with st.form("upload-form", clear_on_submit=True, border=False):
        files = st.file_uploader(
            "Files from this browser",
            accept_multiple_files=True,
            max_upload_size=uploads.MAX_BYTES // 1024 // 1024,
            key="files",
            help=markup.label(f"Kinds: {loaders.examples()}", 300),
        )
        given = st.form_submit_button("Add to the library", type="primary", icon=":material/add:")
    if given and files:
        st.session_state["run"] = uploads.start(engine, [(file.name, file.getvalue()) for file in files])
        st.rerun()
