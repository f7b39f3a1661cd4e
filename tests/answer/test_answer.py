"""From question to answer over fakes: only supported sentences are shown, every marker resolves, stop stops."""

import re

import pytest

from rag_dolly.answer import REFUSAL, Parts, answer_pieces
from rag_dolly.context import pack
from rag_dolly.errors import EmptyQuestion, QuestionTooLong
from rag_dolly.retrieve import HybridRetriever
from tests.fakes import ScriptedPipeline

TRUE = "A hive needs 15 kilograms of honey to survive the winter in central Europe."
FALSE = "A hive needs 99 kilograms of honey to survive the winter."
QUESTION = "How many kilograms of honey does a hive need to survive the winter?"


def ask(index, pipeline, question=QUESTION, history=(), stop=lambda: False, top_k=3, max_tokens=100):
    parts = Parts(
        HybridRetriever(index).search,
        lambda: pipeline,
        pipeline.stream if pipeline else None,
        index.embedder.embed_sentences,
        top_k,
        max_tokens,
    )
    return list(answer_pieces(question, history, parts, stop))


def whole(pieces):
    text = "".join(piece.get("answer", "") for piece in pieces)
    citations = [cited for piece in pieces for cited in piece.get("citations", [])]
    return {**pieces[0], **pieces[-1], "answer": text, "citations": citations}


def check_citations(answer, index):
    markers = {int(n) for n in re.findall(r"\[(\d+)\]", answer["answer"])}
    assert markers == {cited["n"] for cited in answer["citations"]}
    for cited in answer["citations"]:
        document = index.read_document(cited["source"])
        assert document.text[cited["start"] : cited["end"]] == cited["text"]


def test_a_supported_sentence_is_shown_with_its_source(index):
    answer = whole(ask(index, ScriptedPipeline(TRUE)))
    assert answer["mode"] == "generated" and not answer["abstained"]
    assert answer["answer"] == f"{TRUE} [1]"
    assert answer["citations"][0]["source"] == "bees.md"
    check_citations(answer, index)


def test_an_unsupported_sentence_is_never_shown(index):
    answer = whole(ask(index, ScriptedPipeline(f"{FALSE} {TRUE}")))
    assert "99" not in answer["answer"] and TRUE in answer["answer"]
    check_citations(answer, index)


def test_nothing_supported_means_quotes(index):
    answer = whole(ask(index, ScriptedPipeline("Bees prefer jazz. They dance to it. Honey is blue.")))
    assert answer["mode"] == "quoted" and "15 kilograms" in answer["answer"] and "jazz" not in answer["answer"]
    check_citations(answer, index)


def test_a_model_that_talks_nonsense_is_stopped_early(index):
    pipeline = ScriptedPipeline("Bees prefer jazz music. " * 3 + "They dance. " * 40)
    ask(index, pipeline)
    assert pipeline.spoken < 20 and pipeline.is_closed


def test_a_model_that_repeats_itself_is_stopped(index):
    pipeline = ScriptedPipeline(f"{TRUE} " * 20)
    answer = whole(ask(index, pipeline))
    assert answer["answer"].count("15 kilograms") == 1 and pipeline.spoken < 50


def test_a_sentence_cut_off_at_the_limit_is_not_shown(index):
    answer = whole(ask(index, ScriptedPipeline(f"{TRUE} The old queen leaves with half"), max_tokens=18))
    assert answer["answer"] == f"{TRUE} [1]"


def test_without_a_model_the_documents_are_quoted(index):
    answer = whole(ask(index, None))
    assert answer["mode"] == "quoted" and answer["model"] == "none" and answer["usage"]["window"] == 0
    assert "15 kilograms" in answer["answer"].splitlines()[0]
    check_citations(answer, index)


def test_a_question_about_something_else_is_refused_and_the_model_not_asked(index):
    pipeline = ScriptedPipeline("Paris is the capital of France.")
    answer = whole(ask(index, pipeline, "xylophone zeppelin quasar"))
    assert answer["abstained"] and answer["mode"] == "abstained" and answer["answer"] == REFUSAL
    assert answer["citations"] == [] and pipeline.spoken == 0


def test_stop_stops_the_model_and_keeps_what_was_shown(index):
    stopped = []
    pipeline = ScriptedPipeline(f"{TRUE} The old queen leaves with half of the workers. " + "More words. " * 50)
    pipeline.on_word = lambda n: stopped.append(1) if n > 20 else None
    answer = whole(ask(index, pipeline, stop=lambda: bool(stopped)))
    assert answer["stopped"] and TRUE in answer["answer"] and pipeline.spoken < 25


