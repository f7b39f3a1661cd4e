"""The list of kept evaluations, of answers and of retrieval alike: a table of figures, and the choice of one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import streamlit as st

from rag_dolly.app import markup
from rag_dolly.app.quality.feedback_view import day


class Kept(Protocol):
    """What the list shows of an evaluation."""

    @property
    def name(self) -> str:
        """Its name on disk."""

    @property
    def time(self) -> str:
        """When it ended, ISO 8601."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was evaluated: `data`, and how many questions of it, `asked` of `total`."""


def table(label: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of figures as HTML that scrolls sideways where it is too wide; `label` names it."""
    head = "".join(f'<th scope="col">{markup.escape(name)}</th>' for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{markup.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="rd-scroll" tabindex="0" role="region" aria-label="{markup.escape(label)}">'
        f'<table class="rd-table rd-figures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def described(one: Kept) -> str:
    """Return which questions were asked, and how many of them if not all."""
    asked, total = one.facts.get("asked", 0), one.facts.get("total", 0)
    count = f"{asked}" if asked == total else f"{asked} of {total}"
    return f"{markup.shorten(str(one.facts.get('data', '')), 40)}, {count}"


def choose(kind: str, kept: Sequence[Kept], delete: Callable[[Path, str], Any], index_dir: Path) -> int:
    """Let one be chosen or deleted for good; return the place of the chosen one. `kind` tells the widgets apart."""
    names = [one.name for one in kept]
    if st.session_state.get(f"{kind}-name") not in names:
        st.session_state.pop(f"{kind}-name", None)
    titles = {one.name: f"{day(one.time)} — {described(one)}" for one in kept}
    with st.container(horizontal=True, vertical_alignment="bottom", key="evaluation-choice"):
        name = str(st.selectbox("Read one", names, format_func=titles.__getitem__, key=f"{kind}-name"))
        with st.popover("Delete", icon=":material/delete:", type="tertiary"):
            given: dict[str, Any] = {"on_click": delete, "args": (index_dir, name), "key": f"delete-{kind}"}
            st.button("Delete for good", type="primary", **given)
    return names.index(name)
