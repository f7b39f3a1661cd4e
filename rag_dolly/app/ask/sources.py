"""The lists under an answer: what it cites, and what was found but not cited, each a button that opens it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from rag_dolly.app import markup, session

_SNIPPET = 110


def place(entry: Mapping[str, Any], name: str = "") -> str:
    """Return where a citation or hit is, as plain text: file (called `name` if given), place or else page, section."""
    within = entry["place"] or (f"page {entry['page']}" if entry["page"] else "")
    parts = [name or entry["source"], within, entry.get("heading", "")]
    return " · ".join(part for part in parts if part)


def cited(turn: int, result: Mapping[str, Any], opened: session.Opened | None) -> None:
    """Draw the citations of an answer."""
    citations = result.get("citations", [])
    if not citations:
        return
    st.html(markup.element("h3", "rd-label", "Cited"))
    with st.container(key=f"cited-{turn}", gap="xxsmall"):
        for citation in sorted(citations, key=lambda citation: citation["n"]):
            _button(turn, "cite", citation["n"], citation, str(citation["n"]), opened)


def not_cited(turn: int, result: Mapping[str, Any], opened: session.Opened | None) -> None:
    """Draw, folded away, the passages that were found but not cited, those marked that the model did not see."""
    hits = remaining(result)
    if not hits:
        return
    with st.expander(f"Found but not cited ({len(hits)})", key=f"found-{turn}"):
        left_out = [left["rank"] for left in result.get("left_out_hits", [])]
        for hit in hits:
            _button(turn, "found", hit["rank"], hit, _note(hit, left_out), opened)
        if left_out:
            st.html(markup.element("p", "rd-note", "Passages marked so were found, but the model's window was full."))


def nearest(turn: int, result: Mapping[str, Any], opened: session.Opened | None) -> None:
    """Draw the passages that came nearest to a question that the documents do not answer."""
    hits = result.get("retrieved", [])
    if not hits:
        return
    st.html(markup.element("h3", "rd-label", "Nearest passages"))
    with st.container(key=f"nearest-{turn}", gap="xxsmall"):
        for hit in hits[:5]:
            _button(turn, "found", hit["rank"], hit, None, opened)


def remaining(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the hits that no citation points into, best first."""
    citations = result.get("citations", [])
    return [hit for hit in result.get("retrieved", []) if not any(_touches(hit, one) for one in citations)]


def find(result: Mapping[str, Any], opened: session.Opened) -> Mapping[str, Any] | None:
    """Return the citation or hit that is open, with its source, page, start, end and text."""
    entries: Sequence[Mapping[str, Any]]
    entries, name = (
        (result.get("citations", []), "n") if opened.kind == "cite" else (result.get("retrieved", []), "rank")
    )
    return next((entry for entry in entries if entry[name] == opened.number), None)


def _touches(hit: Mapping[str, Any], citation: Mapping[str, Any]) -> bool:
    same = hit["source"] == citation["source"]
    return bool(same and hit["start"] < citation["end"] and citation["start"] < hit["end"])


def _button(
    turn: int,
    kind: session.Kind,
    number: int,
    entry: Mapping[str, Any],
    prefix: str | None,
    opened: session.Opened | None,
) -> None:
    where = markup.label(place(entry), 90)
    snippet = markup.label(entry["text"], _SNIPPET)
    st.button(
        f"{f'**{prefix}** ' if prefix else ''}{where} — {snippet}",
        key=f"open-{turn}-{kind}-{number}",
        type="secondary" if opened == session.Opened(turn, kind, number) else "tertiary",
        width="stretch",
        on_click=session.open_source,
        args=(turn, kind, number),
    )


def also(result: Mapping[str, Any], entry: Mapping[str, Any]) -> list[str]:
    """Return the other places that have the text of the hit which a citation or hit is of."""
    around = (hit for hit in result.get("retrieved", []) if _touches(hit, entry))
    return next((list(hit.get("also", [])) for hit in around), [])


def _note(hit: Mapping[str, Any], left_out: Sequence[int]) -> str | None:
    """Return what is said in front of a hit in the list: whether the model saw it."""
    return "Did not fit" if hit["rank"] in left_out else None
