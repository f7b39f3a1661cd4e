"""Text as it was wrapped in its file, for reading: line breaks inside a paragraph become spaces.

The result is exactly as long as the text, so offsets stay valid. What looks like a list, a table, a heading, code
or verse keeps its line breaks; so does text of scripts that put no spaces between words.
"""

import re

_SHORTEST_WRAPPED_LINE = 50
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_CONTINUES = re.compile(r"[^\W_]|[\"'(\[`*_“‘<&]")
_ITEM = re.compile(r"(?:[*•]|\d{1,3}[.)])\s")
_FIRST_UNSPACED_LETTER = 0x2E80


def reflow(text: str) -> str:
    """Return `text` with the line breaks that only wrap a paragraph replaced by spaces."""
    lines = text.split("\n")
    joined: list[str] = []
    fenced = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        fence = bool(_FENCE.match(line))
        fenced ^= fence
        joined += [line, " " if not (fenced or fence) and _wraps(line, following) else "\n"]
    return "".join(joined[:-1])


def _wraps(line: str, following: str) -> bool:
    """Whether the break between two lines only wraps a paragraph."""
    if len(line) < _SHORTEST_WRAPPED_LINE or line.startswith(("#", "|", "    ", "\t")):
        return False
    continues = _CONTINUES.match(following) is not None and _ITEM.match(following) is None
    return continues and ord(line[-1]) < _FIRST_UNSPACED_LETTER
