"""Names and other words of a user's list, taken out of a text: of people, streets, customers, projects.

An entry is found where its words stand whole and in order, whatever their letter case and whatever signs and spaces are
between them: "Ann Lee" in "ANN LEE's" and over the end of a line. Chinese, Japanese and Korean are compared character
by character. Time grows with the text alone, not with the list.

Limits: other forms of a name (initials, inflected, written without its accents) are entries of their own, and so are
names in scripts without spaces, but for those three.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from rag_dolly.errors import RagDollyError

REDACTED = "[redacted]"
GAP = 3
"""The most signs and spaces between two words of an entry."""


class Words(NamedTuple):
    """Entries as words in lower case, and of how many words those are that begin with a word, most first."""

    entries: frozenset[tuple[str, ...]]
    lengths: dict[str, list[int]]

    @classmethod
    def of(cls, entries: Iterable[Sequence[str]]) -> "Words":
        """Return entries, of one word at least each, ready to be looked up."""
        found = frozenset(map(tuple, entries))
        lengths: dict[str, set[int]] = {}
        for entry in found:
            lengths.setdefault(entry[0], set()).add(len(entry))
        return cls(found, {first: sorted(counts, reverse=True) for first, counts in lengths.items()})

    def without(self, text: str) -> tuple[str, int]:
        """Return a text without the entries, in Unicode's composed form, and how many were found."""
        text = unicodedata.normalize("NFC", text)
        tokens = list(_tokens().finditer(text))
        words = [token[0].casefold() for token in tokens]
        pieces, done, place, count = [], 0, 0, 0
        while place < len(tokens):
            length = self._length(words, tokens, place)
            if length:
                pieces += [text[done : tokens[place].start()], REDACTED]
                done, count = tokens[place + length - 1].end(), count + 1
            place += length or 1
        return "".join([*pieces, text[done:]]), count

    def _length(self, words: Sequence[str], tokens: Sequence[Any], place: int) -> int:
        """Return of how many words the longest entry is that stands at a place, 0 if none does."""
        for length in self.lengths.get(words[place], ()):
            near = tokens[place : place + length]
            gaps = (after.start() - before.end() for before, after in pairwise(near))
            if tuple(words[place : place + length]) in self.entries and all(gap <= GAP for gap in gaps):
                return length
        return 0


def entries_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a user's file with their numbers, but for empty ones and those that begin with #.

    Raises `RagDollyError` if it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RagDollyError(f"{path} cannot be read: {error}") from error
    yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#"))


def read_words(path: Path) -> Words:
    """Return the entries of a file, one a line; empty lines and those that begin with # say nothing.

    Raises `RagDollyError` if it cannot be read, or a line has neither letter nor digit.
    """
    entries = []
    for number, line in entries_of(path):
        entry = [word.casefold() for word in _tokens().findall(unicodedata.normalize("NFC", line))]
        if not entry:
            raise RagDollyError(f"{path}, line {number}: expected a name or another word, found {line[:40]!r}.")
        entries.append(entry)
    return Words.of(entries)


@cache
def _tokens() -> Any:
    """Return the expression for a word, or a character of a script that writes words together."""
    import regex  # type: ignore[import-untyped]

    together = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
    return regex.compile(rf"(?V1)[{together}]|[[\p{{L}}\p{{N}}\p{{M}}]--[{together}]]+")
