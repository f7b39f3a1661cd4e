"""Measures of one answer against the expected ones: pure functions of texts.

Exact match and F1 are those of SQuAD (Rajpurkar et al. 2016, section 6.1, and its evaluation script): lower case, no
ASCII punctuation, no English articles, the best over the expected answers. Where there are Chinese or Japanese
characters they are those of CMRC 2018 (Cui et al. 2019): each such character is a token, punctuation is taken away,
and F1 is of the longest run of tokens that both have. `find_any` asks for whole words, in any script.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ingest.sentences import sentence_spans

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_CJK}]|(?:\d+(?:[.,]\d+)*|(?![{_CJK}])[^\W\d_])+")
_HAS_CJK = re.compile(rf"[{_CJK}]")
_ARTICLES = frozenset({"a", "an", "the"})
_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_MARKER = re.compile(r"\s*\[(\d+)\]")

Span = tuple[int, int]
Citations = Sequence[Mapping[str, Any]]
"""Citations as the answer object has them."""


class Sentence(NamedTuple):
    """A sentence of an answer without markers, and whether a citation stands behind it."""

    text: str
    is_cited: bool


def without_markers(answer: str) -> str:
    """Return an answer without its `[n]`."""
    return _MARKER.sub("", answer).strip()


def markers(answer: str) -> list[int]:
    """Return the number of each marker, in order."""
    return [int(number) for number in _MARKER.findall(answer)]


def exact_match(answer: str, expected: Sequence[str]) -> float:
    """Return 1 if the answer is one of the expected ones after normalisation, else 0."""
    normal = _normalisation(answer, expected)
    return max((float(normal(answer) == normal(gold)) for gold in expected), default=0.0)


def f1(answer: str, expected: Sequence[str]) -> float:
    """Return the best F1 of the answer's tokens with those of an expected answer."""
    normal = _normalisation(answer, expected)
    return max((_f1(normal(answer), normal(gold), normal is _characters) for gold in expected), default=0.0)


def find_any(expected: Sequence[str], text: str) -> list[Span]:
    """Return where in a text an expected answer stands, in whole words; case, punctuation and articles do not count.

    The spans are in order and do not overlap.
    """
    found = sorted(span for gold in expected for span in _find(gold, text))
    spans: list[Span] = []
    for start, end in found:
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def length(text: str) -> int:
    """Return the number of words, divided by white space; Chinese and Japanese characters count one by one."""
    return sum(len(_tokens(word)) if _is_cjk(word) else 1 for word in text.split())


def sentences(answer: str, citations: Citations) -> list[Sentence]:
    """Return the sentences of an answer.

    A sentence is cited if a marker that resolves follows it, or if it stands word for word in what the next such marker
    cites, as the first of two sentences in one quote does.
    """
    cited = {int(citation["n"]): str(citation["text"]) for citation in citations}
    found: list[Sentence] = []
    for text, numbers in _segments(answer, cited):
        source = "\n".join(cited[number] for number in numbers)
        spans = sentence_spans(text)
        for start, end in spans:
            sentence = without_markers(text[start:end])
            is_cited = bool(numbers) and ((start, end) == spans[-1] or _stands_in(sentence, source))
            if _tokens(sentence):
                found.append(Sentence(sentence, is_cited))
    return found


def _segments(answer: str, cited: Mapping[int, str]) -> Iterator[tuple[str, list[int]]]:
    """Yield (text, the numbers of the markers after it) for the markers that resolve; [] for what follows the last."""
    found = [match for match in _MARKER.finditer(answer) if int(match[1]) in cited]
    start = 0
    for n, match in enumerate(found):
        follows = n + 1 < len(found) and found[n + 1].start() == match.end()
        if not follows:
            first = n
            while first and found[first - 1].end() == found[first].start():
                first -= 1
            yield answer[start : found[first].start()], [int(marker[1]) for marker in found[first : n + 1]]
            start = match.end()
    yield answer[start:], []


def _stands_in(sentence: str, source: str) -> bool:
    return bool(_find(sentence, source))


def _find(gold: str, text: str) -> list[Span]:
    wanted = [token for token, _ in _tokens(gold)]
    if not wanted:  # such as "%"
        return [match.span() for match in re.finditer(re.escape(gold.strip()), text)] if gold.strip() else []
    places = _tokens(text)
    if not _ARTICLES.issuperset(wanted):
        wanted = [token for token in wanted if token not in _ARTICLES]
        places = [place for place in places if place[0] not in _ARTICLES]
    words = [token for token, _ in places]
    last = len(wanted) - 1
    starts = (n for n, word in enumerate(words) if word == wanted[0] and words[n : n + len(wanted)] == wanted)
    return [(places[n][1][0], places[n + last][1][1]) for n in starts]


def _tokens(text: str) -> list[tuple[str, Span]]:
    """Return (word or Chinese character in lower case, its place) for each of a text."""
    return [(unicodedata.normalize("NFKC", match[0]).casefold(), match.span()) for match in _TOKEN.finditer(text)]


def _is_cjk(text: str) -> bool:
    return bool(_HAS_CJK.search(text))


def _normalisation(answer: str, expected: Sequence[str]) -> Callable[[str], list[str]]:
    return _characters if any(map(_is_cjk, (answer, *expected))) else _words


def _characters(text: str) -> list[str]:
    return [token for token, _ in _tokens(text)]


def _words(text: str) -> list[str]:
    return _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _f1(answer: Sequence[str], gold: Sequence[str], by_run: bool) -> float:
    if not answer or not gold:
        return float(answer == gold)
    shared = _longest_run(answer, gold) if by_run else (Counter(answer) & Counter(gold)).total()
    return 2 * shared / (len(answer) + len(gold))


def _longest_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest run of tokens that stands in both."""
    best, row = 0, [0] * (len(second) + 1)
    for token in first:
        row = [0, *(row[n] + 1 if token == other else 0 for n, other in enumerate(second))]
        best = max(best, max(row))
    return best
