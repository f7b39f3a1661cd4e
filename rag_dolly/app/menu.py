"""On a narrow screen the list of pages lies over the page: it closes once a page is chosen.

The script listens for clicks on Streamlit's links to pages and presses Streamlit's own button; it writes no markup.
"""

import streamlit as st

_SCRIPT = """
export default function () {
  const onClick = (event) => {
    const link = event.target.closest ? event.target.closest('[data-testid="stSidebarNavLink"]') : null;
    const close = document.querySelector('[data-testid="stSidebarCollapseButton"] button');
    if (link && close && window.innerWidth <= 832) setTimeout(() => close.click(), 0);
  };
  document.addEventListener('click', onClick);
  return () => document.removeEventListener('click', onClick);
}
"""

_listener = None


def listen() -> None:
    """Listen. Call it once in a run, always at the same place."""
    global _listener
    if _listener is None:
        _listener = st.components.v2.component("rag_dolly_menu", js=_SCRIPT)
    _listener(key="menu")
