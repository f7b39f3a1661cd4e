"""What speaks for each sentence as the answer to a question, as numbers, and how much each of them counts.

- `closest`, `missing`: every token of the question looks for the nearest token of the sentence (MaxSim). `closest` is
  the mean of these cosines, `missing` the mean of the lowest third: what of the question has no counterpart there.
- `covered`: the share of the question's words, weighed by how rare they are among the sentences, that stand in the
  sentence, in the one before it (to which a pronoun may point) or in the heading.
- `words`: BM25 of the sentence alone, 0 to 1. `passage`: the score of its passage.
- `read`: the log-odds of the best answer within the sentence against none in its passage, by the reader (`reader/`).
- one for each type of question (`question_type.py`): whether the sentence has such a thing.

Where an embedder has no vectors of tokens, `cosine` stands in; where it does not know the script, words alone count.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.embed import Embedder, TokenEmbedder
from ingest.keyword import index_terms, language_of, query_terms
from rag_dolly.question_type import TYPES, holds, question_type
from rag_dolly.types import Hit, Reader, Reading

Floats = NDArray[np.float64]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
LEAST_KNOWN = 0.5
"""The share of a question in scripts that the embedder knows, below which it is not asked."""
LEAST_READ = -15.0
"""What the reader's log-odds count at least."""
READ_LANGUAGES = ("en", "")
"""The languages of passages that are read; "" is text in which no language is recognised, such as tables."""
_TYPES = {"share": 3.62, "number": 2.77, "time": 0.91, "person": 1.31, "place": 1.97, "reason": 0.78}
BY_TOKENS = {"closest": 1.85, "missing": 11.88, "covered": 4.24, "words": 1.09, "passage": 6.57, **_TYPES}
READ_BY_TOKENS = {"read": 0.41, **{name: 0.42 * weight for name, weight in BY_TOKENS.items()}}
BY_COSINE = {"cosine": 8.39, "covered": 4.93, "words": 1.84, "passage": 6.58, **_TYPES}
READ_BY_COSINE = {"read": 0.42, **{name: 0.38 * weight for name, weight in BY_COSINE.items()}}
BY_WORDS = {"covered": 4.0, "words": 2.0, "passage": 7.0, **_TYPES}


class Sentence(NamedTuple):
    """A sentence of a hit: offsets into the hit's text, and the sentence before it in the hit, "" for the first."""

    hit: Hit
    start: int
    end: int
    before: str

    @property
    def text(self) -> str:
        """The sentence."""
        return self.hit.text[self.start : self.end]


class Weighed(NamedTuple):
    """Of n sentences: their scores (log-odds), cosines with the question, and what the reader found in them, if any."""

    scores: Floats
    cosines: Floats
    readings: list[Reading | None]


class Closeness(NamedTuple):
    """How near n sentences come to a question in meaning, each of shape (n,); tokens may be missing."""

    cosine: Floats
    closest: Floats | None = None
    missing: Floats | None = None


def weigh(
    question: str,
    sentences: Sequence[Sentence],
    embed: Embed,
    embedder: Embedder | None = None,
    reader: Reader | None = None,
) -> Weighed:
    """Return how well n sentences answer a question.

    A score is a log-odds: the chance that a sentence is the answer is the exponential of its score, as a share of those
    of all sentences.
    """
    readings: list[Reading | None] = [None] * len(sentences)
    if reader:
        readings = read(question, sentences, reader)
    found, weights = features(question, sentences, embed, embedder, readings)
    scores = np.sum([weight * found[name] for name, weight in weights.items()], axis=0)
    return Weighed(scores, found["cosine"], readings)


