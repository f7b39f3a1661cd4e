"""Search against oracles: FAISS against numpy, FTS5 against what must be found."""

import numpy as np
import pytest

from ingest.keyword import match_query, query_words
from ingest.store import Store
from ingest.vectors import VectorSearch


def test_faiss_finds_what_brute_force_finds():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(500, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(500, dtype=np.int64) * 3 + 7
    search = VectorSearch(ids, vectors.astype(np.float16))
    for query in vectors[:20] + rng.normal(scale=0.1, size=(20, 32)).astype(np.float32):
        scores = vectors @ query
        expected = ids[np.argsort(-scores)[:10]]
        found = search.search(query, 10)
        assert [key for key, _ in found] == list(expected)
        assert np.allclose([score for _, score in found], np.sort(scores)[::-1][:10], atol=1e-2)


def test_an_empty_index_finds_nothing():
    assert VectorSearch(np.zeros(0, np.int64), np.zeros((0, 8), np.float16)).search(np.ones(8, np.float32), 5) == []


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
    assert match_query("the tower and the tower") == '"tower" OR "tower"'


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
    assert store._rows("SELECT count(*) FROM words WHERE words MATCH 'whale'") == [(0,)]


def test_hidden_html_is_not_evidence(index):
    assert index.keyword("poison", 5) == []
