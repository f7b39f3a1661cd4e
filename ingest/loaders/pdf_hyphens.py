r"""Words that a hyphen divides at the end of a line are put together again, each character with its index.

A hyphen between two letters is taken for one that only the line end made and goes, unless the page or the words
say otherwise: the form with the hyphen stands elsewhere on the page, both halves are words of the page, a capital
or a digit follows. Then it stays and only the line end goes. No dictionary is used, so a guess can be wrong:
"re-\ncover" becomes "recover".
"""

import re

_BROKEN = re.compile(r"(?<=\w)[-‐]\n[ \t]*(?=\w)")
_BEFORE = re.compile(r"[\w\-‐’']+\Z")
_AFTER = re.compile(r"[\w\-‐’']+")
_DIVIDED = re.compile(r"[\w\-‐’']{1,60}[-‐]\n[ \t]*[\w\-‐’']{1,60}")
_WORD_LENGTH = 60
_SUSPENDED = frozenset("and or und oder bzw bis et ou e ed y o und/oder".split())
"""After these the hyphen stands for a word that follows: "pre- and post-war"."""
_ALWAYS_HYPHENATED = frozenset("self well twenty thirty forty fifty sixty seventy eighty ninety".split())
_CLOSED = frozenset("some every with there where over under when what which".split())
"""First halves of words that are written as one although both halves are words."""
_SHORTEST_HALF = 4


def join_lines(text: str, indices: list[int]) -> tuple[str, list[int]]:
    """Return `text` with divided words joined, and the indices of the characters that remain."""
    breaks = list(_BROKEN.finditer(text))
    if not breaks:
        return text, indices
    words = set(_AFTER.findall(_DIVIDED.sub(" ", text).casefold().replace("‐", "-")))
    kept: list[str] = []
    kept_indices: list[int] = []
    at = 0
    for found in breaks:
        left = _BEFORE.search(text, max(0, found.start() - _WORD_LENGTH), found.start())
        right = _AFTER.match(text, found.end(), found.end() + _WORD_LENGTH)
        hyphen, line_end = _stay(left[0] if left else "", right[0] if right else "", words)
        kept += text[at : found.start() + hyphen], text[found.start() + 1 : found.end()] if line_end else ""
        kept_indices += indices[at : found.start() + hyphen]
        kept_indices += indices[found.start() + 1 : found.end()] if line_end else []
        at = found.end()
    return "".join(kept) + text[at:], kept_indices + indices[at:]


def _stay(left: str, right: str, words: set[str]) -> tuple[bool, bool]:
    """Return whether the hyphen between two halves stays, and whether the line end does."""
    if right in _SUSPENDED:
        return True, True
    first, second = left.casefold(), right.casefold().strip("-‐’'")
    if first + second in words:
        return False, False
    return _is_compound(left, right, first, second, words), False


def _is_compound(left: str, right: str, first: str, second: str, words: set[str]) -> bool:
    if not left[-1:].isalpha() or not right[:1].isalpha() or right[:1] != right[:1].lower():
        return True
    if f"{first}-{second}" in words or "-" in first or "-" in second or first in _ALWAYS_HYPHENATED:
        return True
    if len(first) == 1 or len(second) == 1:
        return True
    both_words = first in words and second in words and first not in _CLOSED
    return both_words and min(len(first), len(second)) >= _SHORTEST_HALF
