"""The faces against LangChain's own conformance suites, and what the suites do not cover."""

from functools import partial

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.prompts import PromptTemplate
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from ingest.errors import BadFilter
from ingest.index import Index
from ingest.sync import ingest_paths
from rag_dolly.evidence import find_evidence
from rag_dolly.faces import RagLLM, RagRetriever, to_hit, until
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.vectorstore import IndexVectorStore
from tests.conftest import SAMPLES
from tests.fakes import HashingEmbedder, ScriptedPipeline


class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path):
        return IndexVectorStore.create(tmp_path / "store", self.get_embeddings())


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def sample_index(self, tmp_path):
        ingest_paths([SAMPLES], tmp_path / "index", HashingEmbedder())
        type(self).index = Index.open(tmp_path / "index", HashingEmbedder())

    @property
    def retriever_constructor(self):
        return lambda **options: RagRetriever(search=HybridRetriever(self.index).search, **options)

    @property
    def retriever_constructor_params(self):
        return {}

    @property
    def retriever_query_example(self):
        return "honey in winter"


@pytest.fixture
def store(index):
    return IndexVectorStore(index)


def test_ingested_passages_are_in_the_store(store):
    best, score = store.similarity_search_with_score("honey to survive the winter", k=1)[0]
    assert best.metadata["source"] == "bees.md" and 0 < score <= 1.001
    assert store.get_by_ids([best.id]) == [best]


def test_the_place_of_a_passage_is_metadata_and_survives_the_way_back(index, folder, ingest):
    (folder / "trees.csv").write_text("tree,fruit\nquince,astringent pomes\nmedlar,bletted pomes\n")
    ingest(folder)
    assert IndexVectorStore(index).similarity_search("astringent pomes", k=1)[0].metadata["place"] == "rows 2-3"
    retriever = HybridRetriever(index)
    found = RagRetriever(search=retriever.search, k=1).invoke("astringent pomes")[0]
    assert found.metadata["place"] == "rows 2-3"
    assert to_hit(found) == retriever.search("astringent pomes", 1)[0]


def test_texts_of_a_program_live_beside_the_folder(store, folder, ingest):
    store.add_documents([Document("The comet returns in 2061.", id="c", metadata={"by": "me"})])
    assert store.similarity_search("comet returns 2061", k=1)[0].metadata == {"by": "me"}
    assert ingest(folder).deleted == 0
    assert store.get_by_ids(["c"])[0].page_content == "The comet returns in 2061."
    store.delete(["c", "bees.md"])
    assert store.get_by_ids(["c"]) == [] and store.index.passages_of("bees.md")


def test_a_store_outlives_the_process(tmp_path):
    embedding = DeterministicFakeEmbedding(size=6)
    IndexVectorStore.from_texts(["kept"], embedding, ids=["k"], folder=tmp_path / "s")
    again = IndexVectorStore.create(tmp_path / "s", embedding)
    assert [document.page_content for document in again.similarity_search("kept", k=1)] == ["kept"]


def test_as_retriever(store):
    assert store.as_retriever(search_kwargs={"k": 2}).invoke("green tea")[0].metadata["source"] == "guide/tea.html"


def test_a_filter_narrows_retriever_and_store(index, store):
    retriever = RagRetriever(search=HybridRetriever(index).search, k=9, filter="folder:guide")
    found = lambda documents: {document.metadata["source"] for document in documents}  # noqa: E731
    assert found(retriever.invoke("honey")) == {"guide/tea.html", "guide/lighthouse.txt"}
    assert found(retriever.invoke("honey", filter="kind:markdown")) == {"bees.md"}
    assert found(store.similarity_search("honey", k=9, filter="kind:html")) == {"guide/tea.html"}
    narrow = store.as_retriever(search_kwargs={"k": 9, "filter": "source:guide/l*"})
    assert found(narrow.invoke("honey")) == {"guide/lighthouse.txt"}
    with pytest.raises(BadFilter, match="The kinds there are"):
        store.similarity_search_with_score("honey", filter="kind:pdf")


def test_the_other_places_of_a_passage_survive_the_way_back(index, folder, ingest):
    (folder / "copy.md").write_text((folder / "bees.md").read_text())
    ingest(folder)
    retriever = HybridRetriever(index)
    found = RagRetriever(search=partial(find_evidence, retriever), k=1).invoke("honey to survive the winter")[0]
    assert len(found.metadata["also"]) == 1
    assert [to_hit(found)] == find_evidence(retriever, "honey to survive the winter", 1)


def test_the_llm_frames_each_prompt_as_an_instruction():
    pipeline = ScriptedPipeline("Forty two.")
    llm = RagLLM(load=lambda: pipeline)
    assert (PromptTemplate.from_template("Say {what}") | llm).invoke({"what": "a number"}) == "Forty two."
    assert pipeline.prompts[-1] == "Question: Say a number"
    llm.invoke("exactly this", rendered=True)
    assert pipeline.prompts[-1] == "exactly this"
    assert llm.batch(["a", "b"]) == ["Forty two."] * 2


def test_the_llm_streams_and_honours_stop_sequences():
    llm = RagLLM(load=lambda: ScriptedPipeline("one two three four"))
    assert list(llm.stream("x")) == ["one ", "two ", "three ", "four"]
    assert "".join(llm.stream("x", stop=["three"])) == "one two " == llm.invoke("x", stop=["three"])


def test_a_chain_without_a_model_says_so():
    with pytest.raises(ValueError, match="no language model"):
        RagLLM(load=lambda: None).invoke("x")


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_stop_sequence_split_over_pieces_is_found(cut):
    text = "keep ### End drop"
    pieces = [text[i : i + cut] for i in range(0, len(text), cut)]
    assert "".join(until(pieces, ["### End"])) == "keep "
    assert "".join(until(pieces, ["nowhere"])) == text
