"""The list of what people said of answers and wrote: filtered, in pages, each deletable."""

from collections.abc import Callable, Sequence
from datetime import datetime

import streamlit as st

from rag_dolly import feedback
from rag_dolly.app import markup
from rag_dolly.app.ask.feedback_form import try_to
from rag_dolly.app.engine import Engine
from rag_dolly.app.reflow import reflow
from rag_dolly.feedback import WRITTEN, Feedback

PER_PAGE = 10
KINDS: dict[str, Callable[[Feedback], bool]] = {
    "All": lambda said: True,
    "Good": lambda said: said.rating == "up",
    "Bad": lambda said: said.rating == "down",
    "Corrected": lambda said: bool(said.correction),
    "Written": lambda said: said.mode == WRITTEN,
}
_ICONS = {"up": "thumb_up", "down": "thumb_down"}


def draw(engine: Engine, records: Sequence[Feedback]) -> None:
    """Draw the list, the latest first."""
    if problem := st.session_state.pop("not-deleted", ""):
        st.error(markup.label(problem, 400), icon=":material/error:")
    if not records:
        nothing(
            "No feedback yet", "Rate an answer with a thumb below it, say what it should have been, or write a record."
        )
        return
    st.html(markup.element("p", "rd-lead", summary(records)))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="said-head"):
        kind = st.pills(
            "Show",
            list(KINDS),
            default="All",
            required=True,
            key="said-kind",
            label_visibility="collapsed",
            wrap=True,
            format_func=lambda name: f"{name} {sum(map(KINDS[name], records))}",
        )
        _delete_all(engine, len(records))
    chosen = [said for said in reversed(records) if KINDS[str(kind)](said)]
    for said in page_of(chosen, "said-page", PER_PAGE):
        _entry(engine, said)
    export = "rag-dolly export feedback OUT.jsonl"
    st.html(
        markup.element("p", "rd-note rd-after", "What may be exported becomes training data in the terminal:")
        + markup.element("pre", "rd-command", export)
    )


def nothing(title: str, line: str) -> None:
    """Draw that there is nothing to show yet, and what to do about it."""
    st.html(f'<div class="rd-nothing">{markup.element("h2", "rd-section", title)}{markup.element("p", "", line)}</div>')


def summary(records: Sequence[Feedback]) -> str:
    """Return the counts in words."""
    up, down, corrected = (sum(map(KINDS[name], records)) for name in ("Good", "Bad", "Corrected"))
    allowed = sum(said.consent for said in records)
    rated = f"{up} of {up + down} rated answers were good" if up + down else "No answer was rated"
    fixes = f"{corrected} {'was' if corrected == 1 else 'were'} corrected"
    return f"{rated}; {fixes}; {allowed} may be exported."


def page_of(rows: Sequence[Feedback], key: str, size: int) -> Sequence[Feedback]:
    """Draw what turns the pages, if there are several, and return the rows of the one that is chosen."""
    pages = -(-len(rows) // size)
    if pages < 2:
        return rows
    number = st.pagination(pages, key=key)
    return rows[(number - 1) * size : number * size]


def _entry(engine: Engine, said: Feedback) -> None:
    """Draw one record, folded."""
    icon = "edit_note" if said.mode == WRITTEN else _ICONS.get(said.rating, "edit_note")
    with st.expander(markup.label(said.question, 140), icon=f":material/{icon}:", key=f"said-{said.key}"):
        st.html(markup.element("p", "rd-note", byline(said)))
        if said.answer:
            _text("Response" if said.mode == WRITTEN else "Answer", said.answer)
        if said.correction:
            _text("Should have been", said.correction)
        sources(said)
        st.button(
            "Delete",
            key=f"delete-{said.key}",
            icon=":material/delete:",
            type="tertiary",
            on_click=_delete,
            args=(engine, {said.key}),
        )


def sources(said: Feedback) -> None:
    """Draw the passages as they were shown, those that were cited first, each folded."""
    parts = []
    for passage in sorted(said.passages, key=lambda one: not one.cited):
        where = " · ".join(part for part in (passage.source, passage.place) if part)
        used = "" if passage.cited or said.mode == WRITTEN else " — not cited"
        parts.append(
            f'<details class="rd-source"><summary>{markup.escape(where)}{used}</summary>'
            f'<div class="rd-passage">{markup.escape(reflow(passage.text))}</div></details>'
        )
    if parts:
        st.html("".join(parts))


def byline(said: Feedback) -> str:
    """Return who said it, when, of what, and whether it may be exported, as plain text."""
    kind = {"abstained": "refused", "generated": "written by the model", "quoted": "quoted"}.get(said.mode, said.mode)
    if said.mode == WRITTEN:
        kind = said.category.replace("_", " ")
    parts = [said.writer, day(said.time), kind, said.model, "may be exported" if said.consent else "not for export"]
    return " · ".join(part for part in parts if part and part != "none")


def day(time: str) -> str:
    """Return a stored time as the page shows it, in the machine's own time zone; as it is if it is none."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return time


def _text(title: str, text: str) -> None:
    st.html(f'{markup.element("h3", "rd-label", title)}<div class="rd-said">{markup.escape(text)}</div>')


def _delete_all(engine: Engine, count: int) -> None:
    with st.popover("Delete all", icon=":material/delete:", type="tertiary"):
        st.html(markup.element("p", "", f"All {count} go for good, records that people wrote among them."))
        st.button("Delete for good", key="delete-all", type="primary", on_click=_delete, args=(engine, None))


def _delete(engine: Engine, keys: set[str] | None) -> None:
    """Delete, and let go of what this session holds of it."""
    if try_to(lambda: _deleted(engine, keys), "not-deleted"):
        st.session_state.pop("feedback", None)


def _deleted(engine: Engine, keys: set[str] | None) -> None:
    feedback.delete(engine.backend.index_dir, keys)