def features(
    question: str,
    sentences: Sequence[Sentence],
    embed: Embed,
    embedder: Embedder | None,
    readings: Sequence[Reading | None],
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Return feature -> values of shape (n,), and the weights of those that count here."""
    texts = [sentence.text for sentence in sentences]
    near = closeness(question, texts, embed, embedder)
    covered, words = _words(question, sentences)
    found = {"cosine": near.cosine, "covered": covered, "words": words}
    found["passage"] = np.array([sentence.hit.score for sentence in sentences])
    kind = question_type(question)
    for name in TYPES:
        found[name] = np.array([float(name == kind and holds(name, text, question)) for text in texts])
    is_read = all(readings)
    if is_read:
        found["read"] = np.array([max(one.score, LEAST_READ) for one in readings if one])
    if near.closest is not None and near.missing is not None:
        found |= {"closest": near.closest, "missing": near.missing}
        return found, READ_BY_TOKENS if is_read else BY_TOKENS
    if is_read:
        return found, READ_BY_COSINE
    is_known = embedder is None or embedder.knows(question) >= LEAST_KNOWN
    return found, BY_COSINE if is_known else BY_WORDS


def read(question: str, sentences: Sequence[Sentence], reader: Reader) -> list[Reading | None]:
    """Return the best answer within each sentence, offsets into its hit's text; None each if it was not trained for it.

    A passage is read as a whole, so that a sentence is understood by those around it.
    """
    hits = {id(sentence.hit): sentence.hit for sentence in sentences}
    if language_of("\n".join(hit.text for hit in hits.values())) not in READ_LANGUAGES:
        return [None] * len(sentences)
    ranges: dict[int, list[tuple[int, int]]] = {key: [] for key in hits}
    for sentence in sentences:
        ranges[id(sentence.hit)].append((sentence.start, sentence.end))
    made = reader.read(question, [hit.text for hit in hits.values()], list(ranges.values()))
    found = {key: iter(readings) for key, readings in zip(hits, made, strict=True)}
    return [next(found[id(sentence.hit)]) for sentence in sentences]


def closeness(question: str, texts: Sequence[str], embed: Embed, embedder: Embedder | None) -> Closeness:
    """Return how near the texts come to the question, token by token if the embedder can and knows its script."""
    if isinstance(embedder, TokenEmbedder) and embedder.knows(question) >= LEAST_KNOWN:
        prompts = embedder.identity
        asked = [prompts.query_prompt + question, *(prompts.passage_prompt + text for text in texts)]
        vectors = embedder.token_vectors(asked)
        if vectors:
            best = [np.sort((vectors[0] @ tokens.T).max(axis=1)) for tokens in vectors[1:]]
            third = max(1, len(vectors[0]) // 3)
            means = np.array([_unit(tokens.mean(axis=0)) for tokens in vectors])
            closest = np.array([float(row.mean()) for row in best])
            return Closeness(
                (means[1:] @ means[0]).astype(float), closest, np.array([float(row[:third].mean()) for row in best])
            )
    made = embed([question, *texts])
    return Closeness((made[1:] @ made[0]).astype(float))


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vector / np.maximum(np.linalg.norm(vector), np.float32(1e-12))
    return unit


def _words(question: str, sentences: Sequence[Sentence]) -> tuple[Floats, Floats]:
    """Return `covered` and `words` of the sentences."""
    languages = {sentence.hit.text: language_of(sentence.hit.text) for sentence in sentences}
    documents = [_terms(sentence.text, languages[sentence.hit.text]) for sentence in sentences]
    around = [
        {*_terms(f"{' '.join(sentence.hit.heading)}\n{sentence.before}", languages[sentence.hit.text])}
        for sentence in sentences
    ]
    asked: dict[str, float] = {}
    for term, weight in query_terms(question, set(languages.values())):
        asked[term] = max(weight, asked.get(term, 0.0))
    held = Counter(term for document in documents for term in set(document))
    idf = {term: weight * rarity(len(documents), held[term]) for term, weight in asked.items()}
    total = sum(idf.values()) or 1.0
    covered = [
        sum(value for term, value in idf.items() if term in near or term in document)
        for document, near in zip(map(set, documents), around, strict=True)
    ]
    words = bm25(idf, documents)
    return np.array(covered) / total, np.array(words) / max(max(words, default=0.0), 1e-9)


@lru_cache(maxsize=4096)
def _terms(text: str, language: str) -> tuple[str, ...]:
    return tuple(index_terms(text, language))


def rarity(documents: int, holding: int) -> float:
    """Return the inverse document frequency of a word as BM25 has it."""
    return math.log(1 + (documents - holding + 0.5) / (holding + 0.5))


def bm25(idf: dict[str, float], documents: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """Return the BM25 score (Robertson and Zaragoza, 2009) of each document, given as words, for words so weighted."""
    mean = sum(map(len, documents)) / max(len(documents), 1) or 1.0
    scores = []
    for document in documents:
        counts = Counter(document)
        norm = k1 * (1 - b + b * len(document) / mean)
        scores.append(sum(value * counts[word] * (k1 + 1) / (counts[word] + norm) for word, value in idf.items()))
    return scores
