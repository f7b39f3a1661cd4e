"""Hits to evidence: what is read by a person or a model, instead of what a retriever ranks.

The same text is kept once and the other places where it stands are named; passages that say the same in other words
make room for others; neighbours of one section become one passage. The retriever's own order, by which retrieval is
measured, is not touched. A hit's text is always the text of its document from `start` to `end`.

Limits: texts are folded by their words, so a translation is no duplicate; where two texts differ in a number, a name
or a denial both are kept, however alike they are. In scripts without letter case only the very same words are folded.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from rag_dolly.types import Hit, place_of
from rag_dolly.words import is_negated, names, numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ingest.filters import Filters
    from ingest.index import Index
    from ingest.records import StoredPassage
    from rag_dolly.retrieve import OnFound

OVERSAMPLE = 3
"""Hits asked of the retriever for each one wanted, so that enough remain."""
SAME_TEXT = 0.9
"""Jaccard similarity of word shingles from which on two texts are the same but for slips and spaces."""
SAME_MEANING = 0.9
"""Cosine of stored vectors from which on two passages say the same."""
MOST_JOINED = 3
"""Neighbours that become one passage: more would not fit a prompt beside other evidence."""

_SHINGLE = 4
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:['’]\w+)?"
)


class SearchesIndex(Protocol):
    """A retriever over an open index."""

    index: "Index"

    def search(self, question: str, top_k: int) -> list[Hit]:
        """Return at most `top_k` hits, best first. May take `filters` and `on_found` too."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A text as it is compared: its words, what of them must agree, and its shingles."""

    line: str
    facts: tuple[str, ...]
    shingles: frozenset[tuple[str, ...]]


def find_evidence(
    retriever: SearchesIndex,
    question: str,
    top_k: int,
    *,
    filters: "Filters | None" = None,
    on_found: "OnFound | None" = None,
) -> list[Hit]:
    """Search, and return at most `top_k` hits as evidence, best first. Raises `BadFilter` if no document matches.

    `on_found` is told what the retriever found, before any of it is folded, passed over or joined.
    """
    given: dict[str, Any] = {"filters": filters} if filters else {}
    given |= {"on_found": on_found} if on_found else {}
    return evidence(retriever.index, retriever.search(question, OVERSAMPLE * top_k, **given), top_k)


def evidence(index: "Index", hits: Sequence[Hit], top_k: int) -> list[Hit]:
    """Return at most `top_k` of the hits, ranked anew from 1: folded, diverse, neighbours joined."""
    folded = fold(hits)
    chosen = diverse(folded, vectors_of(index, folded), top_k) if len(folded) > top_k else folded
    return [replace(hit, rank=rank) for rank, hit in enumerate(join(index, chosen), 1)]


