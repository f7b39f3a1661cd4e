"""Which documents the next questions are asked of: chosen by the question box, kept by the session.

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
MOST_LISTED = 1000
"""Documents up to which they are listed one by one; folders and kinds are enough to choose among more."""


def chosen() -> Filters:
    """Return the filters of this session."""
    found: Filters = st.session_state.get("filters", Filters())
    return found


def draw(index: OpenIndex) -> None:
    """Draw the button with the choice behind it, and what is chosen. The button's name stays, so that it stays open."""
    filters = chosen()
    with st.container(key="filter-line", gap="xxsmall"):
        part = st.expander(BUTTON, icon=":material/filter_alt:", type="compact", key="filter", on_change="rerun")
        if filters:
            st.html(markup.element("p", "rd-note rd-filter", markup.shorten(said(filters), 120)))
    if part.open:
        with part:
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
    if len(rows) <= MOST_LISTED or filters.sources:
        named = {row.source for row in rows[:MOST_LISTED]} | {*filters.sources}
        _box("Documents", "filter-sources", named, filters.sources)
    boxes = {
        "Folders": ("filter-folders", {*_folders(rows), *filters.folders}, filters.folders),
        "Kinds": ("filter-kinds", {row.kind for row in rows} | {*filters.kinds}, filters.kinds),
    }
    shown = {label: box for label, box in boxes.items() if box[1]}
    *columns, last = st.columns(len(shown) + 1)
    for column, (label, (key, options, now)) in zip(columns, shown.items(), strict=True):
        with column:
            _box(label, key, options, now)
    last.date_input("Changed since", filters.since, key="filter-since", on_change=_keep)
    if filters:
        st.button(EVERYTHING, key="filter-none", icon=":material/close:", on_click=_forget)


def _box(label: str, key: str, options: set[str], now: Sequence[str]) -> None:
    shown = {option: markup.shorten(option, 60) for option in sorted(options)}
    st.multiselect(label, list(shown), list(now), key=key, format_func=shown.__getitem__, on_change=_keep)


def _folders(rows: Sequence[DocumentRow]) -> set[str]:
    """Return the folders that documents lie in, at every depth."""
    parts = [row.source.split("/")[:-1] for row in rows]
    return {"/".join(path[:depth]) for path in parts for depth in range(1, len(path) + 1)}


def _keep() -> None:
    """Take over what the boxes hold."""
    state = st.session_state
    sources, folders, kinds = (tuple(state.get(f"filter-{part}", ())) for part in ("sources", "folders", "kinds"))
    state["filters"] = Filters(sources=sources, folders=folders, kinds=kinds, since=state.get("filter-since"))


def _forget() -> None:
    for key in ("filters", "filter-sources", "filter-folders", "filter-kinds", "filter-since"):
        st.session_state.pop(key, None)
