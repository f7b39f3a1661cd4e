"""What a visitor sees before the first question: what can be asked, and some questions to begin with."""

from collections.abc import Sequence

import streamlit as st

from ingest import listing
from rag_dolly.app import markup, session
from rag_dolly.app.ask import filtering, suggest
from rag_dolly.app.engine import Engine, OpenIndex

EXAMPLES = (
    "Explain the difference between nuclear fission and fusion.",
    "Give me a list of five science fiction books to read next.",
    "Write a short note that thanks a colleague for their help.",
)


def documents(engine: Engine, index: OpenIndex) -> None:
    """Draw what is there to be asked, and questions made from headings."""
    with st.container(key="welcome"):
        st.html(markup.element("h1", "rd-title", "Ask your documents"))
        st.html(markup.element("p", "rd-lead", _counts(index)))
        _suggested(engine, suggest.questions(index.headings(60)))


def plain(engine: Engine) -> None:
    """Draw what the model alone can be asked."""
    with st.container(key="welcome"):
        st.html(markup.element("h1", "rd-title", "Chat without documents"))
        line = "The model answers from its training alone. It names no sources and may be wrong."
        st.html(markup.element("p", "rd-lead", line))
        _suggested(engine, EXAMPLES)


def _counts(index: OpenIndex) -> str:
    every = listing.tally(index.database)
    indexed = every.indexed + every.partial
    passages = index.passage_count
    documents = f"{indexed:,} {'document' if indexed == 1 else 'documents'}"
    held = f"{documents} · {passages:,} {'passage' if passages == 1 else 'passages'}"
    return f"{held}. Every sentence of an answer names its source."


def _suggested(engine: Engine, questions: Sequence[str]) -> None:
    if not questions:
        return
    st.html(markup.element("p", "rd-label", "For example"))
    with st.container(key="suggestions", gap="xsmall"):
        for number, question in enumerate(questions):
            st.button(
                markup.label(question, 120),
                key=f"suggestion-{number}",
                on_click=session.ask,
                args=(engine, question, str(filtering.chosen())),
                width="stretch",
            )