def fold(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without those whose text a better one has, the places of these being named in its `also`."""
    kept: list[Hit] = []
    said: list[_Said] = []
    owners: dict[tuple[str, ...], int] = {}
    for hit in hits:
        mine = _said(hit.text)
        shared = Counter(owners[shingle] for shingle in mine.shingles if shingle in owners)
        nearest = [n for n, _ in shared.most_common(2)]
        same = next((n for n in nearest if _is_same(mine, said[n])), None)
        if same is not None:
            kept[same] = replace(kept[same], also=(*kept[same].also, place_of(hit), *hit.also))
            continue
        for shingle in mine.shingles:
            owners.setdefault(shingle, len(kept))
        kept.append(hit)
        said.append(mine)
    return kept


def _said(text: str) -> _Said:
    tokens = _TOKEN.findall(text) or [text]
    facts = tuple(token for token in tokens if not token.islower() or is_negated(token))
    words = [token.casefold() for token in tokens]
    spans = range(max(1, len(words) - _SHINGLE + 1))
    return _Said(f" {' '.join(words)} ", facts, frozenset(tuple(words[n : n + _SHINGLE]) for n in spans))


def _is_same(mine: _Said, other: _Said) -> bool:
    """Whether the other text says all that mine says: it holds it word for word, or is it but for slips."""
    if mine.line in other.line:
        return True
    shared = len(mine.shingles & other.shingles)
    union = len(mine.shingles) + len(other.shingles) - shared
    return shared >= SAME_TEXT * union and mine.facts == other.facts


def vectors_of(index: "Index", hits: Sequence[Hit]) -> "NDArray[np.float32] | None":
    """Return the stored vectors of the hits, shape (n, dimension); None if one has left the index meanwhile."""
    ids = index.ids_at([(hit.source, hit.ordinal) for hit in hits])
    if len(ids) < len(hits):
        return None
    return index.vectors_of([ids[hit.source, hit.ordinal] for hit in hits])


def diverse(hits: Sequence[Hit], vectors: "NDArray[np.float32] | None", top_k: int) -> list[Hit]:
    """Return at most `top_k` hits in their order. One that only says what a better one says is the last to be taken.

    That is a cosine of `SAME_MEANING` and no number and no name that the better one does not have.
    """
    chosen: list[int] = []
    later: list[int] = []
    near = vectors @ vectors.T >= SAME_MEANING if vectors is not None else None
    for n, hit in enumerate(hits):
        repeats = near is not None and any(near[n, m] and _adds_nothing(hit, hits[m]) for m in chosen)
        (later if repeats else chosen).append(n)
    return [hits[n] for n in sorted([*chosen, *later][:top_k])]


def _adds_nothing(hit: Hit, better: Hit) -> bool:
    return numbers(hit.text) <= numbers(better.text) and names(hit.text) <= names(better.text)


def join(index: "Index", hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits with neighbours of one section and page joined, each at the place of its best."""
    joined: list[Hit] = []
    for group in _neighbours(hits):
        together = _union(index, group) if len(group) > 1 else None
        joined += [together] if together else group
    return sorted(joined, key=lambda hit: hit.rank)


def _neighbours(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Return the hits in groups of at most `MOST_JOINED` that follow each other, or overlap, in one section."""
    ordered = sorted(hits, key=lambda hit: (hit.source, hit.start, hit.ordinal))
    groups = [ordered[:1]] if ordered else []
    for before, hit in pairwise(ordered):
        if _follows(before, hit) and len(groups[-1]) < MOST_JOINED:
            groups[-1].append(hit)
        else:
            groups.append([hit])
    return groups


def _follows(before: Hit, hit: Hit) -> bool:
    same = all(getattr(before, name) == getattr(hit, name) for name in ("source", "heading", "page", "place"))
    return same and (hit.ordinal == before.ordinal + 1 or hit.start < before.end)


def _union(index: "Index", group: Sequence[Hit]) -> Hit | None:
    """Return neighbours as one hit with the text of the document; None where that is not just what they hold."""
    document = index.read_document(group[0].source)
    text = document.text if document else ""
    if any(text[hit.start : hit.end] != hit.text for hit in group):  # read again since the search
        return None
    if any(text[before.end : hit.start].strip() for before, hit in pairwise(group)):
        return None
    best = min(group, key=lambda hit: hit.rank)
    start, end = group[0].start, max(hit.end for hit in group)
    dense, keyword, rerank = (_highest(group, name) for name in ("dense", "keyword", "rerank"))
    also = tuple(dict.fromkeys(place for hit in group for place in hit.also))
    whole = replace(best, ordinal=group[0].ordinal, start=start, end=end, text=text[start:end], also=also)
    return replace(whole, dense=dense, keyword=keyword, rerank=rerank)


def _highest(group: Sequence[Hit], name: str) -> float | None:
    return max((score for hit in group if (score := getattr(hit, name)) is not None), default=None)


def widen(index: "Index", hit: Hit, others: Sequence[Hit]) -> Hit:
    """Return the hit grown by the passages before and after that hold the rest of its first and last paragraph.

    Only within its section and page, to at most `MOST_JOINED` passages, never into another hit. Tables, and kinds of
    file whose passages have a place of their own (rows, cells, messages), stay as they are.
    """
    document = index.read_document(hit.source)
    if hit.place or hit.text.startswith("|") or document is None or document.text[hit.start : hit.end] != hit.text:
        return hit
    around = [(hit.source, hit.ordinal + step) for step in range(-1, MOST_JOINED + 1)]
    ids = index.ids_at(place for place in around if place[1] >= 0)
    stored = index.passages(list(ids.values()))
    room = MOST_JOINED - sum(hit.start <= one.passage.start < hit.end for one in stored)
    start, end = hit.start, hit.end
    for passage in (one.passage for one in stored if _is_of_section(one, hit)):
        is_free = not any(o.source == hit.source and o.start < passage.end and passage.start < o.end for o in others)
        if not is_free or room < 1:
            continue
        if hit.end <= passage.start and not _is_break(document.text[hit.end : passage.start]):
            end, room = passage.end, room - 1
        elif passage.end <= hit.start and not _is_break(document.text[passage.end : hit.start]):
            start, room = passage.start, room - 1
    return replace(hit, start=start, end=end, text=document.text[start:end])


def _is_of_section(stored: "StoredPassage", hit: Hit) -> bool:
    passage = stored.passage
    heading = passage.heading or ((stored.title,) if stored.title else ())
    return (heading, passage.page, passage.place) == (hit.heading, hit.page, hit.place)


def _is_break(between: str) -> bool:
    """Whether what stands between two passages ends a paragraph."""
    return bool(between.strip() or re.search(r"\n\s*\n", between))
