"""The index as a LangChain VectorStore: dense search over what was ingested, and texts of a program's own.

Passages of ingested documents have the id `source#ordinal`; texts added here keep the id and metadata they came with.
Nothing is pickled; everything is in the index's SQLite file.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from numpy.typing import NDArray

from ingest.chunk import context_line
from ingest.embed import Embedder, Identity
from ingest.filters import Filters, as_filters
from ingest.index import Index
from ingest.records import StoredPassage
from ingest.texts import add_texts, delete_texts


class IndexVectorStore(VectorStore):
    """A VectorStore over an open `Index`. Similarity is the cosine, 1 is best."""

    def __init__(self, index: Index) -> None:
        self.index = index

    @classmethod
    def create(cls, folder: str | Path, embedding: Embeddings) -> Self:
        """Open the index in `folder`, making an empty one if there is none. Raises `IndexMismatch`."""
        embedder = LangChainEmbedder(embedding)
        add_texts(Path(folder), embedder, [])
        return cls(Index.open(folder, embedder))

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        folder: str | Path = ".rag-dolly",
        **_: Any,
    ) -> Self:
        """Return a store in `folder` with these texts added."""
        store = cls.create(folder, embedding)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @property
    def embeddings(self) -> Embeddings:
        """The embedder of the index, as LangChain knows it."""
        return _EmbedderFace(self.index.embedder)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **_: Any,
    ) -> list[str]:
        """Add texts, each one passage as it is; a text with an id that is there replaces it. Returns the ids."""
        listed = list(texts)
        keys = [key or str(uuid4()) for key in (ids or [None] * len(listed))]
        stored = [json.dumps(metadata or {}, ensure_ascii=False) for metadata in (metadatas or [{}] * len(listed))]
        add_texts(self.index.folder, self.index.embedder, list(zip(keys, listed, stored, strict=True)))
        return keys

    def delete(self, ids: list[str] | None = None, **_: Any) -> bool | None:
        """Delete texts that were added here; documents that came from folders stay."""
        delete_texts(self.index.folder, ids or [])
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the passages with these ids; ids that are not there are passed over."""
        found = []
        for key in ids:
            source, _, ordinal = key.rpartition("#")
            passages = [p for p in self.index.passages_of(key) if p.metadata]
            passages = passages or [p for p in self.index.passages_of(source) if str(p.passage.ordinal) == ordinal]
            found += [_document(passage) for passage in passages]
        return found

    def similarity_search(
        self, query: str, k: int = 4, *, filter: str | Filters | None = None, **_: Any
    ) -> list[Document]:
        """Return the `k` passages nearest in meaning, of documents that the filter ("kind:pdf") names."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter=filter)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, *, filter: str | Filters | None = None, **_: Any
    ) -> list[tuple[Document, float]]:
        """Return the `k` passages nearest in meaning with their cosine."""
        return self._nearest(self.index.embedder.embed_query(query), k, filter)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, *, filter: str | Filters | None = None, **_: Any
    ) -> list[Document]:
        """Return the `k` passages nearest to a vector."""
        return [document for document, _ in self._nearest(_unit([embedding])[0], k, filter)]

    def _nearest(
        self, vector: NDArray[np.float32], k: int, filter: str | Filters | None
    ) -> list[tuple[Document, float]]:
        scores = dict(self.index.dense(vector, k, self.index.select(as_filters(filter))))
        return [(_document(passage), scores[passage.id]) for passage in self.index.passages(list(scores))]

    def _select_relevance_score_fn(self) -> Any:
        return lambda cosine: (cosine + 1) / 2


class LangChainEmbedder(Embedder):
    """Any LangChain `Embeddings` behind our seam. Counts words, for it has no tokenizer to ask."""

    max_tokens = 256

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        self._identity: Identity | None = None

    @property
    def identity(self) -> Identity:
        """The class and the dimension: LangChain does not tell the weights."""
        if self._identity is None:
            name = type(self._embeddings).__name__
            self._identity = Identity(name, name, len(self._embeddings.embed_query("dimension")))
        return self._identity

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the span of each word."""
        import re

        return [match.span() for match in re.finditer(r"\S+", text)]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed_passages`."""
        if not texts:
            return np.zeros((0, self.identity.dimension), dtype=np.float32)
        return _unit(self._embeddings.embed_documents(list(texts)))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See `Embedder.embed_query`."""
        vector: NDArray[np.float32] = _unit([self._embeddings.embed_query(text)])[0]
        return vector

    def begin_query(self, text: str) -> Callable[[], NDArray[np.float32]]:
        """See `Embedder.begin_query`: done when it is waited for."""
        return partial(self.embed_query, text)

    def knows(self, text: str) -> float:
        """See `Embedder.knows`: not told, so taken to be all of it."""
        return 1.0

    def embed_sentences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed_sentences`."""
        return self.embed_passages(texts)


class _EmbedderFace(Embeddings):
    """Our embedder as LangChain `Embeddings`."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._embedder.embed_passages(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        return self._embedder.embed_query(text).tolist()  # type: ignore[no-any-return]


def _document(stored: StoredPassage) -> Document:
    passage = stored.passage
    if stored.metadata:
        return Document(id=passage.source, page_content=passage.text, metadata=json.loads(stored.metadata))
    metadata = {
        "source": passage.source,
        "ordinal": passage.ordinal,
        "page": passage.page,
        "place": passage.place,
        "start": passage.start,
        "end": passage.end,
        "heading": context_line(stored.title, passage.heading),
    }
    return Document(id=f"{passage.source}#{passage.ordinal}", page_content=passage.text, metadata=metadata)


def _unit(rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    vectors = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, np.float32(1e-12))
    return unit
