"""What a sentence says, as sets that can be compared: content words, numbers, names, negation."""

import re
from collections.abc import Sequence

from ingest.keyword import STOP_WORDS, query_words

_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_NAME = re.compile(r"(?<![.!?:\n] )(?<!^)(?<=\s)[(\"'“‘]*([A-Z][\w'’-]*\w)")
_NEGATION = re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot)\b|n['’]t\b", re.IGNORECASE)
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ies", "ied", "ed", "es", "ly", "s", "e", "y")


def content_words(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order; a text of stop words only gives them all."""
    return [stem(word) for word in query_words(text)]


def stem(word: str) -> str:
    """Cut the commonest English endings; crude, but the same for question, answer and source."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def numbers(text: str) -> set[str]:
    """Return the numbers in a text, without thousands separators: dates, amounts, versions."""
    return {re.sub(r",(?=\d{3}\b)", "", match) for match in _NUMBER.findall(text)}


def names(text: str) -> set[str]:
    """Return the capitalised words that do not merely begin a sentence, in lower case."""
    return {name.lower() for name in _NAME.findall(text) if name.lower() not in STOP_WORDS}


def in_order(words: Sequence[str], source: Sequence[str]) -> float:
    """Return the share of the words that stand in the source in the same order (longest common subsequence)."""
    best = [0] * (len(source) + 1)
    for word in words:
        row = [0]
        for column, other in enumerate(source):
            row.append(best[column] + 1 if word == other else max(best[column + 1], row[column]))
        best = row
    return best[-1] / max(len(words), 1)


def is_negated(text: str) -> bool:
    """Whether a text denies something."""
    return bool(_NEGATION.search(text))
