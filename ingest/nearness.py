"""How near passages come to a question: the best cosine, and the share of the question's words that one of them has.

Of words counted once, each as far as `query_terms` weighs it; stop words do not count. What is searched for and what a
refusal is calibrated by are measured with the same function.
"""

from collections.abc import Sequence

from ingest.keyword import index_terms, language_of, query_terms
from ingest.names import said_of

SHARE_WEIGHT = 0.5
"""What the share of words counts beside the cosine."""


def word_share(question: str, texts: Sequence[str], sources: Sequence[str]) -> float:
    """Return the largest share of a question's words that one text has, 0 to 1; 0 without texts.

    Words by which the question names the document that a text is from, one of `sources` for each text, it has too.
    """
    languages = [language_of(text) for text in texts]
    weights: dict[str, float] = {}
    for term, weight in query_terms(question, set(languages)):
        weights[term] = max(weight, weights.get(term, 0.0))
    total = sum(weights.values()) or 1.0
    held = (
        said_of(question, source, language).union(index_terms(text, language))
        for text, source, language in zip(texts, sources, languages, strict=True)
    )
    return max(
        (sum(weight for term, weight in weights.items() if term in terms) / total for terms in held), default=0.0
    )


def near(cosine: float, share: float) -> float:
    """Return the nearness that is compared with what an index needs."""
    return cosine + SHARE_WEIGHT * share
