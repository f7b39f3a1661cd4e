"""The reranking stage of the retriever, with a fake behind the seam `Reranker`."""

from itertools import pairwise

import numpy as np
import pytest

from ingest.filters import parse_filters
from ingest.index import Index
from ingest.sync import ingest_paths
from rag_dolly.evidence import find_evidence
from rag_dolly.retrieve import HybridRetriever
from tests.fakes import ScriptedReranker

RERANKED = ScriptedReranker.depth
MANY = RERANKED + 10


@pytest.fixture
def index(tmp_path, embedder):
    """An index of `MANY` documents that all have the question's word, each with a number of its own."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for n in range(MANY):
        (folder / f"{n:02}.md").write_text(f"# Kettle {n}\n\nA kettle boils {'water ' * n} at {n} degrees.\n")
    ingest_paths([folder], tmp_path / "index", embedder)
    opened = Index.open(tmp_path / "index", embedder)
    yield opened
    opened.close()


def by_length(question, texts):
    return [-len(text) for text in texts]


def test_the_best_are_put_in_the_order_of_the_reranker_alone(index):
    fused = HybridRetriever(index).search("kettle water", MANY)
    hits = HybridRetriever(index, ScriptedReranker(by_length)).search("kettle water", MANY)
    read, rest = hits[:RERANKED], hits[RERANKED:]
    assert [hit.source for hit in read] == sorted(hit.source for hit in fused[:RERANKED])
    assert all(hit.rerank == -len(f"Kettle {int(hit.source[:2])}\n{hit.text}") for hit in read)
    assert rest == fused[RERANKED:] and all(hit.rerank is None for hit in fused)


def test_scores_fall_with_the_rank_from_one(index):
    hits = HybridRetriever(index, ScriptedReranker(by_length)).search("kettle water", MANY)
    assert [hit.rank for hit in hits] == list(range(1, MANY + 1))
    assert hits[0].score == 1 and hits[-1].score >= 0
    assert all(before.score >= after.score for before, after in pairwise(hits))
    assert hits[0].score > hits[10].score > hits[20].score > hits[RERANKED].score


def test_the_first_hits_are_the_same_however_many_are_asked_for(index):
    retriever = HybridRetriever(index, ScriptedReranker(by_length))
    assert retriever.search("kettle water", 1) == retriever.search("kettle water", MANY)[:1]


def test_texts_are_read_as_they_were_embedded_and_with_the_question(index):
    reranker = ScriptedReranker(by_length)
    hits = HybridRetriever(index, reranker).search("kettle water", 3)
    ((question, texts),) = reranker.asked
    assert question == "kettle water" and len(texts) == RERANKED
    assert f"Kettle {int(hits[0].source[:2])}\n{hits[0].text}" in texts


def test_equal_scores_keep_the_fused_order(index):
    fused = HybridRetriever(index).search("kettle water", RERANKED)
    hits = HybridRetriever(index, ScriptedReranker(lambda _, texts: np.zeros(len(texts)))).search("kettle water", 9)
    assert [hit.source for hit in hits] == [hit.source for hit in fused[:9]]
    assert {hit.score for hit in hits} == {1.0} and {hit.rerank for hit in hits} == {0.0}


def test_only_what_is_near_the_best_is_read(index):
    fused = HybridRetriever(index).search("kettle water", MANY)
    everything = ScriptedReranker(by_length, margin=1000.0)
    assert HybridRetriever(index, everything).search("kettle water", MANY)[0].rerank is not None
    assert len(everything.asked[0][1]) == RERANKED
    some = ScriptedReranker(by_length, margin=0.3)
    hits = HybridRetriever(index, some).search("kettle water", MANY)
    read = len(some.asked[0][1])
    assert 1 < read < RERANKED and sum(hit.rerank is not None for hit in hits) == read
    assert {hit.source for hit in hits[:read]} == {hit.source for hit in fused[:read]} and hits[read:] == fused[read:]


def test_nothing_is_read_where_the_best_leads_clearly(index):
    fused = HybridRetriever(index).search("kettle 7 degrees", MANY)
    nothing = ScriptedReranker(by_length, margin=0.0)
    assert HybridRetriever(index, nothing).search("kettle 7 degrees", MANY) == fused and nothing.asked == []


def test_few_candidates_and_none(index, tmp_path):
    reranker = ScriptedReranker(by_length)
    only = HybridRetriever(index, reranker).search("kettle", 5, filters=parse_filters("source:07.md"))
    assert [(hit.source, hit.score) for hit in only] == [("07.md", 1.0)]
    reranker.asked.clear()
    assert retriever_of_nothing(tmp_path, index.embedder, reranker).search("kettle", 5) == []
    assert reranker.asked == []


def retriever_of_nothing(tmp_path, embedder, reranker):
    from ingest.forget import forget

    (tmp_path / "one.md").write_text("soon gone")
    ingest_paths([tmp_path / "one.md"], tmp_path / "empty", embedder)
    forget(["one.md"], tmp_path / "empty")
    return HybridRetriever(Index.open(tmp_path / "empty", embedder), reranker)


def test_evidence_keeps_what_the_reranker_said(index):
    hits = find_evidence(HybridRetriever(index, ScriptedReranker(by_length)), "kettle water", 4)
    assert len(hits) == 4 and all(hit.rerank is not None and hit.rerank < 0 for hit in hits)
