"""Text to tokens, and a token to the pieces by which keyword search finds it.

A token is a word or a compound as it is written (`HashMap::from_iter`, `--dry-run`, `3.11.2`, `e-mail`, `C++`), or a
run of characters of a script that does not, or not only, put spaces between words. Language plays no part here.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

PART_WEIGHT = 0.5  # in a question, what a part of a compound counts beside the whole
_LONGEST = 256  # characters of a piece; a compound that is longer (base64, a list without spaces) has only its parts

_CJK = (
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_OTHERS = "\u0e01-\u0e4e\u0e81-\u0ece\u0f40-\u0fbc\u1000-\u1049\u1050-\u109f\u1780-\u17d3"  # Thai ... Burmese, Khmer
_UNSPACED = re.compile(f"([{_CJK}]+|[{_OTHERS}]+)")
_LETTER = (  # \w has no combining marks
    r"[\w\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff]"
)
_TOKEN = re.compile(
    r"(?:(?<![\w-])(?:--(?=[A-Za-z])|-(?=[A-Za-z]\b(?!['.-]))|\.(?=NET\b)))?"  # --dry-run, -v, .NET
    rf"{_LETTER}+(?:(?:::|[-.'@&]|(?<=\d)[,:/](?=\d)){_LETTER}+)*"
    r"(?:\+\+\d*(?![\w+])|(?<=\b[A-Za-z])#(?!\w))?"  # C++17, C#
)
_JOINTS = re.compile(r"::|[-.@&,:/#]|\+\+\d*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_VERSION = re.compile(r"[vV](?=\d+\.\d)")
_THOUSANDS = re.compile(r"\d{1,3}(?:(,)\d{3}(?:,\d{3})*(?:\.\d+)?|(\.)\d{3}(?:(?:\.\d{3})+(?:,\d+)?|,\d+))")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")
_HUMP = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[^\WA-Z\d_]+|\d+")
_ACRONYMS = re.compile(r"\w*[A-Z]{2}s")
_CLEAN: dict[int, str] = {
    **{ord(char): "'" for char in "’ʼ"},
    **{ord(char): "-" for char in "‐‑"},
    **{ord(char): " " for char in "\u200c™®©"},
    **{ord(char): "" for char in "\u00ad\u200b\u200d\u2060\ufeff"},
    **{ord(zero) + digit: str(digit) for zero in "٠۰०" for digit in range(10)},
}


class Piece(NamedTuple):
    """Something to find a token by, in lower case: a word to be stemmed, or, if `exact`, what is a term itself."""

    text: str
    exact: bool = False
    weight: float = 1.0


def tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each token of a text in order, and whether it is a run of a script without spaces.

    Full-width letters, ligatures and foreign digits come out plain (NFKC), soft hyphens are gone.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_CLEAN)).replace("İ", "I")
    for position, stretch in enumerate(_UNSPACED.split(text)):
        if position % 2:
            yield stretch, True
        else:
            for token in _TOKEN.findall(stretch):
                yield token, False


@lru_cache(maxsize=1024)
def pieces(token: str) -> tuple[Piece, ...]:
    """Return what a word or compound is found by, the whole first."""
    return tuple(piece._replace(text=piece.text[:_LONGEST]) for piece in _pieces(token) if piece.text)


def _pieces(token: str) -> Iterator[Piece]:
    if token.isalpha() and token[1:].islower():
        yield Piece(token.lower())
        return
    number = _VERSION.sub("", token, count=1)
    if _NUMBER.fullmatch(number):
        yield from _number(number)
    elif _INITIALS.fullmatch(token):
        yield Piece(token.replace(".", "").lower(), exact=True)
    else:
        yield from _compound(token)


def _number(token: str) -> Iterator[Piece]:
    """1,234.5 and 1.234,5 are 1234.5; a version is found by its first one and two numbers, a list by each."""
    thousands = _THOUSANDS.fullmatch(token)
    if thousands:
        token = token.replace(thousands[1] or thousands[2], "")
    numbers = re.split("[.,]", token)
    if len(numbers) > 2 and "," in token:
        yield from (Piece(number, exact=True) for number in numbers)
        return
    yield Piece(".".join(numbers), exact=True)
    if len(numbers) > 2:
        yield Piece(".".join(numbers[:2]), exact=True, weight=PART_WEIGHT)
        yield Piece(numbers[0], exact=True, weight=PART_WEIGHT)


def _compound(token: str) -> Iterator[Piece]:
    parts = [part for part in _JOINTS.split(token) if part]
    whole = list(_wholes(token)) if len(token) <= _LONGEST else []
    yield from whole
    if not whole or len(parts) > 1 or len(token.strip("-#+.")) > 1:
        for part in parts:
            yield from _name(part, PART_WEIGHT if whole else 1.0)


def _wholes(token: str) -> Iterator[Piece]:
    """Yield a compound as one: exactly, and where only hyphens join it, as the word that it is without them."""
    joints = set(_JOINTS.findall(token.lstrip("-")))
    hyphenated = joints == {"-"} and "_" not in token and not token.replace("-", "").isdigit()
    if token.startswith("-") or (joints and not hyphenated):
        yield Piece(token.lower(), exact=True)
    if hyphenated:
        yield Piece(token.replace("-", "").lower())
    if "++" in token and token[-1].isdigit():
        yield Piece(token.lower().rstrip("0123456789"), exact=True)


def _name(name: str, weight: float) -> Iterator[Piece]:
    """Yield a snake_case or camelCase name and its words."""
    if "_" in name:
        yield Piece(name.lower(), exact=True, weight=weight)
        weight = PART_WEIGHT
    for word in name.split("_"):
        yield Piece(_lower(word), weight=weight)
        humps = _HUMP.findall(word) if _CAMEL.search(word) else []
        if len(humps) > 1:
            yield from (Piece(_lower(hump), weight=PART_WEIGHT) for hump in humps if len(hump) > 1)


def _lower(word: str) -> str:
    """A word in lower case; mRNAs is the plural of mRNA, which the English stemmer cannot know."""
    return (word[:-1] if _ACRONYMS.fullmatch(word) else word).lower()
