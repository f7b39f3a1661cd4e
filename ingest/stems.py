"""A word to its stem: Snowball with the text's language, accents folded, so that plurals and spellings meet.

A word in another script than the text's language is stemmed as what that script mostly stands for: an English name in
a Russian or Chinese text is found as in an English one. Words must be in lower case and NFKC. Only this file uses
PyStemmer.
"""

import re
import threading
import unicodedata
from functools import cache

import Stemmer

from ingest.languages import script_of

LONGEST = 64  # letters of a word that count; what is longer is no word of a language
_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fa": "persian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish",
}  # fmt: skip
_SCRIPT = {"ar": "ARABIC", "fa": "ARABIC", "ur": "ARABIC", "el": "GREEK", "hi": "DEVANAGARI", "hy": "ARMENIAN",
           "ru": "CYRILLIC", "uk": "CYRILLIC", "bg": "CYRILLIC", "sr": "CYRILLIC", "ta": "TAMIL"}  # fmt: skip
_UNSPACED = frozenset(("zh", "ja", "ko", "th", "lo", "km", "my", "bo"))
_LANGUAGE_OF_SCRIPT = {"LATIN": "en", "CYRILLIC": "ru", "ARABIC": "ar", "GREEK": "el", "DEVANAGARI": "hi",
                       "ARMENIAN": "hy", "TAMIL": "ta"}  # fmt: skip
_FOLDED = frozenset(("LATIN", "GREEK", "HEBREW", "ARABIC"))  # scripts in which a mark changes no letter
_LETTERS = str.maketrans({
    "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ς": "σ", "ё": "е",
    "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ھ": "ه", "\u0301": "", "\u0640": "", "\u200c": "",
})  # fmt: skip
_ARABIC_MARKS = re.compile("[\u0610-\u061a\u064b-\u0652\u0670\u06d6-\u06ed\u0640]+")
_ELIDED = frozenset("l d j m t s c n qu jusqu lorsqu puisqu quoiqu dell all nell sull dall un quest".split())
_CONTRACTED = frozenset("s t d m ll re ve".split())
_lock = threading.Lock()  # a stemmer must not be used by two threads at once


def stem(word: str, language: str) -> str:
    """Return what a word in lower case is indexed as in a text of this language ("" for unknown)."""
    word = bare(word[:LONGEST], language)
    language = _stemmed_as(word, language)
    if language == "en":
        word = fold(word)  # English borrows accents and drops them again: cafés are cafes
    elif language in ("ar", "fa"):
        word = _ARABIC_MARKS.sub("", word)
    elif language == "pt" and word.endswith(("ões", "ães")):
        word = word[:-3] + "ão"  # the plural that Snowball leaves: nações, pães
    stemmer = _stemmer(language)
    if stemmer is None:
        return fold(word)
    with _lock:
        return fold(stemmer.stemWord(word)) or fold(word)


def bare(word: str, language: str) -> str:
    """Return a word without what an apostrophe ties to it: possessive, contraction, elided article, Turkish ending."""
    if "'" not in word:
        return word
    head, _, tail = word.partition("'")
    if head in _ELIDED and tail not in _CONTRACTED:
        return bare(tail, language)
    head, _, tail = word.rpartition("'")
    if tail in _CONTRACTED or language == "tr":
        return bare(head, language)
    return word.replace("'", "")


def fold(word: str) -> str:
    """Return a word with accents dropped where they only colour a letter (not й, が, nor Indic vowel signs)."""
    if word.isascii():
        return word
    if any(script_of(char) in _FOLDED for char in word):
        parts = unicodedata.normalize("NFD", word)
        word = "".join(char for char in parts if not unicodedata.combining(char))
    return word.translate(_LETTERS) or word


def _stemmed_as(word: str, language: str) -> str:
    """Return the language whose stemmer a word gets: the text's own, if it is written in the word's script."""
    script = "LATIN" if word.isascii() else next((script_of(char) for char in word if char.isalpha()), "")
    own = "" if language in _UNSPACED else _SCRIPT.get(language, "LATIN")
    return language if language and own == script else _LANGUAGE_OF_SCRIPT.get(script, "")


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    name = _ALGORITHMS.get(language)
    return Stemmer.Stemmer(name, 0) if name in Stemmer.algorithms() else None  # 0: results are cached by the caller
