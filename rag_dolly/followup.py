"""A follow-up question to the text that is searched for: the words of its subject are added where it leans on them.

Rules and small lists of words, no model; microseconds. What is carried comes from the last few turns: the content words
of the question that is leaned on and, where a pronoun may stand for what only the answer names, what that answer brings
up. A question that stands alone is searched as it is, so a new subject is not mixed with the old one.
"""

import re
from collections.abc import Iterable, Sequence

from ingest.keyword import STOP_WORDS
from rag_dolly.leaning import leaning
from rag_dolly.types import Turn
from rag_dolly.words import content_words

TURNS = 6
"""How many of the last turns are looked at."""
LOOKED_AT = 600
"""How many characters of each earlier question and answer are looked at."""
CARRIED = 16
"""How many words are carried at most."""
LONGEST = 60
"""How many characters a carried word may have; a longer one is not a word that a question is about."""
INTRODUCED = 3
"""How many content words from the beginning of an answer are taken for what it brings up, besides two of code."""

_MARKER = re.compile(r"\[\d+\]")
_FORMER = re.compile(r"\bthe former\b|\bersterer?s?\b|前者", re.IGNORECASE)
_FIRST = re.compile(
    r"\bthe first(?: one| question)?(?=\s*(?:$|[?.,:;!])|\s+(?:between|with|and|for|in|to|have|be|hold|do|work)\b)",
    re.IGNORECASE,
)
# A question that names its own subject: "What is X?", "What does X do?"; its answer brings up nothing else.
_NAMES_IT = re.compile(
    r"\s*(?:what(?:'s| is| are| was| were) (?!the (?:best|way|name|command|tool))|who |what does \S+ (?:do|mean)|define"
    r"|explain|was (?:ist|sind)|qu'est-ce|¿?\s*qué (?:es|son))\b|.*(?:什么是|是什么|とは)",
    re.IGNORECASE,
)
_FRAME = STOP_WORDS | set(
    "much many use used using work works mean means happen happens tell explain show give want need way thing example "
    "please get make wie was ist ein eine der die das und ich benutze mit est-ce que qué es el la un una cómo".split()
)
_CJK_FRAME = re.compile(
    r"什么是|是什么|什么|怎么用|怎么|如何|为什么|吗|呢|とは何ですか|とは|ですか|ますか|何|[。？！、，]"
)
_CODE = re.compile(r"[<>_`#]|::|\w\(|\w!$|\w[A-Z]|^[A-Z]{2,}$|\w\.\w|\d")


def search_text(question: str, history: Sequence[Turn]) -> str:
    """Return what is searched for: the question, then the words of its subject where it leans on what was said.

    At most `CARRIED` words of at most `LONGEST` characters are added, whatever the history holds.
    """
    kind = leaning(question) if history else ""
    if not kind:
        return question
    turns = [(asked[:LOOKED_AT], _MARKER.sub(" ", said[:LOOKED_AT])) for asked, said in history[-TURNS:]]
    carried = _without(_words(question), _subject(question, turns, kind == "pronoun"))
    return " ".join((question, *carried[:CARRIED]))


def _subject(question: str, turns: Sequence[Turn], may_be_in_answer: bool) -> list[str]:
    """Return the words that name what the question leans on, in the order of the turns."""
    words: list[str] = []
    for at in _turns_meant(question, turns):
        asked, said = turns[at]
        if at and (earlier := leaning(asked)):
            words += _subject(asked, turns[:at], earlier == "pronoun")
        words += _words(asked)
        if may_be_in_answer and not _NAMES_IT.match(asked):
            words += _brought_up(said, words)
    return words


def _turns_meant(question: str, turns: Sequence[Turn]) -> list[int]:
    """Return which turns the question leans on: the last, and an earlier one if it has a word of that question."""
    last = len(turns) - 1
    if _FORMER.search(question):
        return [max(0, last - 1)]
    if _FIRST.search(question):
        return [0]
    named = set(content_words(question))
    shares = [at for at, (asked, _) in enumerate(turns) if named & set(content_words(asked))]
    return sorted({shares[-1], last}) if shares else [last]


def _words(text: str) -> list[str]:
    """Return the words of a text that say what it is about, as they are written, each once."""
    tokens = (token.strip("\"'“”‘’(),;.:?!¿¡[]{}*") for token in _CJK_FRAME.sub(" ", text).split())
    kept = (token for token in tokens if re.search(r"\w", token) and token.lower() not in _FRAME)
    return [token for token in dict.fromkeys(kept) if len(token) <= LONGEST]


def _without(known: Iterable[str], words: Iterable[str]) -> list[str]:
    """Return the words that are not among the known ones, whatever their case, each once."""
    lowered = {word.lower() for word in known}
    return [word for word in dict.fromkeys(words) if word.lower() not in lowered]


def _brought_up(answer: str, named: Sequence[str]) -> list[str]:
    """Return what an answer brings up: the words it begins with, and what looks like code after them."""
    words = [word for word in _without(named, _words(answer)) if re.search(r"[^\W\d_]", word)]
    return [*words[:INTRODUCED], *[word for word in words[INTRODUCED:] if _CODE.search(word)][:2]]
