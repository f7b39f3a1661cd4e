"""Fakes behind the seams: an embedder that hashes words, and a language model that says what it is told."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ingest.embed import Identity
from rag_dolly.types import Reading

WORD = re.compile(r"\w+")


class HashingEmbedder:
    """A bag of hashed words as an embedding: texts that share words are near. Counts what it embeds."""

    max_tokens = 60

    def __init__(self, name: str = "hashing", dimension: int = 64) -> None:
        self.identity = Identity(name, hashlib.sha256(name.encode()).hexdigest(), dimension)
        self.embedded: list[str] = []

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        return self._embed(texts)

    def embed_query(self, text: str) -> np.ndarray:
        return self._embed([text])[0]

    def begin_query(self, text: str) -> Callable[[], np.ndarray]:
        return lambda: self.embed_query(text)

    def knows(self, text: str) -> float:
        return 1.0

    def embed_sentences(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.identity.dimension), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in WORD.findall(text.lower()):
                row[int(hashlib.md5(word.encode()).hexdigest(), 16) % self.identity.dimension] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class ScriptedPipeline:
    """A `Pipeline` that gives the scripted text word by word and records the prompts it was given.

    One token is one word. `spoken` counts words given out, so that a test can see that stopping stops.
    """

    name = "scripted"

    def __init__(self, text: str = "", window: int = 1000, on_word: Callable[[int], None] = lambda _: None) -> None:
        self.text = text
        self.window = window
        self.prompts: list[str] = []
        self.spoken = 0
        self.is_closed = False
        self.on_word = on_word

    def render(self, question: str, passages: Sequence[str], history: Sequence[tuple[str, str]] = ()) -> str:
        turns = [f"Q: {asked} A: {answered}" for asked, answered in history]
        numbered = [f"[{n}] {passage}" for n, passage in enumerate(passages, 1)]
        return "\n".join([*turns, *numbered, f"Question: {question}"])

    def count(self, prompt: str) -> int:
        return len(prompt.split())

    def stream(self, prompt: str, max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        self.prompts.append(prompt)
        try:
            for n, word in enumerate(re.findall(r"\S+\s*", self.text)[:max_tokens]):
                if stop():
                    return
                self.spoken += 1
                self.on_word(n)
                yield word
        finally:
            self.is_closed = True

    def batch(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        return ["".join(self.stream(prompt, max_tokens, lambda: False)) for prompt in prompts]


class ScriptedReranker:
    """A `Reranker` that scores by a function of question and texts, and records what it was asked."""

    name = "scripted"
    depth = 30
    weight = None

    def __init__(self, score: Callable[[str, Sequence[str]], Sequence[float]], margin: float | None = None) -> None:
        self.score = score
        self.margin = margin
        self.asked: list[tuple[str, list[str]]] = []

    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        self.asked.append((question, list(texts)))
        return np.asarray(self.score(question, texts), dtype=np.float32)


class PointingReader:
    """A `Reader` that finds the given words and nothing else; elsewhere it doubts the first character of a range."""

    def __init__(self, words: str, score: float = 5.0) -> None:
        self.words = words
        self.score = score
        self.read_texts: list[str] = []

    def read(self, question: str, texts: Sequence[str], ranges: Sequence) -> list[list[Reading]]:
        self.read_texts += texts
        return [[self._within(text, *span) for span in spans] for text, spans in zip(texts, ranges, strict=True)]

    def _within(self, text: str, start: int, end: int) -> Reading:
        at = text.find(self.words, start, end)
        return Reading(at, at + len(self.words), self.score) if at >= 0 else Reading(start, start + 1, -self.score)
