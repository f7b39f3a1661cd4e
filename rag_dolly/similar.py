"""Which earlier texts are near to a new one, by the embedder, among those that share words with it.

Limits: a text that shares no content word with the new one is never found, as only those that do are embedded.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rag_dolly.words import content_words

if TYPE_CHECKING:
    from ingest.embed import Vectors

LEAST = 0.8
"""Cosine from which on texts are near. Of 1,500 instructions of databricks-dolly-15k, 25 have one as near as this: the
same question in other words, or the same task with another thing in it."""
LOOKED_AT = 40
"""Texts that are embedded, those that share most words."""


def nearest(text: str, others: Sequence[str], embed: Callable[[list[str]], "Vectors"], limit: int = 3) -> list[int]:
    """Return the positions of up to `limit` of the other texts that are near, nearest first.

    `embed` gives a vector of length 1 for each text.
    """
    words = set(content_words(text))
    shared = [len(words & set(content_words(other))) for other in others]
    candidates = sorted((n for n, count in enumerate(shared) if count), key=lambda n: -shared[n])[:LOOKED_AT]
    if not candidates:
        return []
    vectors = embed([text, *(others[n] for n in candidates)])
    cosines = (vectors[1:] @ vectors[0]).tolist()
    ranked = sorted(zip(cosines, candidates, strict=True), key=lambda pair: -pair[0])
    return [n for cosine, n in ranked if cosine >= LEAST][:limit]
