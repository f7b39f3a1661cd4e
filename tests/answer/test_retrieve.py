"""Fusion, and the retriever over a real index with the hashing embedder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ingest.filters import parse_filters
from ingest.index import Index
from ingest.sync import ingest_paths
from rag_dolly.fuse import FAMILIAR, FOREIGN, fuse, spread, weights_for
from rag_dolly.retrieve import HybridRetriever, begin_vector
from tests.fakes import HashingEmbedder

TEXTS = {
    "tea.md": "# Tea\n\nGreen tea is steeped for two minutes in water of 75 degrees.\n",
    "coffee.md": "# Coffee\n\nCoffee is brewed for four minutes in water of 93 degrees.\n",
    "milk.txt": "Milk is warmed to sixty degrees and never boiled.\n",
}


@pytest.fixture
def index(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    embedder = HashingEmbedder()
    ingest_paths([folder], tmp_path / "index", embedder)
    opened = Index.open(tmp_path / "index", embedder)
    yield opened
    opened.close()


def test_scores_are_standardised_weighted_and_scaled():
    dense, keyword = np.array([0.9, 0.5, 0.1], np.float32), np.array([0.0, 6.0, 0.0], np.float32)
    expected = 0.6 * (dense - dense.mean()) / dense.std() + 0.4 * (keyword - keyword.mean()) / keyword.std()
    fused = fuse((dense, keyword), (0.6, 0.4))
    assert fused == pytest.approx(expected, abs=1e-5)
    assert spread(fused) == pytest.approx((expected - expected.min()) / np.ptp(expected), abs=1e-5)


def test_a_stage_to_which_all_are_alike_has_no_say():
    flat = np.full(3, 0.7, np.float32)
    keyword = np.array([1.0, 3.0, 2.0], np.float32)
    assert list(np.argsort(-fuse((flat, keyword), (0.9, 0.1)))) == [1, 2, 0]
    assert list(spread(fuse((flat, flat), (0.5, 0.5)))) == [1, 1, 1]
    assert spread(fuse((flat[:0], flat[:0]), (0.5, 0.5))).shape == (0,)


@given(arrays(np.float32, st.integers(1, 30), elements=st.floats(-10, 10, width=32)))
def test_fused_scores_lie_between_nought_and_one(stage):
    fused = spread(fuse((stage, stage[::-1], stage), FAMILIAR))
    assert fused.min() >= 0 and fused.max() == 1


def test_the_embedder_says_less_in_a_script_that_it_does_not_know():
    assert weights_for(1) == FAMILIAR and weights_for(0) == FOREIGN
    assert FOREIGN.dense < weights_for(0.5).dense < FAMILIAR.dense


def test_every_stage_scores_every_hit(index):
    hits = HybridRetriever(index).search("How long is green tea steeped?", 3)
    assert [hit.rank for hit in hits] == [1, 2, 3] and hits[0].source == "tea.md" and hits[0].score == 1
    assert all(hit.dense is not None and hit.keyword is not None for hit in hits)
    query = index.embedder.embed_query("How long is green tea steeped?")
    cosines = dict(index.dense(query, 3))
    assert sorted(hit.dense for hit in hits) == pytest.approx(sorted(cosines.values()), abs=1e-3)


def test_what_is_asked_for_more_is_in_the_same_order(index):
    retriever = HybridRetriever(index)
    every = retriever.search("minutes in water", 3)
    assert [hit.source for hit in retriever.search("minutes in water", 1)] == [every[0].source]


def test_only_documents_that_the_filter_names(index):
    hits = HybridRetriever(index).search("degrees", 5, filters=parse_filters("kind:text"))
    assert [hit.source for hit in hits] == ["milk.txt"]


def test_a_question_of_several_sentences_is_the_mean_of_them():
    embedder = HashingEmbedder()
    one, other = "Green tea is steeped long.", "Coffee beans are roasted dark."
    mean = embedder.embed_query(one) + embedder.embed_query(other)
    assert begin_vector(embedder, f"{one} {other}")() == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert np.array_equal(begin_vector(embedder, one)(), embedder.embed_query(one))
    assert np.array_equal(begin_vector(embedder, "Why? How?")(), embedder.embed_query("Why? How?"))


def test_a_question_without_a_known_word_is_answered_by_the_other_stage(index):
    assert len(HybridRetriever(index).search("zzz", 3)) == 3


def test_documents_are_ranked_once_each_by_their_whole_words(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    filler = "Nothing of note is said in this line. " * 12
    (folder / "one.txt").write_text(f"The kettle boils.\n\n{filler}\n\nThe samovar whistles.\n")
    (folder / "other.txt").write_text(f"The kettle boils.\n\n{filler}\n\nThe lantern glows.\n")
    embedder = HashingEmbedder()
    ingest_paths([folder], tmp_path / "index", embedder)
    index = Index.open(tmp_path / "index", embedder)
    assert index.passage_count > 3
    hits = HybridRetriever(index).search_documents("samovar kettle", 5)
    assert [hit.source for hit in hits] == ["one.txt", "other.txt"] and [hit.rank for hit in hits] == [1, 2]
    ids = [stored.id for stored in index.all_passages()]
    whole = dict(zip(ids, index.document_scores("samovar kettle", ids), strict=True))
    assert len({float(score) for score in whole.values()}) == 2
    assert index.document_scores("samovar", [ids[0], 10**6])[1] == 0
    index.close()


def test_a_document_of_one_passage_scores_as_its_passage(index):
    ids = [stored.id for stored in index.all_passages()]
    assert index.document_scores("green tea", ids) == pytest.approx(index.word_scores("green tea", ids))


def test_coverage_is_the_weight_of_the_words_that_are_there(index):
    ids = [stored.id for stored in index.all_passages()]
    sources = [stored.passage.source for stored in index.all_passages()]
    found = index.by_words("tea coffee", np.array([*ids, 10**6]))
    both = dict(zip(sources, found.coverage, strict=False))
    assert both["milk.txt"] == 0 < both["tea.md"] == pytest.approx(both["coffee.md"])
    assert found.coverage[-1] == found.keyword[-1] == 0
    assert found.keyword == pytest.approx(index.word_scores("tea coffee", [*ids, 10**6]))
    twice = dict(zip(sources, index.by_words("tea tea", np.array(ids)).coverage, strict=True))
    assert twice["tea.md"] == pytest.approx(2 * both["tea.md"])
