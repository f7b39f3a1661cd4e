"""Text to the words that the full-text index knows, for passages and for questions alike.

Chinese, Japanese and Korean have no spaces, so runs of their characters are indexed as overlapping pairs.
Everything else is left to SQLite's `porter unicode61` tokenizer (stemming, accents folded).
"""

import re

VERSION = 1
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_WORD = re.compile(r"\w+")
STOP_WORDS = frozenset(
    "a about after all also am an and any are as at be because been before being between both but by can could did do "
    "does doing down during each few for from further had has have having he her here hers him his how i if in into is "
    "it its itself just me more most my no nor not of off on once only or other our ours out over own same she should "
    "so some such than that the their theirs them then there these they this those through to too under until up very "
    "was we were what when where which while who whom why will with would you your yours".split()
)


def index_text(text: str) -> str:
    """Return the text as it goes into the full-text index: CJK runs become pairs, the rest is unchanged."""
    return _CJK.sub(lambda match: f" {' '.join(_pairs(match[0]))} ", text)


def query_words(question: str) -> list[str]:
    """Return the words to search for, in order. A word said twice counts twice; stop words are left out.

    A question of nothing but stop words is searched for as it is.
    """
    words = [word for word in _WORD.findall(index_text(question).lower()) if word.strip("_")]
    return [word for word in words if word not in STOP_WORDS] or words


def match_query(question: str) -> str:
    """Return an FTS5 query that finds passages with any of the question's words; "" if it has none."""
    return " OR ".join(f'"{word}"' for word in query_words(question))


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]
