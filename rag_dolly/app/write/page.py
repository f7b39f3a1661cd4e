"""The page to write records on: a passage, an instruction and a response in one of Dolly's eight categories."""

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from rag_dolly import feedback
from rag_dolly.app import markup, states
from rag_dolly.app.ask import feedback_form
from rag_dolly.app.engine import Engine
from rag_dolly.app.write import passage_picker
from rag_dolly.app.write.guidelines import ALWAYS, GUIDELINES
from rag_dolly.errors import RagDollyError
from rag_dolly.feedback import WRITTEN, Feedback, Shown
from rag_dolly.feedback_export import WITH_CONTEXT
from rag_dolly.similar import nearest

KEY = "write"
MAX_INSTRUCTION = 4000
MAX_RESPONSE = 10_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form."""

    category: str
    instruction: str
    response: str
    passage: Shown | None
    consent: bool
    writer: str


def show(engine: Engine) -> None:
    """Draw the page."""
    with st.container(key="write"):
        st.html(markup.element("h1", "rd-title", "Write a record"))
        lead = "Dolly learned from questions and answers that people wrote. Yours can train your next model."
        st.html(markup.element("p", "rd-lead", lead))
        if engine.state == "opening":
            st.fragment(_opening, run_every=0.3)(engine)
        elif engine.index is None:
            st.info("Records are kept beside the index. Add documents in the Library first.", icon=":material/info:")
        else:
            _page(engine)


def _opening(engine: Engine) -> None:
    if engine.state != "opening":
        st.rerun()
    states.opening()


def _page(engine: Engine) -> None:
    category = str(
        st.pills(
            "Kind of record",
            list(GUIDELINES),
            format_func=lambda name: GUIDELINES[name].title,
            default="closed_qa",
            required=True,
            key="category",
            persist_state="session",
        )
    )
    left, right = st.columns([3, 2], gap="large")
    with right:
        _guideline(category)
    with left:
        passage = passage_picker.draw(engine) if category in WITH_CONTEXT else None
        _form(engine, category, passage)
    _contributions(engine)


def _guideline(category: str) -> None:
    guide = GUIDELINES[category]
    lines = "".join(markup.element("li", "", line) for line in (*guide.advice, *ALWAYS))
    st.html(
        f'<section class="rd-guide" aria-label="Guidelines">{markup.element("h2", "rd-label", guide.title)}'
        f"{markup.element('p', '', guide.what)}<ul>{lines}</ul>"
        f'<p class="rd-note">For example: {escape(guide.example)}</p></section>'
    )


def _form(engine: Engine, category: str, passage: Shown | None) -> None:
    similar: list[Feedback] = st.session_state.get("similar", [])
    with st.form("record", border=False, enter_to_submit=False):
        keep: Any = "session"
        st.text_area(
            "Instruction", key="instruction", max_chars=MAX_INSTRUCTION, height=90, persist_state=keep,
            placeholder=GUIDELINES[category].example,
        )  # fmt: skip
        st.text_area("Response", key="response", max_chars=MAX_RESPONSE, height=140, persist_state=keep)
        if similar:
            _similar(similar)
        feedback_form.name_and_consent(KEY, "", False)
        label = "Save all the same" if similar else "Save"
        st.form_submit_button(
            label, type="primary", on_click=_submitted, args=(engine, category, passage, bool(similar))
        )
    if problem := st.session_state.pop("unsaved-record", ""):
        st.error(markup.label(problem, 400), icon=":material/error:")
    if st.session_state.pop("saved-record", False):
        st.success("Saved. Thank you.", icon=":material/check_circle:")


def _similar(similar: list[Feedback]) -> None:
    """Point out earlier records that are near to the one in the form."""
    questions = dict.fromkeys(markup.shorten(said.question, 200) for said in similar)
    items = "".join(markup.element("li", "", question) for question in questions)
    line = "There is something like this already. Change yours, or save it all the same."
    st.html(f'<div class="rd-similar" role="alert">{markup.element("p", "", line)}<ul>{items}</ul></div>')


def _submitted(engine: Engine, category: str, passage: Shown | None, confirmed: bool) -> None:
    given = {name: str(st.session_state[name] or "").strip() for name in ("instruction", "response", f"name-{KEY}")}
    draft = Draft(
        category,
        given["instruction"],
        given["response"],
        passage,
        st.session_state[f"consent-{KEY}"],
        given[f"name-{KEY}"],
    )
    feedback_form.remember_name(draft.writer)
    feedback_form.try_to(lambda: _keep(engine, draft, confirmed), "unsaved-record")


def _keep(engine: Engine, draft: Draft, confirmed: bool) -> None:
    """Save a draft, unless something is missing or is there already. Raises `RagDollyError` on what is missing."""
    missing = "a passage" if draft.category in WITH_CONTEXT and draft.passage is None else ""
    missing = missing or ("an instruction" if not draft.instruction else "a response" if not draft.response else "")
    if missing:
        raise RagDollyError(f"The record lacks {missing}: add it, then save.")
    st.session_state["similar"] = [] if confirmed else alike(engine, draft)
    if st.session_state["similar"]:
        return
    said = feedback.written(
        draft.category, draft.instruction, draft.response, draft.passage, draft.consent, draft.writer
    )
    feedback.save(engine.backend.index_dir, said)
    st.session_state.update({"instruction": "", "response": "", "saved-record": True})


def alike(engine: Engine, draft: Draft) -> list[Feedback]:
    """Return earlier records and corrections whose instruction is near to that of a draft, nearest first."""
    if engine.chain is None:
        return []
    records = [said for said in feedback.read(engine.backend.index_dir).records if _is_record(said)]
    embed = engine.chain.index.embedder.embed_sentences
    return [records[n] for n in nearest(draft.instruction, [said.question for said in records], embed)]


def _is_record(said: Feedback) -> bool:
    return said.mode == WRITTEN or bool(said.correction)


def _contributions(engine: Engine) -> None:
    """Draw who wrote how much, who wrote most first."""
    try:
        rows = contributions(feedback.read(engine.backend.index_dir).records)
    except RagDollyError as error:
        st.error(markup.label(str(error), 400), icon=":material/error:")
        return
    if not rows:
        return
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("Who", "Records", "Corrections", "Ratings"))
    body = "".join(
        f"<tr><th scope='row'>{markup.escape(markup.shorten(who, 60))}</th>"
        + "".join(f"<td>{count:,}</td>" for count in counts)
        + "</tr>"
        for who, counts in rows
    )
    st.html(markup.element("h2", "rd-section", "Who wrote how much"))
    st.html(f'<table class="rd-table rd-people"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def contributions(records: list[Feedback]) -> list[tuple[str, tuple[int, int, int]]]:
    """Return (name, (records, corrections, ratings)), who wrote most first; without a name it was "Somebody"."""
    counts: dict[str, Counter[str]] = {}
    for said in records:
        mine = counts.setdefault(said.writer or "Somebody", Counter())
        mine["records"] += said.mode == WRITTEN
        mine["corrections"] += bool(said.correction)
        mine["ratings"] += bool(said.rating)
    rows = [(who, (each["records"], each["corrections"], each["ratings"])) for who, each in counts.items()]
    return sorted(rows, key=lambda row: (-row[1][0], -row[1][1], -row[1][2], row[0]))
