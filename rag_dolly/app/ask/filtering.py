"""Which documents the next questions are asked of: chosen by the question box, kept by the session.

What is chosen is said beside its button as long as it narrows, and above each answer that was made under it. Of many
documents those are listed whose name or title has the words that are typed. Limits: the deepest folders are left out
where there are very many.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import streamlit as st

from ingest import listing
from ingest.filters import Filters, parse_filters
from ingest.listing import Look
from ingest.records import DocumentRow
from rag_dolly.app import markup
from rag_dolly.app.engine import OpenIndex

BUTTON = "Choose documents"
EVERYTHING = "All documents"
MOST_LISTED = 200
"""Documents up to which they are listed one by one, and folders."""
MOST_FOUND = 50
"""Documents listed of those that have the words that are typed."""


class Choices(NamedTuple):
    """What can be chosen in an index: `documents` is empty where there are more than `MOST_LISTED`."""

    documents: tuple[str, ...]
    folders: tuple[str, ...]
    kinds: tuple[str, ...]


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
            _choice(index, filters)


def said(filters: Filters) -> str:
    """Return the filters in words for people, "" for none."""
    days = [f"changed since {filters.since}"] if filters.since else []
    parts = [*filters.sources, *filters.folders, *filters.kinds, *days]
    return f"Only in: {' · '.join(parts)}" if parts else ""


def said_of(text: str) -> str:
    """Return in words the filters that `parse_filters` reads from a text."""
    return said(parse_filters(text))


@st.cache_resource(show_spinner=False, max_entries=2)
def _choices(_index: OpenIndex, state: tuple[int, str, int]) -> Choices:
    """Return what can be chosen, gathered once for each `state` of the index."""
    rows = [row for row in _index.documents() if row.state == "indexed"]
    sources = tuple(row.source for row in rows) if len(rows) <= MOST_LISTED else ()
    return Choices(sources, _folders(row.source for row in rows), tuple({row.kind for row in rows}))


def _choice(index: OpenIndex, filters: Filters) -> None:
    """Draw the boxes to choose in; what was chosen stays to be seen when it has left the index."""
    made = listing.made(index.database)
    known = _choices(index, (id(index), made.updated, made.passages))
    named = known.documents or _found(index)
    _box("Documents", "filter-sources", {*named, *filters.sources}, filters.sources)
    boxes = {
        "Folders": ("filter-folders", {*known.folders, *filters.folders}, filters.folders),
        "Kinds": ("filter-kinds", {*known.kinds, *filters.kinds}, filters.kinds),
    }
    shown = {label: box for label, box in boxes.items() if box[1]}
    *columns, last = st.columns(len(shown) + 1)
    for column, (label, (key, options, now)) in zip(columns, shown.items(), strict=True):
        with column:
            _box(label, key, options, now)
    last.date_input("Changed since", filters.since, key="filter-since", on_change=_keep)
    if filters:
        st.button(EVERYTHING, key="filter-none", icon=":material/close:", on_click=_forget)


def _found(index: OpenIndex) -> Sequence[str]:
    """Draw where to type words, and return the documents that have them in name or title."""
    words = st.text_input("Find documents", key="filter-words", placeholder="Words of a name or title").strip()
    if not words:
        return ()
    found = [row for state in ("indexed", "partial") for row in _files(index, words, state)]
    if len(found) >= MOST_FOUND:
        line = f"The first {MOST_FOUND} are listed: type another word to narrow them."
    else:
        line = f"{len(found)} of them {'is' if len(found) == 1 else 'are'} listed below." if found else "None has them."
    st.html(markup.element("p", "rd-note", line))
    return [row.source for row in found[:MOST_FOUND]]


def _files(index: OpenIndex, words: str, state: str) -> Sequence[DocumentRow]:
    return listing.files(index.database, Look(text=words, state=state), 0, MOST_FOUND, is_flat=True)


def _box(label: str, key: str, options: set[str], now: Sequence[str]) -> None:
    shown = {option: markup.shorten(option, 60) for option in sorted(options)}
    st.multiselect(label, list(shown), list(now), key=key, format_func=shown.__getitem__, on_change=_keep)


def _folders(sources: Iterable[str]) -> tuple[str, ...]:
    """Return the folders that documents lie in, at every depth; of many the upper ones."""
    deepest = {source.rpartition("/")[0] for source in sources} - {""}
    parts = [folder.split("/") for folder in deepest]
    found = {"/".join(path[:depth]) for path in parts for depth in range(1, len(path) + 1)}
    return tuple(sorted(found, key=lambda folder: (folder.count("/"), folder))[:MOST_LISTED])


def _keep() -> None:
    """Take over what the boxes hold."""
    state = st.session_state
    sources, folders, kinds = (tuple(state.get(f"filter-{part}", ())) for part in ("sources", "folders", "kinds"))
    state["filters"] = Filters(sources=sources, folders=folders, kinds=kinds, since=state.get("filter-since"))


def _forget() -> None:
    for key in ("filters", "filter-sources", "filter-folders", "filter-kinds", "filter-since", "filter-words"):
        st.session_state.pop(key, None)
