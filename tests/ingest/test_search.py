"""Search against oracles: FAISS against numpy, keyword search against what must be found."""

import numpy as np
import pytest

from ingest import vectors as faiss_vectors
from ingest.keyword import query_words
from ingest.rows import Rows
from ingest.store import Store
from ingest.terms import RECORD, number
from ingest.vectors import VectorSearch


def search_of(ids, vectors):
    segment = faiss_vectors.empty(vectors.shape[1])
    faiss_vectors.add(segment, vectors.astype(np.float16))
    return VectorSearch([(Rows(ids, np.ones(len(ids), np.float32)), segment)], vectors.shape[1])


@pytest.fixture
def some_vectors():
    vectors = np.random.default_rng(0).normal(size=(500, 32)).astype(np.float32)
    return np.arange(500, dtype=np.int64) * 3 + 7, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_faiss_finds_what_brute_force_finds(some_vectors):
    ids, vectors = some_vectors
    search = search_of(ids, vectors)
    noise = np.random.default_rng(1).normal(scale=0.1, size=(20, 32)).astype(np.float32)
    for query in vectors[:20] + noise:
        scores = vectors.astype(np.float16).astype(np.float32) @ query
        expected = ids[np.argsort(-scores)[:10]]
        found = search.search(query, 10)
        assert [key for key, _ in found] == list(expected)
        assert np.allclose([score for _, score in found], np.sort(scores)[::-1][:10], atol=1e-2)


@pytest.mark.parametrize("step", [2, 7, 100])
def test_only_what_is_allowed_and_there_is_found(some_vectors, step):
    ids, vectors = some_vectors
    search = search_of(ids, vectors)
    search.segments[0][0].remove(int(ids[0]), int(ids[99]))
    allowed = ids[::step]
    found = [key for key, _ in search.search(vectors[3], 20, allowed)]
    there = np.arange(0, 500, step)[np.arange(0, 500, step) > 99]
    assert found == list(ids[there[np.argsort(-(vectors[there] @ vectors[3]))[:20]]])
    assert search.search(vectors[3], 5, np.array([1, 2], np.int64)) == []
    assert np.allclose(search.vectors_of(ids[[400, 0, 200]]), vectors[[400, 0, 200]] * [[1], [0], [1]], atol=1e-3)


def test_by_cluster_nearly_everything_is_found(some_vectors):
    ids, vectors = some_vectors
    exact = search_of(ids, vectors)
    ((rows, segment),) = exact.segments
    search = VectorSearch([(rows, faiss_vectors.cluster(segment))], 32)
    hits = []
    for options in ({}, {"among": ids[::2]}, {"among": ids[::50]}):
        for query in vectors[:20]:
            found, expected = search.search(query, 10, **options), exact.search(query, 10, **options)
            hits.append(len({key for key, _ in found} & {key for key, _ in expected}))
            assert found[0] == pytest.approx(expected[0], abs=1e-5)
    assert np.mean(hits) > 9.5
    assert len(search.search(vectors[0], 500)) == 500


def test_an_empty_index_finds_nothing():
    assert VectorSearch([], 8).search(np.ones(8, np.float32), 5) == []
    assert search_of(np.zeros(0, np.int64), np.zeros((0, 8), np.float32)).search(np.ones(8, np.float32), 5) == []


def test_keyword_search_ranks_the_passage_with_the_words_first(index):
    found = index.keyword("How many kilograms of honey does a hive need?", 5)
    best = index.passages([found[0][0]])[0]
    assert "15 kilograms" in best.passage.text
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


@pytest.mark.parametrize(
    "question", ["", "?!", "''", '"; DROP TABLE passages; --', "a AND (b OR", "NEAR(x", "*", "col:x"]
)
def test_no_question_can_break_the_query_language(index, question):
    index.keyword(question, 5)
    assert index.passage_count > 0


def test_stop_words_are_left_out_unless_there_is_nothing_else():
    assert query_words("What is the height of the tower?") == ["height", "tower"]
    assert query_words("to be or not to be") == ["to", "be", "or", "not", "to", "be"]


def test_words_without_spaces_are_found(folder, ingest, index):
    (folder / "蜜蜂.md").write_text("# 蜜蜂\n\n蜜蜂在冬天依靠储存的蜂蜜生活。\n", encoding="utf-8")
    (folder / "お茶.txt").write_text("緑茶は摂氏七十五度で二分間淹れます。", encoding="utf-8")
    ingest(folder)
    first = lambda question: index.passages([index.keyword(question, 5)[0][0]])[0].passage.source  # noqa: E731
    assert first("蜂蜜生活") == "蜜蜂.md"
    assert first("緑茶") == "お茶.txt"


def test_deleting_a_document_takes_its_words_along(tmp_path, folder, ingest, index):
    assert index.keyword("lighthouse", 5)
    (folder / "guide/lighthouse.txt").unlink()
    ingest(folder)
    assert index.keyword("lighthouse whale oil", 5) == []
    store = Store(tmp_path / "index" / "index.sqlite3")
    blobs = [blob for (blob,) in store._rows("SELECT terms FROM passages")]
    assert number("bee") in np.frombuffer(b"".join(blobs), RECORD)["term"]
    assert number("whale") not in np.frombuffer(b"".join(blobs), RECORD)["term"]


def test_hidden_html_is_not_evidence(index):
    assert index.keyword("poison", 5) == []


def test_what_stands_in_quotes_comes_first(folder, ingest, index):
    (folder / "a.txt").write_text(
        "The red lantern and the lantern of the keeper: a keeper keeps lantern after lantern."
    )
    (folder / "b.txt").write_text(
        "In the long winter nights the Keeper\nLantern was never lit, for want of oil and of men."
    )
    ingest(folder)
    source = lambda found: index.passages([found[0][0]])[0].passage.source  # noqa: E731
    assert source(index.keyword("keeper lantern", 5)) == "a.txt"
    quoted = index.keyword('what of the "keeper lantern"', 5)
    assert source(quoted) == "b.txt" and quoted[0][1] > quoted[1][1]
    assert index.keyword('"lantern keeper"', 5) == index.keyword("lantern keeper", 5)
    (b,) = index.passages_of("b.txt")
    assert index.keyword('"was never"', 5)[0][0] == b.id
    assert b.id not in dict(index.keyword('"keeper lantern"', 5, among=np.array([b.id + 1], np.int64)))


def test_scores_and_vectors_of_given_passages(index, embedder):
    found = index.keyword("honey bees", 50)
    terms = [("honey", 1.0), ("bee", 1.0)]
    assert index.keyword_terms(terms, 50) == found
    ids = [key for key, _ in found]
    assert index.word_scores("honey bees", [*ids, 10**6]).tolist() == [*(score for _, score in found), 0.0]
    dense = dict(index.dense(embedder.embed_query("bees"), 50))
    assert np.allclose(index.vectors_of(ids) @ embedder.embed_query("bees"), [dense[key] for key in ids], atol=1e-5)


def test_a_search_leaves_the_threads_of_torch_as_they_were(index):
    """FAISS and torch share OpenMP: a search that set it to one thread made every model after it slow."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        index.dense(index.embedder.embed_query("anything"), 3)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
