"""A source in its document: the page of a PDF with exactly the passage's lines marked, or the text around it.

Offsets come from the index and are exact. If the file has changed since, and the passage is no longer where the
index says, nothing is marked in it and the text that was indexed is shown instead.
"""

import io
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from ingest.errors import RagDollyError
from ingest.records import StoredDocument
from rag_dolly.app import markup, session
from rag_dolly.app.ask import deep_link, sources
from rag_dolly.app.engine import OpenIndex
from rag_dolly.app.reflow import reflow

_AROUND = 1500
_SCALE = 2.0
_MAX_FILE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage of a document's text with what stands before and after it."""

    before: str
    passage: str
    after: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page as a picture; `top` is how far down the passage begins, 0..1, to scroll to."""

    png: bytes
    top: float


def draw(index: OpenIndex, entry: Mapping[str, Any], opened: session.Opened, also: Sequence[str] = ()) -> None:
    """Draw the panel for a citation or a hit; `also` are other places with the same text."""
    with st.container(key=opened.key, border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="source-head"):
            st.html(_title(entry, opened))
            st.html(markup.copied(deep_link.address(entry["source"], entry["start"], entry["end"], entry["text"])))
            st.button("Close", key="close-source", icon=":material/close:", type="tertiary", on_click=session.close)
        if also:
            st.html(markup.element("p", "rd-note", f"The same text is also in: {'; '.join(also)}"))
        document = index.read_document(entry["source"])
        if document is None:
            st.html(markup.element("p", "rd-note", "This document is no longer in the index."))
            st.html(markup.marked("", entry["text"], ""))
            return
        _document(document, entry)


def excerpt(text: str, start: int, end: int, around: int = _AROUND) -> Excerpt:
    """Return the passage at start..end with up to `around` characters on each side, cut at line ends."""
    left, right = max(0, start - around), min(len(text), end + around)
    if left:
        left = text.find("\n", left, start) + 1 or left
    if right < len(text):
        cut = text.rfind("\n", end, right)
        right = cut if cut > end else right
    before, after = text[left:start], text[end:right]
    return Excerpt(("…\n" if left else "") + before, text[start:end], after + ("\n…" if right < len(text) else ""))


def _title(entry: Mapping[str, Any], opened: session.Opened) -> str:
    names = {"cite": f"Source {opened.number}", "found": "Found passage", "link": "Passage"}
    name = names[opened.kind]
    where = sources.place(entry, Path(entry["source"]).name)
    return markup.element("p", "rd-label", name) + markup.element("p", "rd-place", where)


def _document(document: StoredDocument, entry: Mapping[str, Any]) -> None:
    if document.text[entry["start"] : entry["end"]] != entry["text"]:
        st.html(markup.element("p", "rd-note", "This document has changed since the answer. The passage was:"))
        st.html(markup.marked("", entry["text"], ""))
        return
    if document.kind == "pdf":
        page = _page(document, entry)
        if page is not None:
            st.html(markup.position(page.top))
            st.image(page.png, width="stretch", alt=_describe(entry))
            with st.expander("Passage as text", key="passage-text"):
                st.html(markup.marked("", entry["text"], ""))
            return
        st.html(markup.element("p", "rd-note", "The file was moved or changed since it was indexed; this is its text."))
    part = excerpt(reflow(document.text), entry["start"], entry["end"])
    st.html(markup.marked(part.before, part.passage, part.after))


def _describe(entry: Mapping[str, Any]) -> str:
    return f"Page {entry['page']} of {entry['source']}, this passage marked: {markup.shorten(entry['text'], 600)}"


def _page(document: StoredDocument, entry: Mapping[str, Any]) -> Page | None:
    """Return the page on which the passage begins with the passage marked; None if the file has changed."""
    number = bisect_right(document.page_starts, entry["start"]) - 1
    if number < 0:
        return None
    begin, *following = document.page_starts[number : number + 2]
    end = min([entry["end"], *following])
    try:
        file = document.path.stat()
        if file.st_size > _MAX_FILE_BYTES:
            return None
        key = (str(document.path), file.st_mtime_ns, file.st_size)
        return _render(key, number, entry["start"] - begin, end - begin, document.text[entry["start"] : end])
    except (OSError, RagDollyError):
        return None


@lru_cache(maxsize=40)
def _render(key: tuple[str, int, int], number: int, start: int, end: int, expected: str) -> Page | None:
    from PIL import Image

    from ingest.loaders import pdf

    data = Path(key[0]).read_bytes()
    rects = pdf.highlight_rects(data, number, start, end, expected)
    if not rects:
        return None
    png = pdf.render_page(data, number, _SCALE, rects)
    height = Image.open(io.BytesIO(png)).height / _SCALE
    return Page(png, min(1.0, max(0.0, 1 - max(top for _, _, _, top in rects) / height)))
