"""The passage that a record is written on: searched for, or any."""

import random
from typing import Any

import streamlit as st

from rag_dolly.app import markup
from rag_dolly.app.ask.feedback_form import try_to
from rag_dolly.app.engine import Engine
from rag_dolly.app.reflow import reflow
from rag_dolly.feedback import Shown
from rag_dolly.types import Hit

FOUND = 6
LONG_ENOUGH = 200
"""Characters that a passage taken at random has, where its document has one that long."""


def draw(engine: Engine) -> Shown | None:
    """Draw the chosen passage, or what it can be chosen with; return it, None while there is none."""
    chosen: Shown | None = st.session_state.get("passage")
    with st.container(key="passage", gap="small"):
        if chosen is not None:
            _chosen(chosen)
            return chosen
        with st.container(horizontal=True, vertical_alignment="bottom", key="passage-search"):
            query = st.text_input("Find a passage", key="passage-query", max_chars=400, placeholder="Words it is about")
            st.button("Any passage", icon=":material/shuffle:", on_click=_take_any, args=(engine,))
        if query:
            _results(engine, query)
        if problem := st.session_state.pop("no-passage", ""):
            st.error(markup.label(problem, 400), icon=":material/error:")
    return None


def _chosen(passage: Shown) -> None:
    where = " · ".join(part for part in (passage.source, passage.place) if part)
    st.html(
        f'{markup.element("p", "rd-place", where)}<div class="rd-passage" tabindex="0" role="region" '
        f'aria-label="The passage">{markup.escape(reflow(passage.text))}</div>'
    )
    st.button("Another passage", icon=":material/swap_horiz:", type="tertiary", on_click=_take, args=(None,))


def _results(engine: Engine, query: str) -> None:
    found: list[Hit] = []
    try_to(lambda: found.extend(search(engine, query)), "no-passage")
    if not found and "no-passage" not in st.session_state:
        st.html(markup.element("p", "rd-note", "Nothing found. Use other words, or take any passage."))
    for number, hit in enumerate(found):
        st.button(
            f"**{markup.label(hit.source, 60)}** — {markup.label(hit.text, 110)}",
            key=f"open-passage-{number}",
            type="tertiary",
            width="stretch",
            on_click=_take,
            args=(_shown(hit),),
        )


def search(engine: Engine, query: str) -> list[Hit]:
    """Return passages about a query, best first. Raises `RagDollyError`."""
    chain: Any = engine.chain
    return list(chain.retriever.search(query, FOUND))


def _take_any(engine: Engine) -> None:
    try_to(lambda: _take(any_passage(engine)), "no-passage")


def any_passage(engine: Engine) -> Shown | None:
    """Return a passage of the index, each document as likely as it is long; None where there is none."""
    chain: Any = engine.chain
    rows = [row for row in chain.index.documents() if row.state == "indexed" and row.passages]
    if not rows:
        return None
    (row,) = random.choices(rows, weights=[row.passages for row in rows])
    passages = [stored.passage for stored in chain.index.passages_of(row.source)]
    passage = random.choice([one for one in passages if len(one.text) >= LONG_ENOUGH] or passages)
    place = passage.place or (f"page {passage.page}" if passage.page else "")
    return Shown(passage.source, place, passage.start, passage.end, passage.text, True)


def _shown(hit: Hit) -> Shown:
    return Shown(hit.source, hit.place or (f"page {hit.page}" if hit.page else ""), hit.start, hit.end, hit.text, True)


def _take(passage: Shown | None) -> None:
    st.session_state["passage"] = passage
