"""The page that shows what the index holds, and takes more files."""

from collections.abc import Sequence

import streamlit as st

from ingest.records import DocumentRow
from rag_dolly.app import markup, uploader
from rag_dolly.app.engine import Engine

_STATES = {"indexed": "indexed", "failed": "could not be read", "skipped": "passed over"}


def show(engine: Engine) -> None:
    """Draw the page."""
    with st.container(key="library"):
        if engine.state == "opening":
            st.fragment(_opening, run_every=0.3)(engine)
            return
        if engine.state == "failed":
            st.error(markup.label(engine.error, 1000), icon=":material/error:")
        rows = list(engine.index.documents()) if engine.index is not None else []
        if not rows:
            uploader.first_documents(engine)
            return
        st.html(markup.element("h1", "rd-title", "Library") + markup.element("p", "rd-lead", counts(rows)))
        uploader.form(engine)
        _listed("Could not be read", "error", "unreadable", [row for row in rows if row.state == "failed"])
        _listed("Read in part", "warning", "in-part", [row for row in rows if _is_partial(row)])
        _table(rows)
        st.html(markup.element("p", "rd-note", engine.note))


def counts(rows: Sequence[DocumentRow]) -> str:
    """Return how much the index holds, as plain text."""
    indexed = [row for row in rows if row.state == "indexed"]
    failed = sum(row.state == "failed" for row in rows)
    partial = sum(_is_partial(row) for row in rows)
    parts = [
        f"{len(indexed):,} {'document' if len(indexed) == 1 else 'documents'}",
        f"{sum(row.passages for row in indexed):,} passages",
        size(sum(row.bytes for row in indexed)),
        f"{partial} read in part" if partial else "",
        f"{failed} could not be read" if failed else "",
    ]
    return " · ".join(part for part in parts if part)


def size(count: int) -> str:
    """Return a number of bytes for people: "812 B", "1.4 MB"."""
    amount, units = float(count), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] in ("B", "kB") else f"{amount:.1f} {units[0]}"


def _is_partial(row: DocumentRow) -> bool:
    """Whether some of an indexed file could not be read; its reason has a line for each part."""
    return row.state == "indexed" and bool(row.reason)


def _listed(title: str, icon: str, key: str, rows: Sequence[DocumentRow]) -> None:
    """Draw files with the lines of their reasons, open if they could not be read at all; nothing for no files."""
    if not rows:
        return
    lines = []
    for row in rows:
        lines.append(markup.element("dt", "rd-file", row.source))
        lines += [markup.element("dd", "", line) for line in row.reason.splitlines()]
    with st.expander(f"{title} ({len(rows)})", icon=f":material/{icon}:", expanded=key == "unreadable", key=key):
        st.html(f'<dl class="rd-failures">{"".join(lines)}</dl>')


def _table(rows: Sequence[DocumentRow]) -> None:
    st.dataframe(
        [
            {
                "Document": row.source,
                "Title": row.title,
                "Kind": row.kind,
                "Passages": row.passages,
                "Size": size(row.bytes),
                "State": "read in part" if _is_partial(row) else _STATES.get(row.state, row.state),
                "Reason": "; ".join(row.reason.splitlines()),
            }
            for row in rows
        ],
        hide_index=True,
        key="documents",
    )


def _opening(engine: Engine) -> None:
    if engine.state != "opening":
        st.rerun()
    st.html(f'<p class="rd-status">{markup.element("span", "rd-pulse", "Opening the index…")}</p>')