def test_closing_the_stream_closes_the_model(index):
    pipeline = ScriptedPipeline(f"{TRUE} The old queen leaves with half of the workers. " + "More words. " * 50)
    retrieve = HybridRetriever(index).search
    parts = Parts(retrieve, lambda: pipeline, pipeline.stream, index.embedder.embed_sentences, 3, 100)
    pieces = answer_pieces(QUESTION, (), parts, lambda: False)
    next(pieces)
    next(pieces)
    pieces.close()
    assert pipeline.is_closed


def test_the_first_piece_says_what_was_retrieved(index):
    first = ask(index, ScriptedPipeline(TRUE))[0]
    assert [hit["rank"] for hit in first["retrieved"]] == [1, 2, 3]
    expected = {"source", "page", "start", "end", "heading", "text", "score", "dense", "keyword", "rerank", "place"}
    assert expected <= set(first["retrieved"][0])


def test_hits_and_citations_say_where_in_its_file_a_passage_stands(folder, ingest, index):
    (folder / "trees.csv").write_text("tree,fruit\nquince,astringent pomes\nmedlar,bletted pomes\n")
    ingest(folder)
    answer = whole(ask(index, None, "Which tree has astringent pomes?", top_k=1))
    assert [hit["place"] for hit in answer["retrieved"]] == ["rows 2-3"]
    assert answer["citations"][0]["source"] == "trees.csv" and answer["citations"][0]["place"] == "rows 2-3"
    assert whole(ask(index, None))["citations"][0]["place"] == ""


@pytest.mark.parametrize("question", ["", "  \n "])
def test_an_empty_question_is_refused(index, question):
    with pytest.raises(EmptyQuestion):
        ask(index, None, question)


def test_a_question_longer_than_the_window_is_refused_with_the_count(index):
    with pytest.raises(QuestionTooLong, match=r"\d+ tokens"):
        ask(index, ScriptedPipeline(TRUE, window=50), "how " * 60)


def test_passages_that_do_not_fit_are_left_out_and_said(index):
    pipeline = ScriptedPipeline(TRUE, window=60)
    answer = whole(ask(index, pipeline, max_tokens=10))
    assert answer["left_out"] > 0
    assert len(pipeline.prompts[0].split()) == answer["usage"]["prompt_tokens"] <= 50


def test_packing_is_whole_passages_in_rank_order(index):
    hits = HybridRetriever(index).search(QUESTION, 7)
    for window in range(30, 300, 10):
        packed = pack(ScriptedPipeline(window=window), QUESTION, hits, 10)
        assert packed.tokens <= window - 10 and packed.left_out + len(packed.hits) == len(hits)
        assert [hit.rank for hit in packed.hits] == sorted(hit.rank for hit in packed.hits)
        assert all(hit.text in packed.prompt for hit in packed.hits)


def test_old_turns_give_way_before_passages(index):
    hits = HybridRetriever(index).search(QUESTION, 3)
    history = [("old question", "old answer " * 40), ("new question", "new answer")]
    packed = pack(ScriptedPipeline(window=150), QUESTION, hits, 10, history)
    assert "old answer" not in packed.prompt and "new answer" in packed.prompt and packed.hits


def test_a_follow_up_is_searched_with_its_subject(index):
    pieces = ask(index, None, "How tall is it?", [("Who built the lighthouse of Marrow Point?", "Ada Finch [1].")])
    assert pieces[0]["retrieved"][0]["source"] == "guide/lighthouse.txt"


def test_a_quote_reads_as_a_line(index, folder, ingest):
    (folder / "kites.md").write_text(
        "# Kites\n\n- The *largest*\n  kite <!-- x --> weighs <b>90 kilograms</b> in a `Vec<i32>`.\n"
    )
    ingest(folder)
    answer = whole(ask(index, None, "How much does the largest kite weigh?"))
    assert answer["answer"].splitlines()[0] == "The *largest* kite weighs 90 kilograms in a `Vec<i32>`. [1]"
    check_citations(answer, index)


def test_a_sentence_of_the_model_does_not_end_in_code_that_is_still_being_written(index, folder, ingest):
    told = "The parrot of the lighthouse wakes up when you say `Hello. Pretty Polly` to it."
    (folder / "parrot.md").write_text(f"# The parrot\n\n{told} It sleeps at noon.\n")
    ingest(folder)
    answer = whole(
        ask(index, ScriptedPipeline(f"{told} It sleeps at noon."), "What wakes the parrot of the lighthouse up?")
    )
    assert answer["mode"] == "generated" and answer["answer"].startswith(f"{told} [1]")
    check_citations(answer, index)
