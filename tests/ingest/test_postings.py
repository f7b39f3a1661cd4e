"""BM25 over postings against BM25 as it is written in books, however the passages were brought in and removed."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import postings, terms
from ingest.postings import HEAD_WEIGHT, K1, B, Postings, best, build, merge
from ingest.terms import RECORD, number

WORDS = "ant bee cat dog elk fox gnu hen ibis jay".split()
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=1, max_size=30)
queries = st.lists(st.tuples(st.sampled_from([*WORDS, "nowhere"]), st.sampled_from([0.5, 1.0, 2.0])), max_size=5)


def packed(body, head=()):
    counts = {number(word): (body.count(word), list(head).count(word)) for word in {*body, *head}}
    return np.array([(key, *counts[key]) for key in sorted(counts)], RECORD).tobytes()


def part(first, passages, step=2):
    ids = first + step * np.arange(len(passages), dtype=np.int64)
    return build(ids, [packed(passage) for passage in passages])


def naive(passages, query):
    """Return id -> BM25 of {id: words}."""
    count, mean = len(passages), sum(map(len, passages.values())) / max(len(passages), 1) or 1.0
    scores = {}
    for key, words in passages.items():
        score = 0.0
        for term, weight in query:
            there = sum(term in others for others in passages.values())
            often = words.count(term)
            if often:
                idf = math.log(1 + (count - there + 0.5) / (there + 0.5))
                score += weight * idf * often / (often + K1 * (1 - B + B * len(words) / mean))
        if score:
            scores[key] = score
    return scores


def same(found, expected, k):
    assert len(found) == min(k, len(expected))
    assert all(expected[key] == pytest.approx(score, rel=1e-4) for key, score in found)
    ranked = sorted(expected.values(), reverse=True)
    assert [score for _, score in found] == pytest.approx(ranked[:k], rel=1e-4)


@settings(deadline=None, max_examples=60)
@given(texts, queries, st.lists(st.integers(0, 29)), st.lists(st.integers(1, 29)), st.integers(1, 40), st.booleans())
def test_scores_are_those_of_the_books(passages, query, removed, cuts, k, is_merged):
    cuts = [0, *sorted({cut for cut in cuts if cut < len(passages)}), len(passages)]
    parts = [part(100 + 2 * a, passages[a:b]) for a, b in pairwise(cuts)]
    there = {100 + 2 * number: words for number, words in enumerate(passages)}
    for which in removed:
        there.pop(100 + 2 * which, None)
        for rows, _ in parts:
            rows.remove(100 + 2 * which, 100 + 2 * which)
    parts = [merge(parts)] if is_merged else parts
    search, expected = Postings(parts), naive(there, query)
    same(search.search(query, k), expected, k)
    among = np.array(sorted({*there, 1, 999})[::3], dtype=np.int64)
    same(search.search(query, k, among), {key: score for key, score in expected.items() if key in among}, k)
    ids = np.array([*there, 5], dtype=np.int64)
    assert search.scores(query, ids) == pytest.approx([expected.get(key, 0.0) for key in ids], rel=1e-4)
    both = [term for term, _ in query]
    holding = [key for key, words in there.items() if both and {*both} <= {*words}]
    assert search.having_all(both).tolist() == holding
    assert not expected or search.bound(query) > max(expected.values())


@settings(deadline=None)
@given(texts, queries, st.integers(1, 29))
def test_segments_score_as_one_bit_for_bit(passages, query, cut):
    whole = Postings([part(1, passages)]).search(query, 10)
    two = [part(1, passages[:cut]), part(1 + 2 * cut, passages[cut:])] if cut < len(passages) else [part(1, passages)]
    assert Postings(two).search(query, 10) == whole == Postings([merge(two)]).search(query, 10)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]), max_size=80), st.integers(0, 12))
def test_the_best_are_the_first_of_equals(values, k):
    scores = np.repeat(np.array(values, np.float32), 97)  # so that some fill whole blocks
    expected = [place for place in np.argsort(-scores, kind="stable") if scores[place] > 0][:k]
    assert best(scores, k).tolist() == expected


def test_title_and_headings_count_beside_the_text():
    pack = terms.pack("", "Bees", ["Bees", "Winter honey"], "Honey is what bees make. Honey!", "en")
    records = {row["term"]: (row["body"], row["head"]) for row in np.frombuffer(pack, RECORD)}
    ((bee,), (honey,)) = (terms.keyword.index_terms(word, "en") for word in ("bees", "honey"))
    assert (records[number(bee)], records[number(honey)]) == ((1, 2), (2, 1))
    rows, segment = build(np.array([3], np.int64), [pack])
    assert segment.of(number(honey)).tolist() == [4 * (2 + HEAD_WEIGHT)]
    assert rows.lengths.tolist() == [sum(4 * (body + HEAD_WEIGHT * head) for body, head in records.values())]


def test_counts_and_terms_have_ends():
    many = Counter({"bee": 5000, "é\ud800": 3})
    body = [word for word, often in many.items() for _ in range(min(often, 255))]
    _, segment = build(np.array([1, 2], np.int64), [packed(body), b""])
    assert segment.of(number("bee")).tolist() == [255] and segment.of(number("é\ud800")).tolist() == [12]
    assert Postings([]).search([("bee", 1.0)], 5) == [] == Postings([build(np.zeros(0, np.int64), [])]).search([], 5)
    with pytest.raises(ValueError, match="size"):
        build(np.array([1], np.int64), [b"12345"])


def test_many_rows_and_blocks():
    draw = np.random.default_rng(3)
    passages = [list(draw.choice(WORDS, size=draw.integers(1, 9))) for _ in range(5000)]
    search = Postings([part(10, passages, step=1)])
    there = {10 + number: words for number, words in enumerate(passages)}
    for k in (1, 3, 100):
        same(search.search([("bee", 1.0), ("gnu", 0.5)], k), naive_fast(there), k)
    few = np.arange(10, 5010, 100, dtype=np.int64)
    same(
        search.search([("bee", 1.0), ("gnu", 0.5)], 9, few), {k: v for k, v in naive_fast(there).items() if k in few}, 9
    )
    assert postings.MAX_ROWS == 1 << 24


def naive_fast(there):
    query = [("bee", 1.0), ("gnu", 0.5)]
    counts = {term: sum(term in words for words in there.values()) for term, _ in query}
    mean = sum(map(len, there.values())) / len(there)
    idf = {term: math.log(1 + (len(there) - count + 0.5) / (count + 0.5)) for term, count in counts.items()}
    norm = {key: K1 * (1 - B + B * len(words) / mean) for key, words in there.items()}
    scores = {
        key: sum(w * idf[t] * words.count(t) / (words.count(t) + norm[key]) for t, w in query)
        for key, words in there.items()
    }
    return {key: score for key, score in scores.items() if score}
