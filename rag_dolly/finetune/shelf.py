"""The contexts of all records as passages, cut as an ingestion cuts them, and BM25 over them to find distractors."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest import keyword, terms
from ingest.chunk import PASSAGE_TOKENS, chunk
from ingest.corpus import document_of
from ingest.postings import Postings, build
from rag_dolly.answer_measures import find_any

if TYPE_CHECKING:
    from ingest.embed import Embedder

_SEGMENT = 50_000


class Shelved(NamedTuple):
    """A passage: its text, and the number of the context that it is from."""

    context: int
    text: str


class Shelf:
    """Passages by number, those of one context in a row."""

    def __init__(self, contexts: Iterable[str], embedder: "Embedder") -> None:
        self.contexts = list(dict.fromkeys(contexts))
        self._number = {context: number for number, context in enumerate(self.contexts)}
        limit = min(embedder.max_tokens, PASSAGE_TOKENS - 2)
        self.passages = [
            Shelved(number, passage.text)
            for number, context in enumerate(self.contexts)
            for passage in chunk(document_of(str(number), "", context), embedder.token_spans, limit)
        ]
        self._of: dict[int, list[int]] = {}
        for place, passage in enumerate(self.passages):
            self._of.setdefault(passage.context, []).append(place)
        languages = [terms.language(context) for context in self.contexts]
        self._languages = set(languages)
        blobs = [terms.pack("", "", (), passage.text, languages[passage.context]) for passage in self.passages]
        self._postings = Postings(
            [
                build(np.arange(first, min(first + _SEGMENT, len(blobs))), blobs[first : first + _SEGMENT])
                for first in range(0, len(blobs), _SEGMENT)
            ]
        )

    def of(self, context: str) -> Sequence[int]:
        """Return the passages of a context."""
        return self._of.get(self._number[context], [])

    def says(self, place: int, answer: str) -> bool:
        """Whether a passage says an answer word for word."""
        return bool(find_any([answer], self.passages[place].text))

    def telling(self, context: str, answer: str) -> list[int]:
        """Return the passages of a context that say the answer word for word; all of them if none does."""
        own = self.of(context)
        return [place for place in own if self.says(place, answer)] or list(own)

    def search(self, question: str, count: int) -> list[int]:
        """Return the `count` passages that share most with a question, best first."""
        return [place for place, _ in self._postings.search(keyword.query_terms(question, self._languages), count)]
