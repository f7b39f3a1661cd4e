"""Text to the terms that keyword search knows, for passages and for questions alike.

- A word becomes its stem in the language of its text, accents folded (`ingest.stems`).
- A compound (`HashMap::from_iter`, `--dry-run`, `3.11.2`, `e-mail`) becomes its whole and its parts (`ingest.tokens`).
- Scripts without spaces between words, and Korean, become single characters and overlapping pairs of characters.

The same text in the same language always gives the same terms. Whoever changes what comes out raises `VERSION`: terms
of questions are compared with those of stored passages.
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import pairwise

from ingest.languages import FUNCTION_WORDS, language_of, likely_languages
from ingest.stems import bare, stem
from ingest.tokens import Piece, pieces, tokens

__all__ = ["STOP_WORDS", "VERSION", "index_terms", "language_of", "phrases", "query_terms", "query_words"]

VERSION = 2
MOST_WORDS = 40
"""Words from which on a question is a text, in which quotation marks are not meant for a search."""
STOP_WORDS = frozenset(
    "a about after all also am an and any are as at be because been before being between both but by can could did do "
    "does doing down during each few for from further had has have having he her here hers him his how i if in into is "
    "it its itself just me more most my no nor not of off on once only or other our ours out over own same she should "
    "so some such than that the their theirs them then there these they this those through to too under until up very "
    "was we were what when where which while who whom why will with would you your yours".split()
)
_CUT_OFF = "don doesn didn isn aren wasn weren hasn haven hadn won wouldn shouldn couldn".split()  # before 't
_STOP_WORDS = FUNCTION_WORDS | {"en": STOP_WORDS.union(_CUT_OFF)}
_STOP_RUNS = re.compile(  # what asks, in scripts without spaces; single characters such as 的 are parts of real words
    "什么时候|为什么|什么|多少|哪些|哪里|哪个|哪一|怎么|怎样|如何|是否|什麼時候|為什麼|什麼|哪裡|哪個|怎麼|怎樣|"
    "でしょうか|何ですか|なんですか|ですか|ますか|ましたか|どこ|だれ|誰|いつ|何(?=[ぁ-ん年人時番]|$)|どの|どんな|なぜ|という|である|とは|"
    "무엇|누구|언제|어디|어떤|얼마나|입니까|인가요|습니까|합니까|อะไร|ที่ไหน|เมื่อไหร่|เมื่อไร|เท่าไร|เท่าไหร่|อย่างไร|ทำไม"
)
_CHARACTER = re.compile(r"[^\W_][^\w\s]*|.", re.DOTALL)  # a letter with the signs above and below it
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_WORD = re.compile(r"\w+")
_CHARACTER_WEIGHT = 0.3  # of single characters beside their pairs: chosen on Chinese and Japanese questions
_OTHER_LANGUAGE_WEIGHT = 0.5  # of a stem in a language of the index that the question is not in
_PHRASE = re.compile(r"(?<!\w)\"([^\"]*)\"(?!\w)|[“„]([^“”„]+)[”“]|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」|『([^『』]+)』")


def index_terms(text: str, language: str) -> list[str]:
    """Return the terms of a text in a language ("" if unknown), in order; a term said twice is there twice."""
    terms: list[str] = []
    for token, unspaced in tokens(text):
        terms.extend(_characters_and_pairs(token) if unspaced else _token_terms(token, language))
    return terms


def query_terms(question: str, languages: Collection[str]) -> list[tuple[str, float]]:
    """Return the terms to search an index of texts in `languages` for, each with its weight (at most 1).

    A word gives its stem in each of those languages and in English, equal ones once, and those of languages that the
    question is not in weigh less; a word said twice gives them twice. Stop words of the question's language are left
    out unless nothing else remains.
    """
    known = sorted({"en", *languages} - {""})
    return list(_query_terms(question, known, stop=True)) or list(_query_terms(question, known, stop=False))


def query_words(question: str) -> list[str]:
    """Return a question's words in order, neither stemmed nor folded; a word said twice is there twice.

    Stop words are left out, unless there is nothing else; runs of Chinese, Japanese or Korean become pairs.
    """
    spaced = _CJK.sub(lambda match: f" {' '.join(_pairs(match[0]))} ", question)
    words = [word for word in _WORD.findall(spaced.lower()) if word.strip("_")]
    return [word for word in words if word not in STOP_WORDS] or words


def phrases(question: str) -> list[str]:
    """Return what stands in double quotes of any kind, without the quotes, in order; each phrase once.

    A question of more than `MOST_WORDS` words has none.
    """
    if len(question.split()) > MOST_WORDS:
        return []
    found = (" ".join("".join(groups).split()) for groups in _PHRASE.findall(question.replace("＂", '"')))
    return list(dict.fromkeys(phrase for phrase in found if phrase))


@lru_cache(maxsize=65_536)
def _token_terms(token: str, language: str) -> tuple[str, ...]:
    return tuple(filter(None, (_term(piece, language) for piece in pieces(token))))


def _term(piece: Piece, language: str) -> str:
    return piece.text if piece.exact else stem(piece.text, language)  # "" for what is signs only, as a lone tatweel


def _query_terms(question: str, languages: list[str], stop: bool) -> Iterator[tuple[str, float]]:
    found = list(tokens(question))
    spoken = _spoken([token.lower() for token, _ in found], languages)
    stop_words = frozenset[str]().union(*(_STOP_WORDS[language] for language in spoken if stop))
    languages = sorted(languages, key=lambda language: language not in spoken)  # the question's own first
    for token, unspaced in found:
        if unspaced:
            yield from _query_run(_STOP_RUNS.sub(" ", token) if stop else token)
            continue
        shouted = token.isupper() and len(token) > 1 and not question.isupper()  # the WHO is not who
        weights: dict[str, float] = {}
        for piece in pieces(token):
            if shouted or piece.exact or bare(piece.text, "") not in stop_words:
                for language in languages:
                    weight = piece.weight * (1.0 if language in spoken else _OTHER_LANGUAGE_WEIGHT)
                    weights.setdefault(_term(piece, language), weight)
        yield from ((term, weight) for term, weight in weights.items() if term)


def _spoken(words: list[str], languages: list[str]) -> list[str]:
    """Return the language (or those as likely) that a question seems to be in, one of the index's if any fits."""
    with_table = [language for language in languages if language in _STOP_WORDS]
    return likely_languages(words, with_table) or likely_languages(words) or ["en"]


def _query_run(runs: str) -> Iterator[tuple[str, float]]:
    for run in runs.split():
        characters = _CHARACTER.findall(run)
        weight = _CHARACTER_WEIGHT if len(characters) > 1 else 1.0
        yield from ((character, weight) for character in characters)
        yield from ((first + second, 1.0) for first, second in pairwise(characters))


def _characters_and_pairs(run: str) -> list[str]:
    characters = _CHARACTER.findall(run)
    return characters + [first + second for first, second in pairwise(characters)]


def _pairs(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)] or [run]
