"""A question and a passage as one sequence of the reader's tokens; the same for training and for reading.

`[CLS] question [SEP] passage [SEP]`, all of one token type as the base model was trained. A passage that is too long is
read in windows that overlap by half.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CLS, SEP = 101, 102
QUESTION_TOKENS = 64
"""Tokens of a question that are read."""
WINDOW = 320
"""Tokens of a pair, special ones included."""


class Text(NamedTuple):
    """A text's tokens and, for each, its character span (start, end)."""

    ids: list[int]
    spans: list[tuple[int, int]]


class Pair(NamedTuple):
    """A pair's tokens, the place of the passage's first token in them, and which token of the passage that is."""

    ids: list[int]
    begin: int
    first: int

    @property
    def end(self) -> int:
        """The place behind the passage's last token."""
        return len(self.ids) - 1


def tokens_of(tokenizer: "Tokenizer", text: str) -> Text:
    """Return the tokens of a text without special ones."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return Text(list(encoding.ids), list(encoding.offsets))


def pair(question: list[int], passage: list[int], first: int = 0) -> Pair:
    """Return the pair of a question and as much of a passage, from its token `first` on, as the window holds."""
    question = question[:QUESTION_TOKENS]
    part = passage[first : first + room(question)]
    return Pair([CLS, *question, SEP, *part, SEP], len(question) + 2, first)


def room(question: list[int]) -> int:
    """Return how many tokens of a passage stand in one window beside a question."""
    return WINDOW - min(len(question), QUESTION_TOKENS) - 3


def windows(question: list[int], passage: list[int]) -> Iterator[Pair]:
    """Yield the pairs in which a whole passage is read."""
    size = room(question)
    first = 0
    while True:
        yield pair(question, passage, first)
        if first + size >= len(passage):
            return
        first = min(first + size // 2, len(passage) - size)
