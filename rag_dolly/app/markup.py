"""Foreign text made safe: nothing else in this package builds Markdown or HTML from it.

Foreign is all that comes from documents, models, file names, questions and error lines. `label` is for places
where Streamlit insists on Markdown (buttons, alerts, captions); the other functions return HTML for `st.html`.
HTML is preferred, as it has one escape and no second reading: Streamlit turns `:name:`, `->`, bare addresses
and the like into something else even after Markdown's own backslashes, so `label` also parts them with an
invisible word joiner.
"""

import re
from collections.abc import Collection
from html import escape as escape_html

from rag_dolly.inert import visible

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SECOND_READING = re.compile(
    r"(?<=:)(?=[A-Za-z0-9_+/-])"  # :smile:  :material/home:  :red[x]  http:
    r"|(?<=www)(?=\.)|(?<=@)(?=\w)|(?<=\w)(?=@)"  # www.example  a@b.example
    r"|(?<=[-<=])(?=[->=])|(?<=<)(?=-)|(?<=[a-zA-Z]:)(?=//)",  # -> <- -- >= and http://
)
_JOINER = "\u2060"
_MARKER = re.compile(r"\[([1-9]\d{0,2})\]")
_BULLET = re.compile(r"[-*\u2022]\s+(.+)$")
_ITEM = re.compile(r"(?:[-*\u2022]|\d{1,2}[.)])\s+\S")
_ENDS_WITH_MARKER = re.compile(r"\[\d{1,3}\]$")
_SPACES = re.compile(r"\s+")


def escape(text: str) -> str:
    """Return HTML that shows `text` literally, without what nobody sees or what turns the order of letters."""
    return escape_html(visible(text))


def label(text: str, limit: int = 400) -> str:
    """Return Markdown that shows `text` literally on one line, cut to `limit` characters."""
    parted = _SECOND_READING.sub(_JOINER, shorten(text, limit))
    return _PUNCTUATION.sub(r"\\\1", parted)


def shorten(text: str, limit: int) -> str:
    """Return `text` on one line, cut at a word to at most `limit` characters, with an ellipsis if cut."""
    line = visible(_SPACES.sub(" ", text)).strip()
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[limit // 2 :] else cut).rstrip() + "…"


def element(tag: str, css_class: str, text: str) -> str:
    """Return one HTML element with `text` in it, literally; tag and class are this program's own words."""
    return f'<{tag} class="{css_class}">{escape(text)}</{tag}>'


def marked(before: str, passage: str, after: str) -> str:
    """Return a passage in its surroundings, with the passage marked, line breaks kept."""
    return (
        '<div class="rd-document" tabindex="0" role="document" dir="auto">'
        f'{escape(before)}<mark id="rd-mark">{escape(passage)}</mark>{escape(after)}</div>'
    )


def position(top: float) -> str:
    """Return an invisible note for the page's script: how far down a picture (0..1) the passage begins."""
    return f'<span class="rd-position" data-top="{top:.3f}"></span>'


def copied(address: str) -> str:
    """Return a link to this page that a click copies (`links.py`); without the script it is followed."""
    return f'<a class="rd-copy" href="{escape_html(address)}" target="_self" role="button">Copy link</a>'


def answer(text: str, numbers: Collection[int], turn: int, opened: int | None = None) -> str:
    """Return an answer as HTML: paragraphs, simple lists, and a link for each marker that is a citation.

    A marker `[n]` becomes a link only when `n` is in `numbers`; all others stay text. `turn` is the position
    of the question in the conversation; the link of the citation `opened` is marked as the current one.
    """
    blocks: list[str] = []
    for block in _blocks(text):
        bullet = _BULLET.match(block)
        content = _link(bullet.group(1) if bullet else block, numbers, turn, opened)
        blocks.append(f"<li>{content}</li>" if bullet else f"<p>{content}</p>")
    return f'<div class="rd-answer">{"".join(_wrap_lists(blocks))}</div>'


def short(text: str, number: int, turn: int, opened: int | None = None) -> str:
    """Return the words that answer in short as HTML, with the link of their citation."""
    return f'<p class="rd-short">{escape(text)}{_marker(number, turn, number == opened)}</p>'


def _blocks(text: str) -> list[str]:
    """Return the paragraphs and list items of an answer, each on one line.

    A line break inside a sentence is how the source was wrapped and means nothing; a blank line, a list item, or
    a break right after a marker means a new block.
    """
    blocks: list[str] = []
    fresh = True
    for line in text.splitlines():
        line = line.strip()
        if line and (fresh or _ITEM.match(line) or _ENDS_WITH_MARKER.search(blocks[-1])):
            blocks.append(line)
        elif line:
            blocks[-1] += f" {line}"
        fresh = not line
    return blocks


def _wrap_lists(blocks: list[str]) -> list[str]:
    wrapped: list[str] = []
    for block in blocks:
        follows = bool(wrapped) and wrapped[-1].endswith("</ul>")
        if not block.startswith("<li>"):
            wrapped.append(block)
        elif follows:
            wrapped[-1] = wrapped[-1].removesuffix("</ul>") + block + "</ul>"
        else:
            wrapped.append(f"<ul>{block}</ul>")
    return wrapped


def _link(line: str, numbers: Collection[int], turn: int, opened: int | None) -> str:
    """Return a line escaped, its known markers as links."""
    parts = _MARKER.split(line)
    pieces = [escape(parts[0])]
    for digits, text in zip(parts[1::2], parts[2::2], strict=True):
        number = int(digits)
        if number in numbers:
            pieces[-1] = pieces[-1].rstrip()
            pieces.append(_marker(number, turn, number == opened))
        else:
            pieces.append(f"[{digits}]")
        pieces.append(escape(text))
    return "".join(pieces)


def _marker(number: int, turn: int, current: bool) -> str:
    state = ' aria-current="true"' if current else ""
    return (
        f'<a class="rd-cite" href="#cite-{turn}-{number}" aria-label="Source {number}"{state}>'
        f'<span class="rd-bracket">[</span>{number}<span class="rd-bracket">]</span></a>'
    )
