"""The chain as a LangChain Runnable: invoke, stream, batch, async, events, and as a part of other chains."""

import asyncio
from functools import partial

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda

from ingest.errors import BadFilter, IndexMissing
from rag_dolly.chain import RagChain
from rag_dolly.errors import EmptyQuestion, ModelNotFound
from rag_dolly.evidence import find_evidence
from rag_dolly.retrieve import HybridRetriever
from tests.fakes import ScriptedPipeline

ANSWER = (
    "A hive needs 15 kilograms of honey to survive the winter in central Europe. "
    "The old queen leaves with half of the workers."
)
QUESTION = "How many kilograms of honey does a hive need, and who leaves with half of the workers?"


@pytest.fixture
def pipeline():
    return ScriptedPipeline(ANSWER)


@pytest.fixture
def chain(index, pipeline):
    return RagChain(index, HybridRetriever(index).search, lambda: pipeline, top_k=4)


def without_timings(answer):
    return {key: value for key, value in answer.items() if key != "timings"}


def test_invoke_gives_answer_citations_and_context(chain):
    answer = chain.invoke(QUESTION)
    assert answer["mode"] == "generated" and "[1]" in answer["answer"] and "[2]" in answer["answer"]
    assert [cited["n"] for cited in answer["citations"]] == [1, 2]
    assert all(isinstance(document, Document) for document in answer["context"])
    assert answer["context"][0].metadata["source"] == "bees.md"
    assert set(answer["timings"]) == {"retrieve", "first_token", "total"}
    assert set(answer["usage"]) == {"window", "prompt_tokens", "answer_tokens"}


def test_the_pieces_add_up_to_the_whole(chain):
    pieces = list(chain.stream(QUESTION))
    assert len(pieces) > 3
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    assert without_timings(total) == without_timings(chain.invoke(QUESTION))


async def test_astream_really_streams(index):
    """The second sentence is only spoken after the first was received."""
    received = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_listener(n):
        if n == 17:  # a word into the second sentence, the first is out by then
            asyncio.run_coroutine_threadsafe(asyncio.wait_for(received.wait(), 10), loop).result(15)

    pipeline = ScriptedPipeline(ANSWER, on_word=wait_for_listener)
    chain = RagChain(index, HybridRetriever(index).search, lambda: pipeline)
    text = ""
    async for piece in chain.astream(QUESTION):
        text += piece.get("answer", "")
        if "15 kilograms" in text:
            received.set()
    assert "half of the workers" in text


async def test_leaving_the_async_stream_stops_the_model(index):
    pipeline = ScriptedPipeline(ANSWER + " The colony swarms when it becomes too crowded." * 30)
    pipeline.on_word = lambda n: __import__("time").sleep(0.01)
    chain = RagChain(index, HybridRetriever(index).search, lambda: pipeline)
    stream = chain.astream(QUESTION)
    async for piece in stream:
        if piece.get("answer"):
            break
    await stream.aclose()
    for _ in range(200):
        if pipeline.is_closed:
            break
        await asyncio.sleep(0.02)
    assert pipeline.is_closed and pipeline.spoken < 60


async def test_ainvoke_and_abatch(chain):
    answers = await chain.abatch([QUESTION, QUESTION])
    assert without_timings(answers[0]) == without_timings(await chain.ainvoke(QUESTION)) == without_timings(answers[1])


def test_batch(chain):
    assert len({answer["answer"] for answer in chain.batch([QUESTION] * 3)}) == 1


async def test_events_show_retriever_and_model_at_work(chain):
    names = [event["event"] async for event in chain.astream_events(QUESTION, version="v2")]
    assert {"on_chain_stream", "on_retriever_end", "on_llm_start", "on_llm_stream"} <= set(names)


def test_it_composes_with_other_runnables(chain):
    shout = chain | RunnableLambda(lambda answer: answer["answer"].upper())
    assert "KILOGRAMS" in shout.invoke(QUESTION)


def test_history_as_pairs_and_as_messages(chain, pipeline):
    pairs = [("Who built the lighthouse?", "Ada Finch.")]
    messages = [HumanMessage("Who built the lighthouse?"), AIMessage("Ada Finch.")]
    first = chain.invoke({"question": "How tall is it?", "chat_history": pairs})
    second = chain.invoke({"question": "How tall is it?", "chat_history": messages})
    assert without_timings(first) == without_timings(second)
    assert "Ada Finch." in pipeline.prompts[-1]
    assert first["context"][0].metadata["source"] == "guide/lighthouse.txt"


