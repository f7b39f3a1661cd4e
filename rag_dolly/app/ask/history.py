"""Conversations of earlier days beside the page: searched, opened, renamed, exported, deleted for good."""

import streamlit as st

from rag_dolly import conversations
from rag_dolly.app import markup, session
from rag_dolly.app.ask import kept, turn_actions
from rag_dolly.app.engine import Engine
from rag_dolly.conversations import Conversation
from rag_dolly.errors import RagDollyError

SHOWN = 40
"""So many conversations are listed at first, and so many more each time."""


def draw(engine: Engine) -> None:
    """Draw the list in the sidebar, if conversations are kept."""
    if not kept.is_on(engine):
        return
    with st.sidebar, st.container(key="history", gap="small"):
        st.html(markup.element("h2", "rd-label", "Conversations"))
        words = st.text_input(
            "Search conversations",
            key="history-search",
            placeholder="Search",
            icon=":material/search:",
            label_visibility="collapsed",
        )
        _listed(engine, words)
        if conversations.listed(engine.backend.index_dir):
            st.button("Delete all…", key="delete-all", type="tertiary", on_click=_ask_all, disabled=session.busy())
        if line := st.session_state.pop("history-problem", ""):
            st.error(markup.label(line, 400))
    if st.session_state.pop("asks-all", False):
        _confirm_all(engine)


def _listed(engine: Engine, words: str) -> None:
    found = conversations.listed(engine.backend.index_dir, words)
    if not found:
        line = "No conversation has these words." if words.strip() else "What you ask is kept here."
        st.html(markup.element("p", "rd-note", line))
    open_now = kept.current()
    count = int(st.session_state.get("history-count", SHOWN))
    with st.container(key="history-list", gap="xxsmall"):
        for one in found[:count]:
            is_open = open_now is not None and open_now.conversation.id == one.id
            st.button(
                markup.label(one.title, 60),
                key=f"chat-{one.id}",
                type="secondary" if is_open else "tertiary",
                width="stretch",
                on_click=_open,
                args=(engine, one.id),
                disabled=session.busy(),
            )
    if len(found) > count:
        st.button("Show more", key="history-more", type="tertiary", on_click=_more, args=(count,))


def tools(engine: Engine) -> None:
    """Draw what can be done with the conversation that is open."""
    with st.container(horizontal=True, gap="xsmall", key="conversation-tools"):
        st.button("New conversation", key="forget", icon=":material/add:", type="tertiary", on_click=session.forget)
        open_now = kept.current()
        title = open_now.conversation.title if open_now else conversations.title_of(_turns()[:1])
        with st.popover("Export all", icon=":material/download:", type="tertiary", key="export-all"):
            turn_actions.files(_turns(), title, "conversation", "all-file")
        if open_now is not None and kept.is_on(engine):
            with st.popover("Rename", icon=":material/edit_note:", type="tertiary", key="rename"):
                _rename(engine, open_now.conversation)
            with st.popover("Delete", icon=":material/delete:", type="tertiary", key="delete"):
                st.html(markup.element("p", "rd-note", "It is deleted from the disk and cannot be brought back."))
                st.button("Delete for good", key="delete-one", type="primary", on_click=_delete, args=(engine,))
    open_now = kept.current() or st.session_state.get("keeper")
    if open_now is not None and open_now.problem:
        st.warning(markup.label(open_now.problem, 400), icon=":material/warning:")


def _turns() -> list[conversations.Turn]:
    return [kept.turn_of(job) for job in session.jobs()]


def _rename(engine: Engine, conversation: Conversation) -> None:
    title = st.text_input("Title", conversation.title, max_chars=conversations.TITLE_LENGTH, key="new-title")
    st.button("Save", key="rename-save", type="primary", on_click=_save_title, args=(engine, conversation.id, title))


def _save_title(engine: Engine, id: str, title: str) -> None:
    open_now = kept.current()
    try:
        renamed = conversations.rename(engine.backend.index_dir, id, title)
    except RagDollyError as error:
        if open_now is not None:
            open_now.problem = str(error)
        return
    if renamed is not None and open_now is not None:
        open_now.conversation = renamed


def _open(engine: Engine, id: str) -> None:
    found = conversations.load(engine.backend.index_dir, id)
    if found is not None:
        session.resume(engine, found)


def _more(count: int) -> None:
    st.session_state["history-count"] = count + SHOWN


def _delete(engine: Engine) -> None:
    open_now = kept.current()
    if open_now is None or session.busy():
        return
    try:
        conversations.delete(engine.backend.index_dir, open_now.conversation.id)
    except RagDollyError as error:
        open_now.problem = str(error)
        return
    session.forget()


def _ask_all() -> None:
    st.session_state["asks-all"] = True


@st.dialog("Delete all conversations?")
def _confirm_all(engine: Engine) -> None:
    count = len(conversations.listed(engine.backend.index_dir))
    what = "1 conversation is" if count == 1 else f"{count:,} conversations are"
    st.html(markup.element("p", "rd-note", f"{what} deleted from the disk and cannot be brought back."))
    if st.button("Delete all for good", key="delete-all-now", type="primary", on_click=_delete_all, args=(engine,)):
        st.rerun()


def _delete_all(engine: Engine) -> None:
    try:
        conversations.delete_all(engine.backend.index_dir)
    except RagDollyError as error:
        st.session_state["history-problem"] = str(error)
        return
    session.forget()
