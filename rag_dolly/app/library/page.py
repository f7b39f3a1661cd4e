"""The page Library: what the index holds, what is done to it, and one document when it is opened.

The opened document is named in the address (`?document=SOURCE`), so that a reload or a link finds it again.
"""

import streamlit as st

from ingest import listing
from ingest.listing import Made, Tally
from rag_dolly.app import markup, states
from rag_dolly.app.engine import Engine
from rag_dolly.app.library import document_list, document_view, run_view, uploader
from rag_dolly.app.sizes import counted, on_disk, size


def show(engine: Engine) -> None:
    """Draw the page."""
    with st.container(key="library"):
        if engine.state == "opening":
            st.fragment(_opening, run_every=0.3)(engine)
            return
        index = engine.index
        if engine.state == "failed" and index is None:
            states.failed(engine)
            return
        every = listing.tally(index.database) if index is not None else Tally()
        if index is None or not sum(every[:4]):
            uploader.first_documents(engine)
            return
        row = document_view.opened(index)
        if row is not None:
            document_view.draw(engine, index, row)
            return
        made = listing.made(index.database)
        st.html(markup.element("h1", "rd-title", "Library") + markup.element("p", "rd-lead", counts(every, made)))
        if engine.state == "failed":
            states.banner(engine)
        run_view.draw(engine)
        if not run_view.is_busy():
            uploader.draw(engine)
        document_list.draw(engine, index)
        st.html(f'<div class="rd-facts">{_facts(engine, made)}</div>')


def counts(every: Tally, made: Made) -> str:
    """Return how much the index holds, as plain text."""
    parts = [
        counted(every.indexed + every.partial, "document"),
        counted(made.passages, "passage"),
        f"{size(every.bytes)} read" if every.bytes else "",
        f"{every.partial:,} in part" if every.partial else "",
        f"{every.failed:,} could not be read" if every.failed else "",
    ]
    return " · ".join(part for part in parts if part)


def _facts(engine: Engine, made: Made) -> str:
    """Return as HTML where the index is, how large, and what made and reads it."""
    place = engine.backend.index_dir
    changed = made.updated.replace("T", " ").removesuffix("+00:00")
    facts = {
        "Index": f"{place} · {size(on_disk(place))} on disk" + (f" · changed {changed} UTC" if changed else ""),
        "Embedder": made.embedder or "none yet",
        "Model": engine.note.removeprefix("Model: ") or engine.backend.model,
    }
    return "".join(
        markup.element("span", "rd-fact", name) + markup.element("span", "rd-value", text)
        for name, text in facts.items()
    )


def _opening(engine: Engine) -> None:
    if engine.state != "opening":
        st.rerun()
    states.opening()
