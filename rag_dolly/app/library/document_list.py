"""The documents of the index: folder by folder, or those that a search finds, some at a time."""

from collections.abc import Callable
from pathlib import PurePosixPath
from zlib import crc32

import streamlit as st

from ingest import listing
from ingest.listing import Folder, Look, Tally
from ingest.records import DocumentRow
from rag_dolly.app import markup
from rag_dolly.app.engine import Engine, OpenIndex
from rag_dolly.app.library import run_view, runs
from rag_dolly.app.sizes import counted, size

PER_PAGE = 30
_NAMES = {
    "": "All",
    "indexed": "Read",
    "partial": "In part",
    "failed": "Could not be read",
    "skipped": "Passed over",
}
_ICONS = {"indexed": "description", "partial": "warning", "failed": "error", "skipped": "block"}


def state_of(row: DocumentRow) -> str:
    """Return which of the states of `ingest.listing` a document is in."""
    return "partial" if row.state == "indexed" and row.reason else row.state


def draw(engine: Engine, index: OpenIndex) -> None:
    """Draw search, states, folders and documents."""
    look = _asked(index)
    if not look.text:
        _path(look)
    shown = _entries(index, look)
    if not shown:
        st.html(markup.element("p", "rd-note rd-empty", "No document here is like that."))
    with st.container(key="documents", gap="xxsmall"):
        for number, entry in enumerate(shown):
            if isinstance(entry, Folder):
                _folder(number, entry)
            else:
                _document(number, entry, is_whole=bool(look.text))
    if not look.text and not look.state:
        _folder_actions(engine, index, look.folder)


def _asked(index: OpenIndex) -> Look:
    """Draw the search box and the states, and return what they ask for."""
    state = st.session_state
    folder = str(state.get("look-folder", ""))
    within = f" in {PurePosixPath(folder).name}" if folder else ""
    text = st.text_input(
        f"Find documents{within}",
        key="look-text",
        type="search",
        live=True,
        placeholder="Words in the name or the title",
        max_chars=200,
    )
    tally = listing.tally(index.database, Look(folder, text or ""))
    options = [name for name in _NAMES if name == "" or getattr(tally, name)]
    if state.get("look-state") not in options:
        state["look-state"] = ""
    if len(options) > 2 or options[1:] == ["failed"]:
        st.segmented_control(
            "State",
            options,
            key="look-state",
            format_func=lambda name: f"{_NAMES[name]} {_number(tally, name):,}",
            label_visibility="collapsed",
            required=True,
        )
    return Look(folder, text or "", str(state["look-state"] or ""))


def _number(tally: Tally, name: str) -> int:
    return int(getattr(tally, name)) if name else tally.indexed + tally.partial + tally.failed


