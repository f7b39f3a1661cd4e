"""The built-in reranker: question and passage compared token by token, with the index's own embedder (MaxSim).

One vector for a whole passage blurs what single words of it say. Here every token of the question looks for the token
of the passage that is nearest to it in the embedder's last layer, and the mean of these cosines is the score, as in
ColBERT, but with a model that was not trained for it: so the score is added to the fused one and does not replace it.
Nothing is stored: the passages read are embedded again for each question.
"""

from collections.abc import Sequence
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from ingest.embed import Embedder, TokenEmbedder, Vectors
from rag_dolly.errors import BadSetting

NAME = "maxsim"
LEAST_KNOWN = 0.5
"""The share of a question in scripts that the embedder knows, below which it is not asked."""


class MaxSimReranker:
    """A `Reranker` over the embedder of the index. Made by `load_maxsim`.

    `weight` was chosen on training questions; anything from 10 to 25 is as good within the noise. The best is left
    alone where it leads by more than `margin`, which changes little but the time: see docs/retrieve.md.
    """

    name = NAME
    depth = 5
    margin: float | None = 1.0
    weight: float | None = 15.0

    def __init__(self, embedder: TokenEmbedder) -> None:
        self._embedder = embedder

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Return the mean over the question's tokens of the highest cosine with a token of each text, shape (n,).

        None for a question in a script that the embedder knows by single letters only.
        """
        if self._embedder.knows(question) < LEAST_KNOWN:
            return None
        prompts = self._embedder.identity
        read = [prompts.query_prompt + question, *(prompts.passage_prompt + text for text in texts)]
        asked, *passages = self._embedder.token_vectors(read) or []
        return np.array([maxsim(asked, passage) for passage in passages], dtype=np.float32)


def can_read(embedder: Embedder) -> TypeGuard[TokenEmbedder]:
    """Whether an embedder has vectors of tokens."""
    return isinstance(embedder, TokenEmbedder) and embedder.token_vectors([]) is not None


def load_maxsim(embedder: Embedder) -> MaxSimReranker:
    """Return the reranker over an embedder. Raises `BadSetting` if that has no vectors of tokens."""
    if not can_read(embedder):
        raise BadSetting(
            f"Setting 'reranker' is '{NAME}', which needs an embedder of the kind of all-MiniLM-L6-v2 (BERT with mean "
            f"pooling); '{embedder.identity.name}' is of another: name another embedder, or a cross-encoder."
        )
    return MaxSimReranker(embedder)


def maxsim(asked: Vectors, passage: Vectors) -> float:
    """Return the mean over the rows of `asked` of their highest inner product with a row of `passage`."""
    return float((asked @ passage.T).max(axis=1).mean())
