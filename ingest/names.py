"""What a document is called: the words of its path, by which a question may name the document that it means.

    "What was Best Buy's margin in FY2019?"  ->  filings/BESTBUY_2019_10K.pdf

The words of a path are cut at signs, at digits and at humps (`camelCase`), and become the terms of keyword search under
a mark of their own, so that they are stored with a passage and count for nothing but its name. Words of a question are
also joined in pairs ("best buy", "bestbuy").

Limits: a name in another language or abbreviated is not recognised; numbers alone name nothing.
"""

import re
from collections.abc import Collection
from itertools import pairwise
from pathlib import PurePosixPath

from ingest.keyword import index_terms, query_terms

_MARK = "\x1f"
_RUN = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOST = 32
"""Terms of a name that are kept; longer paths say little."""


def name_terms(source: str, language: str) -> list[str]:
    """Return the marked terms of a document's name, each once, the file's own words first."""
    path = PurePosixPath(source)
    parts = [path.stem, *reversed(path.parts[:-1])]
    terms = index_terms(" ".join(_words(" ".join(parts))), language)
    return [f"{_MARK}{term}" for term in dict.fromkeys(filter(_names, terms))][:_MOST]


def asked_names(question: str, languages: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the marked terms that a name could share with a question: those of words, and those of numbers."""
    words = _words(question)
    joined = [first + second for first, second in pairwise(words) if first.isalpha() and second.isalpha()]
    terms = {term for term, _ in query_terms(" ".join([*words, *joined]), languages) if _names(term)}
    numbers = {term for term in terms if term.isdigit()}
    return [f"{_MARK}{term}" for term in sorted(terms - numbers)], [f"{_MARK}{term}" for term in sorted(numbers)]


def said_of(question: str, source: str, language: str) -> set[str]:
    """Return the terms, unmarked, that a document's name says: its own, and the question's that it has as one word."""
    own = {term[len(_MARK) :] for term in name_terms(source, language)}
    words = _words(question)
    joined = (pair for pair in pairwise(words) if own.issuperset(index_terms("".join(pair), language)))
    return own.union(*(index_terms(" ".join(pair), language) for pair in joined))


def _words(text: str) -> list[str]:
    return _RUN.findall(_HUMP.sub(" ", text).lower())


def _names(term: str) -> bool:
    """Whether a term says enough to be part of a name: not a single letter or digit."""
    return len(term) > 1 or not term.isascii()
