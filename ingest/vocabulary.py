"""Which scripts a tokenizer's vocabulary knows: whether an embedder was made for a text's language at all.

A vocabulary that has whole words of a script was learnt from texts in it; one that only has its letters was not, and
vectors of such texts say little. Vocabularies of bytes do not show their scripts: they are taken to know all.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

KNOWN_WORDS = 500
"""Tokens of two or more letters from which on a script is known."""
KNOWN_SIGNS = 3000
"""Single characters from which on the Chinese script is known; bert-base-uncased, made for English, has some 500."""
_SIGNS = frozenset({"CJK"})
_BYTE_LEVEL = "Ġ"


def known_scripts(vocabulary: Iterable[str]) -> frozenset[str] | None:
    """Return the names of the scripts ("LATIN", "CJK") that a vocabulary knows; None for one of bytes."""
    words: Counter[str] = Counter()
    signs: Counter[str] = Counter()
    for token in vocabulary:
        if token.startswith(_BYTE_LEVEL):
            return None
        letters = [char for char in token if char.isalpha()]
        if letters:
            (words if len(letters) > 1 else signs)[_script(letters[0])] += 1
    known = {script for script, count in words.items() if count >= KNOWN_WORDS}
    return frozenset(known | {script for script in _SIGNS if signs[script] >= KNOWN_SIGNS})


def share_known(text: str, scripts: frozenset[str]) -> float:
    """Return the share of a text's letters, 0 to 1, that are of these scripts; 1 for a text without letters."""
    letters = [char for char in text if char.isalpha()]
    return sum(_script(char) in scripts for char in letters) / len(letters) if letters else 1.0


@lru_cache(maxsize=8192)
def _script(char: str) -> str:
    return unicodedata.name(char, "?").split(" ", 1)[0].split("-", 1)[0]
