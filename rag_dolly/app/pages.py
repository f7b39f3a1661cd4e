"""The list of pages, and what every page has in common."""

from functools import partial

import streamlit as st

from ingest.errors import RagDollyError
from rag_dolly.app import health, markup, menu, resources, session, style
from rag_dolly.app.ask import page as ask
from rag_dolly.app.inspect import page as inspect_page
from rag_dolly.app.library import page as library
from rag_dolly.app.quality import page as quality
from rag_dolly.app.write import page as contribute


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
    menu.listen()
    pages = [
        st.Page(partial(ask.show, engine), title="Ask", icon=":material/forum:", url_path="ask", default=True),
        st.Page(partial(library.show, engine), title="Library", icon=":material/menu_book:", url_path="library"),
        st.Page(
            partial(inspect_page.show, engine), title="Inspect", icon=":material/scatter_plot:", url_path="inspect"
        ),
        st.Page(partial(contribute.show, engine), title="Write", icon=":material/edit_note:", url_path="write"),
        st.Page(partial(quality.show, engine), title="Quality", icon=":material/thumbs_up_down:", url_path="quality"),
        st.Page(partial(health.show, engine), title="Health", icon=":material/health_and_safety:", url_path="health"),
    ]
    st.navigation(pages, position="top").run()
