"""The page Health: what leaves the machine, what works, and the settings in words. It changes nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from rag_dolly.app import markup, states
from rag_dolly.app.engine import Engine
from rag_dolly.app.entry.sign_in import COOKIE, SIGN_OUT
from rag_dolly.app.privacy import what_leaves
from rag_dolly.app.sizes import on_disk, size
from rag_dolly.jobs import TOGETHER

Rows = Sequence[tuple[str, str]]
_STATES = {
    "opening": "is being opened",
    "missing": "there is none yet: add documents on the page Library",
    "loading": "is loading; questions are taken already",
    "ready": "ready",
}
_WORDS = {
    ("embedder", "auto"): "the one that comes with rag-dolly",
    ("reranker", "auto"): "the built-in one, token by token, where passages are close",
    ("reranker", "none"): "none",
    ("reranker", "maxsim"): "the built-in one, token by token",
    ("model", "auto"): "the best one on this machine",
    ("model", "none"): "none: answers are quotes",
    ("served_model", "auto"): "the only one of the server",
    ("device", "auto"): "a GPU if there is one, else the processor",
    ("quantize", "auto"): "as many as fit",
    ("offload", "False"): "no",
    ("offload", "True"): "yes",
    ("offline", "False"): "no: the hub is asked for a model that you name",
    ("offline", "True"): "yes",
    ("keep_conversations", "False"): "no",
    ("keep_conversations", "True"): "yes",
}
_NAMES = {
    "index": "Index folder",
    "embedder": "Embedder",
    "reranker": "Reranker",
    "model": "Language model",
    "served_model": "Model of a server",
    "device": "Device",
    "quantize": "Bits for each weight",
    "offload": "Main memory helps the GPU",
    "offline": "Work offline",
    "top_k": "Passages for an answer",
    "max_tokens": "Longest answer, in tokens",
    "keep_conversations": "Keep conversations",
}


def show(engine: Engine) -> None:
    """Draw the page."""
    with st.container(key="health"):
        st.html(markup.element("h1", "rd-title", "Health"))
        settings = engine.backend.settings()
        _privacy(engine, settings)
        _now(engine)
        _checked(engine)
        _settings(settings)
        _sign_out()


def _sign_out() -> None:
    """Offer to sign out where a token was asked for."""
    if any(name.startswith(COOKIE) for name in st.context.cookies):
        st.html(f'<a class="rd-copy" href="{SIGN_OUT}" target="_self">Sign out</a>')


def leaves(model: str, settings: Sequence[tuple[str, str, str, str]], is_shared: bool = False) -> list[str]:
    """Return what leaves the machine and what cannot, a line each; the first says the most."""
    values = {name: value for name, value, _, _ in settings}
    named = [name for name in ("model", "embedder", "reranker") if _is_hub_name(values.get(name, ""))]
    hub = "No model hub is asked."
    if named and values.get("offline") != "True":
        hub = (
            f"The files of {' and '.join(values[name] for name in named)} are fetched from the Hugging Face hub "
            "if they are not on this machine; that request names the model and nothing else."
        )
    return [
        what_leaves(model, is_shared) + ".",
        hub,
        "The page asks no other host, whatever stands in a document.",
        "Usage statistics of all libraries are off.",
    ]


def _is_hub_name(value: str) -> bool:
    """Whether a model is named as the hub names it: "owner/name"."""
    return value.count("/") == 1 and not value.startswith((".", "/", "~")) and not Path(value).exists()


def _privacy(engine: Engine, settings: Sequence[tuple[str, str, str, str]]) -> None:
    first, *others = leaves(engine.backend.model, settings, engine.is_shared)
    items = "".join(markup.element("li", "rd-line", line) for line in others)
    _heading("What leaves this machine")
    st.html(f'<div class="rd-card">{markup.element("p", "rd-abstained", first)}<ul>{items}</ul></div>')


def _now(engine: Engine) -> None:
    """Draw what is known without looking."""
    _heading("Now")
    if engine.state == "failed":
        states.banner(engine)
    place = engine.backend.index_dir
    is_open = engine.index is not None
    index = f"open · {size(on_disk(place))} on disk · {place}" if is_open else _STATES.get(engine.state, "not open")
    model = engine.note.removeprefix("Model: ") if engine.state == "ready" else ""
    rows = [
        ("Index", index),
        ("Language model", model or (_STATES.get(engine.state, "not loaded") if is_open else "waits for the index")),
        ("Questions", f"up to {TOGETHER} are answered at a time"),
    ]
    st.html(_table(rows))


def _checked(engine: Engine) -> None:
    """Draw the button that looks at everything, and what was found when this session last did."""
    if st.button("Check everything", key="examine", icon=":material/health_and_safety:"):
        with st.spinner("Checking the packages, the device, the models and the whole index…"):
            st.session_state["examined"] = engine.backend.examine()
    found: Mapping[str, Any] | None = st.session_state.get("examined")
    if found is None:
        return
    problems = list(found["problems"])
    if problems:
        for line in problems:
            st.html(f'<p class="rd-problem" role="alert">{states.coded(str(line))}</p>')
    else:
        st.success("Nothing is wrong.", icon=":material/check_circle:")
    for title in ("device", "index", "models", "versions"):
        st.html(markup.element("h3", "rd-label", title.capitalize()))
        st.html(_table([(str(name), str(value)) for name, value in found.get(title, {}).items()]))


def _settings(settings: Sequence[tuple[str, str, str, str]]) -> None:
    _heading("Settings")
    how = "To change one, write its key into `rag-dolly.toml` (`top_k = 8`), then start the page again."
    st.html(f'<p class="rd-note">{states.coded(how)}</p>')
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Setting", "Now", "Set by", "Key"))
    body = "".join(_setting(*line) for line in settings)
    st.html(f'<table class="rd-table rd-settings"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def _setting(name: str, value: str, where: str, about: str) -> str:
    what = markup.element("span", "rd-fact", _NAMES.get(name, about))
    cells = (
        markup.escape(_WORDS.get((name, value), value)),
        markup.escape(where),
        f"<code>{markup.escape(name)}</code>",
    )
    return f'<tr><th scope="row">{what}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _heading(text: str) -> None:
    st.html(markup.element("h2", "rd-section", text))


def _table(rows: Rows) -> str:
    lines = "".join(
        f'<tr><th scope="row">{markup.escape(name)}</th><td>{markup.escape(value)}</td></tr>' for name, value in rows
    )
    return f'<table class="rd-table rd-pairs"><tbody>{lines}</tbody></table>'
