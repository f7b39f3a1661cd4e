"""The built-in reranker: the score by hand, what it does to the order, and where it has no say."""

import json

import numpy as np
import pytest

from ingest.embed import open_embedder
from ingest.index import Index
from ingest.sync import ingest_paths
from rag_dolly import assemble, cli
from rag_dolly.errors import BadSetting
from rag_dolly.maxsim import MaxSimReranker, load_maxsim, maxsim
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.settings import load_settings
from tests.fakes import HashingEmbedder

QUESTION = "kettle water"
MANY = MaxSimReranker.depth + 5


class WordVectors(HashingEmbedder):
    """An embedder with a token for each word: equal ones have a cosine of 1, others of 0. `known` may be set."""

    known = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self._words: dict[str, int] = {}

    def knows(self, text: str) -> float:
        return self.known

    def token_vectors(self, texts):
        self.read += texts
        rows = np.eye(500, dtype=np.float32)
        return [rows[[self._words.setdefault(word, len(self._words)) for word in text.split()]] for text in texts]


@pytest.fixture
def words():
    return WordVectors()


@pytest.fixture
def index(tmp_path, words):
    """An index of `MANY` documents that all have one word of the question, and the odd ones both."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for n in range(MANY):
        (folder / f"{n:02}.md").write_text(f"# Kettle {n}\n\nA kettle boils{' water' * (n % 2)} at {n} degrees.\n")
    ingest_paths([folder], tmp_path / "index", words)
    opened = Index.open(tmp_path / "index", words)
    yield opened
    opened.close()


def test_the_score_by_hand():
    asked = np.array([[1, 0], [0.6, 0.8]], np.float32)
    passage = np.array([[0, 1], [0.8, 0.6], [-1, 0]], np.float32)
    assert maxsim(asked, passage) == pytest.approx((0.8 + 0.96) / 2)
    assert maxsim(asked, asked) == pytest.approx(1)


def test_each_token_of_the_question_counts_once_however_often_the_passage_has_it(words):
    scores = MaxSimReranker(words).scores("a b c d", ["a a a", "d c b a", "x", "b x a"])
    assert scores.tolist() == [0.25, 1, 0, 0.5] and scores.dtype == np.float32


def reads_all(embedder):
    reranker = MaxSimReranker(embedder)
    reranker.margin = None
    return reranker


def test_the_score_is_added_to_the_fused_one_for_the_best(index, words):
    fused = HybridRetriever(index).search(QUESTION, MANY)
    hits = HybridRetriever(index, reads_all(words)).search(QUESTION, MANY)
    read, rest = hits[: MaxSimReranker.depth], hits[MaxSimReranker.depth :]
    assert {hit.source for hit in read} == {hit.source for hit in fused[: MaxSimReranker.depth]}
    assert rest == fused[MaxSimReranker.depth :] and all(hit.rerank is None for hit in rest)
    assert [hit.rank for hit in hits] == list(range(1, MANY + 1)) and hits[0].score == 1
    assert all(0 <= hit.rerank <= 1 for hit in read)
    assert len(words.read) == 1 + MaxSimReranker.depth and words.read[0] == QUESTION


def test_a_passage_that_has_what_the_question_says_passes_one_that_does_not(index):
    last = HybridRetriever(index).search(QUESTION, MANY)[MaxSimReranker.depth - 1]

    class Prefers(WordVectors):
        def token_vectors(self, texts):
            right, wrong = np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32)
            return [right if text == QUESTION or last.text in text else wrong for text in texts]

    hits = HybridRetriever(index, reads_all(Prefers())).search(QUESTION, 3)
    assert hits[0].source == last.source and [hit.rerank for hit in hits] == [1, 0, 0]
    documents = HybridRetriever(index, reads_all(Prefers())).search_documents(QUESTION, 3)
    assert documents[0].source == last.source and documents[0].rerank == 1


def test_little_difference_leaves_the_fused_order(index):
    class Even(WordVectors):
        def token_vectors(self, texts):
            return [np.array([[1, 0]], np.float32) for _ in texts]

    fused = HybridRetriever(index).search(QUESTION, MANY)
    hits = HybridRetriever(index, reads_all(Even())).search(QUESTION, MANY)
    assert [hit.source for hit in hits] == [hit.source for hit in fused]
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in fused], abs=1e-5)


def test_a_script_that_the_embedder_does_not_know_is_left_alone(index, words):
    words.known = 0.1
    fused = HybridRetriever(index).search(QUESTION, MANY)
    assert HybridRetriever(index, load_maxsim(words)).search(QUESTION, MANY) == fused
    assert words.read == [] and fused[0].rerank is None
    assert load_maxsim(open_embedder()).scores("什么是所有权？", ["所有权"]) is None
    assert load_maxsim(open_embedder()).scores("Was ist Eigentum?", ["Eigentum"])[0] > 0.5


def test_an_embedder_without_vectors_of_tokens_is_one_line(embedder, tmp_path):
    def refused(other):
        with pytest.raises(BadSetting, match=r"'maxsim'.*BERT.*name another") as caught:
            load_maxsim(other)
        assert "\n" not in str(caught.value)

    refused(embedder)
    embedder.token_vectors = lambda _: None
    refused(embedder)


def test_search_by_the_command_line(folder, tmp_path, capfd):
    settings = load_settings(index=tmp_path / "made", offline=True, reranker="maxsim")
    assemble.ingest([folder], settings, lambda *_: None)
    given = ["search", "How is the index made anew?", "--index", str(settings.index), "--reranker", "maxsim", "--json"]
    cli.app(given, standalone_mode=False)
    said = capfd.readouterr()
    hits = json.loads(said.out)["hits"]
    assert said.err == "" and hits[0]["score"] == 1
    read = [hit["rerank"] for hit in hits if hit["rerank"] is not None]
    assert read and all(0 < score <= 1 for score in read)
    assert assemble.status(settings)["reranker"] == "maxsim"
