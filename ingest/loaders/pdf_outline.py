"""The bookmarks of a PDF to headings: each is looked for in the text of the page it points to.

A bookmark whose words do not stand on the page in lines of their own is left out.
"""

import re
import unicodedata
from collections.abc import Sequence, Set

from ingest.loaders.pdf_layout import Line, Placed

_LINES = 3
"""A heading is looked for in at most so many lines."""
_LONGEST = 200
_NUMBER = re.compile(r"(?:(?:item|part|chapter|section|appendix|kapitel) )?(?:\d+[a-z]?|[ivx]{1,5}|[a-z]) (?:\d+ )*")
"""What may stand before a heading, after `_key` took the punctuation away."""
_WORDS = re.compile(r"[^\w]+")


def place(
    text: str, lines: Sequence[Line], bookmarks: Sequence[tuple[str, int]], running: Set[int] = frozenset()
) -> list[Placed]:
    """Return where the bookmarks, pairs of title and level, stand on the page: in order, not overlapping.

    The lines with the numbers `running`, which are running heads, are taken only for titles not found elsewhere.
    """
    if not bookmarks:
        return []
    keys = [_key(text[line.start : line.end]) if line.end - line.start <= _LONGEST else "" for line in lines]
    proper = ["" if number in running else key for number, key in enumerate(keys)]
    placed: list[Placed] = []
    taken: set[int] = set()
    after = 0
    for title, level in bookmarks:
        key = _key(title)
        found = _find(proper, key, taken, after) or _find(proper, key, taken, 0) or _find(keys, key, taken, 0)
        if found:
            placed.append(Placed(*found, level))
            taken.update(range(found[0], found[1] + 1))
            after = found[1] + 1
    return sorted(placed)


def _find(keys: Sequence[str], title: str, taken: set[int], after: int) -> tuple[int, int] | None:
    """Return the first and last line of the title; with its number if it stands so, else without."""
    if not title:
        return None
    for same in (_same, _same_but_number):
        for first in range(after, len(keys)):
            for last in range(first, min(first + _LINES, len(keys))):
                if last in taken:
                    break
                if same(" ".join(keys[first : last + 1]), title):
                    return first, last
    return None


def _same(words: str, title: str) -> bool:
    return words == title


def _same_but_number(words: str, title: str) -> bool:
    bare_words, bare_title = _NUMBER.sub("", words, count=1), _NUMBER.sub("", title, count=1)
    return len(bare_title) > 3 and (bare_words in (title, bare_title) or words == bare_title)


def _key(title: str) -> str:
    """Return the words of a title as they are compared: no case, punctuation, ligatures or accents."""
    decomposed = unicodedata.normalize("NFKD", title).casefold()
    return _WORDS.sub(" ", "".join(char for char in decomposed if not unicodedata.combining(char))).strip()
