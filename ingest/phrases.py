"""Quoted phrases: passages that say them literally come first.

A passage that may hold a phrase has all of its terms, in the language of some document; the best of those are looked up
in the stored text. A passage's score rises by the bound that no passage's BM25 can reach, in proportion to how many
of the question's phrases stand in it, so that every passage with a phrase ranks above every one without. Where no
passage has one, nothing changes.
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from ingest import keyword
from ingest.postings import Postings, Scored, Terms, best
from ingest.records import StoredPassage
from ingest.rows import Ids

_READ = 500
"""How many passages are looked up for a phrase."""
ReadPassages = Callable[[Sequence[int]], list[StoredPassage]]


def raised(
    found: Scored,
    words: Postings,
    terms: Terms,
    phrases: Collection[str],
    languages: Collection[str],
    k: int,
    among: Ids | None,
    read: ReadPassages,
) -> Scored:
    """Return the `k` best of what was found for `terms` and of the passages that say a phrase, best first."""
    holding: dict[int, int] = {}
    for phrase in phrases:
        for key in _holding(words, phrase, languages, among, read):
            holding[key] = holding.get(key, 0) + 1
    if not holding:
        return found
    ids = np.array(sorted(holding), dtype=np.int64)
    scores = dict(found) | dict(zip(ids.tolist(), words.scores(terms, ids).tolist(), strict=True))
    step = (words.bound(terms) or 1.0) / len(phrases)
    ranked = [(key, score + step * holding.get(key, 0)) for key, score in scores.items()]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))[:k]


def _holding(
    words: Postings, phrase: str, languages: Collection[str], among: Ids | None, read: ReadPassages
) -> list[int]:
    """Return the ids of passages that say a phrase, case and spaces apart."""
    said = _plain(phrase)
    found: set[int] = set()
    for terms in {tuple(keyword.index_terms(phrase, language)) for language in sorted({"", *languages})}:
        ids = words.having_all(terms, among)
        if len(ids) > _READ:
            ids = ids[best(words.scores([(term, 1.0) for term in terms], ids), _READ)]
        found |= {stored.id for stored in read(ids.tolist()) if said in _plain(stored.passage.text)}
    return sorted(found)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
