"""The search structures as they are at one moment, and how they catch up with what was written since.

They consist of segments: a first one, read from the derived files of a large index or made from all passages, and
small ones for what came later. To catch up, only new passages and the list of removals are read; small segments are
merged into larger ones as they gather, so that a commit costs what it brings, at any size of the index.
"""

from typing import NamedTuple

from ingest import postings, vectors
from ingest.postings import Postings
from ingest.rows import Rows
from ingest.store import Store
from ingest.vectors import VectorSearch


class Part(NamedTuple):
    """A segment of both structures. One that is `fixed` is not merged with others."""

    rows: Rows
    words: postings.Segment
    vectors: vectors.Segment
    fixed: bool = False


class Snapshot(NamedTuple):
    """What a search needs. `last` is the highest passage id ever seen, `removed` the number of the last removal."""

    parts: tuple[Part, ...]
    words: Postings
    vectors: VectorSearch
    languages: frozenset[str]
    made_with: str
    last: int
    removed: int


def make(parts: list[Part], store: Store, dimension: int, last: int, removed: int) -> Snapshot:
    """Return a snapshot of these segments."""
    words = Postings([(part.rows, part.words) for part in parts])
    dense = VectorSearch([(part.rows, part.vectors) for part in parts], dimension)
    return Snapshot(tuple(parts), words, dense, store.languages(), store.get("terms"), last, removed)


def catch_up(seen: Snapshot, store: Store) -> Snapshot | None:
    """Return what `seen` has become; None if that cannot be told from the changes, and all must be read anew.

    To be called inside `store.reading()`. Rows that were removed are marked in `seen` too.
    """
    oldest, newest = store.removals()
    if seen.made_with != store.get("terms") or oldest > seen.removed + 1:
        return None
    for first, last in store.removed_since(seen.removed):
        for part in seen.parts:
            part.rows.remove(first, last)
    parts = [part for part in seen.parts if part.rows.alive]
    fresh = read_part(store, seen.last, seen.vectors.dimension)
    if fresh:
        parts.append(fresh)
        while len(parts) > 1 and _are_to_merge(*parts[-2:]):
            parts[-2:] = [merged(parts[-2:])]
    last = int(fresh.rows.ids[-1]) if fresh else seen.last
    return make(parts, store, seen.vectors.dimension, last, newest)


def read_whole(store: Store, dimension: int) -> Snapshot:
    """Return all passages as one segment, from the index file alone. To be called inside `store.reading()`."""
    part = read_part(store, 0, dimension)
    return make([part] if part else [], store, dimension, store.last_passage(), store.removals()[1])


def read_part(store: Store, after: int, dimension: int) -> Part | None:
    """Return the passages with an id above `after` as one segment, None if there are none."""
    words, dense = [], vectors.empty(dimension)
    for found in store.search_rows(after, dimension):
        words.append(postings.build(found.ids, found.terms))
        vectors.add(dense, found.vectors)
    if not words:
        return None
    return Part(*(postings.merge(words) if len(words) > 1 else words[0]), dense)


def merged(parts: list[Part]) -> Part:
    """Return several segments as one, without what was removed."""
    rows, words = postings.merge([(part.rows, part.words) for part in parts])
    return Part(rows, words, vectors.merge([(part.rows, part.vectors) for part in parts]))


def _are_to_merge(older: Part, newer: Part) -> bool:
    together = older.rows.alive + newer.rows.alive
    return not older.fixed and len(older.rows) < 2 * len(newer.rows) and together <= postings.MAX_ROWS