def test_a_filter_of_the_chain_and_of_a_question(index, pipeline):
    search = partial(find_evidence, HybridRetriever(index))
    chain = RagChain(index, search, lambda: pipeline, top_k=9, filter=["folder:guide", "kind:html"])
    found = lambda answer: {hit["source"] for hit in answer["retrieved"]}  # noqa: E731
    assert chain.retriever.filter == "folder:guide kind:html"
    assert found(chain.invoke(QUESTION)) == {"guide/tea.html"}
    assert found(chain.invoke({"question": QUESTION, "filter": "kind:markdown"})) == {"bees.md"}
    assert found(chain.invoke({"question": QUESTION, "filter": ""})) == {"guide/tea.html"}


def test_a_bad_filter_is_refused_before_anything_is_loaded(index, tmp_path):
    chain = RagChain(index, HybridRetriever(index).search, lambda: pytest.fail("the model was loaded"))
    with pytest.raises(BadFilter, match="'author'"):
        chain.invoke({"question": QUESTION, "filter": "author:me"})
    with pytest.raises(BadFilter, match="'author'"):
        RagChain.open(tmp_path / "nowhere", filter="author:me")


def test_what_did_not_fit_is_named_with_its_place(index):
    pipeline = ScriptedPipeline(ANSWER, window=80)
    answer = RagChain(index, HybridRetriever(index).search, lambda: pipeline, top_k=4, max_tokens=10).invoke(QUESTION)
    assert answer["left_out"] == len(answer["left_out_hits"]) > 0
    for left in answer["left_out_hits"]:
        (hit,) = (hit for hit in answer["retrieved"] if hit["rank"] == left["rank"])
        assert left == {**{key: hit[key] for key in ("rank", "source", "page", "place")}, "reason": "did not fit"}
        assert hit["text"] not in pipeline.prompts[-1]


def test_the_best_passage_is_read_to_the_end_of_its_paragraph(folder, ingest, index):
    told = " ".join(f"Sentence {n} tells of the heron at pond {n} and of its {n} eggs." for n in range(12))
    (folder / "herons.md").write_text(f"# Herons\n\n{told}\n")
    ingest(folder)
    pipeline = ScriptedPipeline("Sentence 9 tells of the heron at pond 9 and of its 9 eggs.")
    chain = RagChain(index, partial(find_evidence, HybridRetriever(index)), lambda: pipeline, top_k=1, max_tokens=20)
    answer = chain.invoke("Which sentence tells of the heron at pond 9 and its 9 eggs?")
    (hit,) = answer["retrieved"]
    assert len(hit["text"]) > max(len(stored.passage.text) for stored in index.passages_of("herons.md"))
    assert index.read_document("herons.md").text[hit["start"] : hit["end"]] == hit["text"]
    assert answer["mode"] == "generated" and answer["citations"][0]["text"] in hit["text"]


def test_a_bad_question_is_refused_before_anything_is_loaded(index):
    chain = RagChain(index, HybridRetriever(index).search, lambda: pytest.fail("the model was loaded"))
    with pytest.raises(EmptyQuestion):
        chain.invoke("  ")


def test_a_model_that_cannot_be_loaded_is_reported_and_tried_again(index, pipeline):
    attempts = []

    def load():
        attempts.append(1)
        if len(attempts) < 3:
            raise ModelNotFound("No such model.")
        return pipeline

    chain = RagChain(index, HybridRetriever(index).search, load)
    for _ in range(3):
        try:
            answer = chain.invoke(QUESTION)
            break
        except ModelNotFound:
            continue
    assert answer["mode"] == "generated"


def test_the_model_is_loaded_once_for_all(index, pipeline):
    loads = []
    chain = RagChain(index, HybridRetriever(index).search, lambda: loads.append(1) or pipeline)
    chain.batch([QUESTION] * 4)
    assert len(loads) == 1


def test_tracing_that_would_send_documents_away_is_warned_of(index, tmp_path, monkeypatch):
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    with pytest.warns(UserWarning, match="LangSmith"), pytest.raises(IndexMissing):
        RagChain.open(tmp_path / "nowhere")


def test_open_with_the_bundled_embedder_and_no_model(folder, tmp_path):
    from ingest import ingest_folder

    assert ingest_folder(folder, index=tmp_path / "real").added == 3
    chain = RagChain.open(tmp_path / "real", model="none")
    answer = chain.invoke("How tall is the lighthouse?")
    assert answer["mode"] == "quoted" and "42 metres" in answer["answer"]
    assert chain.invoke("What is the boiling point of mercury on Jupiter's moons?")["abstained"]
