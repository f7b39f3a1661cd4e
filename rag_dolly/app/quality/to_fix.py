"""What to fix first: questions whose answers were bad or refused, and the documents behind the bad ones."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from rag_dolly.app import markup
from rag_dolly.app.engine import Engine
from rag_dolly.app.quality import feedback_view
from rag_dolly.feedback import WRITTEN, Feedback, by_question

MOST = 15


def draw(engine: Engine, records: Sequence[Feedback]) -> None:
    """Draw the three lists."""
    bad, refused, behind = found(records)
    if not bad and not refused:
        feedback_view.nothing("Nothing to fix", "No answer was rated down or corrected, and no refusal was rated.")
        return
    if bad:
        st.html(markup.element("h2", "rd-section", "Answers that were wrong"))
        _questions(bad)
    if behind:
        st.html(markup.element("h2", "rd-section", "Documents behind them"))
        st.html(markup.element("p", "rd-note", "Cited by answers that were rated down or corrected."))
        rows = "".join(_row(source, f"{count}") for source, count in behind.most_common(MOST))
        st.html(f'<table class="rd-table rd-people"><tbody>{rows}</tbody></table>')
    if refused:
        st.html(markup.element("h2", "rd-section", "Refused questions"))
        line = "Somebody rated or corrected the refusal. If the answer is in no document, add one that has it."
        st.html(markup.element("p", "rd-note", line))
        _questions(refused)


Groups = dict[str, list[Feedback]]


def found(records: Sequence[Feedback]) -> tuple[Groups, Groups, Counter[str]]:
    """Return bad answers by question, refused questions, and how many bad answers cite each document."""
    about = [said for said in records if said.mode != WRITTEN]
    bad = [said for said in about if said.mode != "abstained" and (said.rating == "down" or said.correction)]
    refused = [said for said in about if said.mode == "abstained" and (said.rating != "up" or said.correction)]
    behind = Counter(source for said in bad for source in {one.source for one in said.passages if one.cited})
    return by_question(bad), by_question(refused), behind


def _row(name: str, count: str) -> str:
    return f'<tr><th scope="row">{markup.escape(name)}</th><td>{count}</td></tr>'


def _questions(groups: Groups) -> None:
    """Draw each question with what is known of it, folded; the commonest first."""
    for group in list(groups.values())[:MOST]:
        said = max(group, key=lambda one: (bool(one.correction), one.time))
        times = f" ({len(group)} times)" if len(group) > 1 else ""
        with st.expander(f"{markup.label(said.question, 140)}{times}", key=f"fix-{said.key}"):
            rows = [("Answered", said.answer or "Your documents do not answer this."), ("Should be", said.correction)]
            for title, text in rows:
                if text:
                    st.html(
                        f'{markup.element("h3", "rd-label", title)}<div class="rd-said">{markup.escape(text)}</div>'
                    )
            feedback_view.sources(said)
    if len(groups) > MOST:
        st.html(markup.element("p", "rd-note", f"And {len(groups) - MOST} more in the part Feedback."))
