"""The list of pages, and what every page has in common."""

from functools import partial

import streamlit as st

from ingest.errors import RagDollyError
from rag_dolly.app import ask, library, markup, resources, session, style


def show() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="rag-dolly", page_icon="🐑", layout="wide")
    st.html(f"<style>{style.CSS}</style>")
    try:
        engine = resources.engine()
    except RagDollyError as error:
        st.error(markup.label(str(error), 1000), icon=":material/error:")
        return
    session.attach(engine)
    pages = [
        st.Page(partial(ask.show, engine), title="Ask", icon=":material/forum:", url_path="ask", default=True),
        st.Page(partial(library.show, engine), title="Library", icon=":material/menu_book:", url_path="library"),
    ]
    st.navigation(pages, position="top").run()
