"""Which documents the next questions are asked of: chosen in a small window by the question box, kept by the session.

What is chosen is said beside its button as long as it narrows, and above each answer that was made under it.
"""

from collections.abc import Sequence

import streamlit as st

from ingest.filters import Filters, parse_filters
from ingest.records import DocumentRow
from rag_dolly.app import markup
from rag_dolly.app.engine import OpenIndex

BUTTON = "Choose documents"
EVERYTHING = "All documents"


def chosen() -> Filters:
    """Return the filters of this session."""
    found: Filters = st.session_state.get("filters", Filters())
    return found


def draw(index: OpenIndex) -> None:
    """Draw the button with the choice behind it, and what is chosen. The button's name stays, so that it stays open."""
    filters = chosen()
    with st.container(horizontal=True, vertical_alignment="center", key="filter-line"):
        window = st.popover(BUTTON, icon=":material/filter_alt:", type="tertiary", key="filter", on_change="rerun")
        if filters:
            st.html(markup.element("p", "rd-note rd-filter", markup.shorten(said(filters), 120)))
    if window.open:
        with window:
            _choice([row for row in index.documents() if row.state == "indexed"], filters)


def said(filters: Filters) -> str:
    """Return the filters in words for people, "" for none."""
    days = [f"changed since {filters.since}"] if filters.since else []
    parts = [*filters.sources, *filters.folders, *filters.kinds, *days]
    return f"Only in: {' · '.join(parts)}" if parts else ""


def said_of(text: str) -> str:
    """Return in words the filters that `parse_filters` reads from a text."""
    return said(parse_filters(text))


def _choice(rows: Sequence[DocumentRow], filters: Filters) -> None:
    """Draw the boxes to choose in; what was chosen stays to be seen when it has left the index."""
    _box("Folders", "filter-folders", _folders(rows), filters.folders)
    _box("Kinds", "filter-kinds", {row.kind for row in rows}, filters.kinds)
    st.date_input("Changed since", filters.since, key="filter-since", on_change=_keep)
    if filters:
        st.button(EVERYTHING, key="filter-none", icon=":material/close:", on_click=_forget)


def _box(label: str, key: str, there: set[str], now: Sequence[str]) -> None:
    options = sorted({*there, *now})
    if options:
        shown = {option: markup.shorten(option, 60) for option in options}
        st.multiselect(label, options, list(now), key=key, format_func=shown.__getitem__, on_change=_keep)


def _folders(rows: Sequence[DocumentRow]) -> set[str]:
    """Return the folders that documents lie in, at every depth."""
    parts = [row.source.split("/")[:-1] for row in rows]
    return {"/".join(path[:depth]) for path in parts for depth in range(1, len(path) + 1)}


def _keep() -> None:
    """Take over what the boxes hold."""
    state = st.session_state
    folders, kinds = (tuple(state.get(key, ())) for key in ("filter-folders", "filter-kinds"))
    state["filters"] = Filters(folders=folders, kinds=kinds, since=state.get("filter-since"))


def _forget() -> None:
    for key in ("filters", "filter-folders", "filter-kinds", "filter-since"):
        st.session_state.pop(key, None)
