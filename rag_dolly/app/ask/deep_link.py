"""Links to a passage: `?doc=NAME&at=START-END&is=CHECK`, never with a question in it.

`at` counts characters of the document's text, `is` is a check sum of the passage, so that a link never shows other text
than it was made for. Whatever an address says is checked against the index before anything is shown.
"""

import hashlib
import re
from bisect import bisect_right
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from rag_dolly.app import session
from rag_dolly.app.engine import OpenIndex

NAMES = ("doc", "at", "is")
MAX_PASSAGE = 20_000
_AT = re.compile(r"(\d{1,9})-(\d{1,9})")
_CHECK = re.compile(r"[0-9a-f]{8}")


def address(source: str, start: int, end: int, text: str) -> str:
    """Return the link to a passage, relative to the page."""
    return "./?" + urlencode({"doc": source, "at": f"{start}-{end}", "is": check(text)})


def check(text: str) -> str:
    """Return the check sum of a passage: 8 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def follow(index: OpenIndex) -> None:
    """Open what the address of this visit names, once; if it is not there, note a line on why."""
    given = {name: str(st.query_params[name]) for name in NAMES if name in st.query_params}
    if not given:
        return
    for name in given:
        del st.query_params[name]
    found = find(index, *(given.get(name, "") for name in NAMES))
    if isinstance(found, str):
        st.session_state["link-problem"] = found
    else:
        session.open_place(found)


def problem() -> str:
    """Return why the link of this visit shows nothing, once; else ""."""
    return str(st.session_state.pop("link-problem", ""))


def find(index: OpenIndex, doc: str, at: str, passage_check: str) -> dict[str, Any] | str:
    """Return the passage that a link names as the page shows sources, or a line that says why it does not."""
    place = _AT.fullmatch(at)
    if place is None or not _CHECK.fullmatch(passage_check):
        return "This link does not name a passage: it was not copied whole."
    document = index.read_document(doc)
    if document is None:
        return "The document of this link is not in the index."
    start, end = int(place[1]), int(place[2])
    text = document.text[start:end]
    if not 0 < end - start <= MAX_PASSAGE or check(text) != passage_check:
        return "The document of this link has changed: the passage is no longer where the link says."
    page = bisect_right(document.page_starts, start) or None
    return {"source": document.source, "page": page, "start": start, "end": end, "text": text, "place": ""}
