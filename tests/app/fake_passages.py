"""What a fake index and chain have for the page that records are written on: passages found, taken, and compared."""

from types import SimpleNamespace

from fake_vectors import FakeEmbedder

from rag_dolly.types import Hit
from tests.fakes import HashingEmbedder


class FakeSentences(FakeEmbedder):
    """Sentences that share words are near."""

    def embed_sentences(self, texts):
        return HashingEmbedder().embed_sentences(texts)


class FakePassages:
    embedder = FakeSentences()

    def passages_of(self, source):
        return self.database.passages_of(source)


def retriever_of(texts):
    """Return what finds the documents that have a word of the query."""

    def search(query, k):
        words = query.lower().split()
        found = [(name, text) for name, text in texts.items() if any(word in text.lower() for word in words)]
        return [Hit(n, name, 0, None, 0, len(text), (), text, 0.5) for n, (name, text) in enumerate(found[:k], 1)]

    return SimpleNamespace(search=search)