def _entries(index: OpenIndex, look: Look) -> list[Folder | DocumentRow]:
    """Draw which page is shown if there are several, and return what is on it: folders first."""
    db, is_flat = index.database, bool(look.text)
    folders = [] if is_flat else listing.folders(db, look)
    files = _number(listing.tally(db, look), look.state) if is_flat else listing.count_here(db, look)
    pages = max(1, -(-(len(folders) + files) // PER_PAGE))
    number = 1
    if pages > 1:
        key = f"pages-{crc32(repr(look).encode())}-{pages}"
        with st.container(horizontal=True, vertical_alignment="center", key="pages"):
            st.html(markup.element("p", "rd-note", _range(len(folders), files)))
            number = st.pagination(pages, key=key, max_visible_pages=5)
    first = (number - 1) * PER_PAGE
    shown: list[Folder | DocumentRow] = list(folders[first : first + PER_PAGE])
    shown += listing.files(db, look, max(0, first - len(folders)), PER_PAGE - len(shown), is_flat)
    return shown


def _range(folders: int, files: int) -> str:
    parts = [counted(folders, "folder") if folders else "", counted(files, "document") if files else ""]
    return " · ".join(part for part in parts if part)


def _path(look: Look) -> None:
    """Draw the folders that lead to this one, each a button."""
    if not look.folder:
        return
    parts = look.folder.split("/")
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="path"):
        st.button("All folders", key="crumb-0", type="tertiary", icon=":material/home:", on_click=_enter, args=("",))
        for depth, part in enumerate(parts, 1):
            above = "/".join(parts[:depth])
            st.button(
                markup.label(part, 60),
                key=f"crumb-{depth}",
                type="tertiary",
                icon=":material/chevron_right:",
                on_click=_enter,
                args=(above,),
                disabled=depth == len(parts),
            )


def _folder(number: int, folder: Folder) -> None:
    facts = [
        counted(folder.read + folder.partial, "document"),
        f"{folder.partial:,} in part" if folder.partial else "",
        f"{folder.failed:,} could not be read" if folder.failed else "",
        size(folder.bytes) if folder.bytes else "",
    ]
    _line(f"dir-{number}", PurePosixPath(folder.path).name, facts, "folder", _enter, folder.path)


def _document(number: int, row: DocumentRow, is_whole: bool) -> None:
    state = state_of(row)
    name = row.source if is_whole else PurePosixPath(row.source).name or row.source
    if state in ("failed", "skipped"):
        facts = [markup.shorten(row.reason, 120)]
    else:
        facts = [
            markup.shorten(row.reason.splitlines()[0], 60) if state == "partial" else "",
            counted(row.passages, "passage"),
            size(row.bytes),
        ]
    _line(f"doc-{number}", name, facts, _ICONS.get(state, "description"), _open, row.source)


def _line(key: str, name: str, facts: list[str], icon: str, act: Callable[[str], None], value: str) -> None:
    """Draw one line of the list: a button with a name and what is said of it."""
    said = markup.label(" · ".join(fact for fact in facts if fact), 200)
    st.button(
        f"**{markup.label(name, 160)}** *{said}*",
        key=key,
        type="tertiary",
        icon=f":material/{icon}:",
        width="stretch",
        on_click=act,
        args=(value,),
    )


def _folder_actions(engine: Engine, index: OpenIndex, folder: str) -> None:
    """Draw what can be done with a folder: look for changes, read all of it again, forget it."""
    what = f"“{PurePosixPath(folder).name}”" if folder else "all folders"
    with st.container(horizontal=True, gap="small", key="folder-actions"):
        busy = run_view.is_busy()
        st.button(
            "Look for changes",
            key="folder-update",
            icon=":material/refresh:",
            help=markup.label(f"Reads what is new or has changed in {what}, and removes what is gone."),
            on_click=again,
            args=(engine, folder, False),
            disabled=busy,
        )
        st.button(
            "Read all again",
            key="folder-anew",
            icon=":material/restart_alt:",
            help=markup.label(f"Opens every file in {what} again, also unchanged ones."),
            on_click=again,
            args=(engine, folder, True),
            disabled=busy,
        )
        if folder:
            st.button(
                "Forget",
                key="folder-forget",
                icon=":material/delete:",
                on_click=ask_to_forget,
                args=(folder,),
                disabled=busy,
            )
    if folder and st.session_state.get("forget-asked") == folder:
        confirm(engine, folder, listing.sources_below(index.database, folder))


def again(engine: Engine, within: str, anew: bool) -> None:
    """Read a document or folder ("" for all) again, in the background."""
    name = PurePosixPath(within).name or "all folders"
    run = runs.Run(f"Reading {name} again" if anew else f"Looking for changes in {name}")
    st.session_state["run"] = runs.begin(engine, run, lambda tell: engine.backend.read_again(within, anew, tell))


def ask_to_forget(what: str) -> None:
    """Let the page ask whether a document or folder is to be forgotten."""
    st.session_state["forget-asked"] = what


def confirm(engine: Engine, what: str, sources: list[str]) -> None:
    """Draw the question whether to forget, with what it means."""
    with st.container(key="forget-confirm", border=True, gap="small"):
        name = PurePosixPath(what).name
        number = f" and {len(sources):,} documents in it" if sources != [what] else ""
        st.html(
            markup.element("p", "rd-place", f"Forget {name}{number} for good?")
            + markup.element(
                "p", "rd-note", "Text, words and vectors are wiped from the index. Files in your folders stay."
            )
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Forget",
                key="forget-yes",
                type="primary",
                icon=":material/delete:",
                on_click=_forget,
                args=(engine, sources),
            )
            st.button("Keep", key="forget-no", on_click=ask_to_forget, args=("",))


def _forget(engine: Engine, sources: list[str]) -> None:
    ask_to_forget("")
    close()
    _enter("")
    st.session_state["run"] = runs.forget(engine, sources)


def _enter(folder: str) -> None:
    st.session_state["look-folder"] = folder


def _open(source: str) -> None:
    st.query_params["document"] = source


def close() -> None:
    """Go from an opened document back to the list."""
    st.query_params.pop("document", None)
