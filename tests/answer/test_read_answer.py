"""What a reader does to an answer: which sentence is quoted, the answer in short, and when the model is not asked."""

import pytest

from rag_dolly.answer import Parts, answer_pieces
from rag_dolly.explain import explain
from rag_dolly.retrieve import HybridRetriever
from tests.fakes import PointingReader, ScriptedPipeline

QUESTION = "How many kilograms of honey does a hive need to survive the winter?"
OTHER = "How many bees are in a colony in winter?"
TRUE = "A hive needs 15 kilograms of honey to survive the winter in central Europe."


def ask(index, reader, pipeline=None, question=QUESTION, reader_first=False, **more):
    parts = Parts(
        HybridRetriever(index).search,
        lambda: pipeline,
        pipeline.stream if pipeline else None,
        index.embedder.embed_sentences,
        3,
        100,
        reader=lambda: reader,
        reader_first=reader_first,
        **more,
    )
    whole = {"answer": ""}
    for piece in answer_pieces(question, (), parts, lambda: False):
        whole |= {**piece, "answer": whole["answer"] + piece.get("answer", "")}
    return whole


def test_the_answer_in_short_stands_in_the_cited_text(index):
    answer = ask(index, PointingReader("15 kilograms"))
    short = answer["short_answer"]
    assert answer["mode"] == "quoted" and short["text"] == "15 kilograms" and short["n"] == 1
    assert index.read_document(short["source"]).text[short["start"] : short["end"]] == "15 kilograms"


def test_the_sentence_that_the_reader_points_at_comes_first(index):
    for words in ("15 kilograms", "10,000 bees", "50,000 workers"):
        assert words in ask(index, PointingReader(words, 40.0), question=OTHER)["answer"].partition("[1]")[0]


@pytest.mark.parametrize("reader", [None, PointingReader("15 kilograms", -1.0), PointingReader(TRUE)])
def test_there_is_none_in_short_without_words_that_are_sure_and_less_than_the_sentence(index, reader):
    answer = ask(index, reader)
    assert answer["mode"] == "quoted" and answer["short_answer"] is None


def test_a_reader_that_is_sure_comes_before_the_model(index):
    model = ScriptedPipeline(TRUE)
    answer = ask(index, PointingReader("15 kilograms"), model, reader_first=True)
    assert answer["mode"] == "quoted" and answer["model"] == "none" and not model.prompts
    answer = ask(index, PointingReader("15 kilograms"), model)
    assert answer["mode"] == "generated" and answer["model"] == "scripted" and answer["short_answer"] is None


def test_one_that_is_not_sure_leaves_it_to_the_model(index):
    model, open_question = ScriptedPipeline(TRUE), "Tell me about the honey of the hives."
    answer = ask(index, PointingReader("15 kilograms", -1.0), model, open_question, reader_first=True)
    assert answer["mode"] == "generated" and len(model.prompts) == 1


def test_a_question_for_a_fact_is_quoted_even_where_the_reader_is_not_sure(index):
    model = ScriptedPipeline(TRUE)
    answer = ask(index, PointingReader("15 kilograms", -1.0), model, reader_first=True)
    assert answer["mode"] == "quoted" and not model.prompts


def test_a_question_that_is_refused_leaves_the_model_alone(index):
    model = ScriptedPipeline(TRUE)
    answer = ask(index, PointingReader("15 kilograms"), model, question="Who won the chess final?", reader_first=True)
    assert answer["mode"] == "abstained" and answer["model"] == "none" and not model.prompts


def test_other_languages_are_not_read(tmp_path, ingest, embedder):
    from ingest.index import Index

    text = "Der Bienenstock braucht im Winter 15 Kilogramm Honig und die Königin bleibt in der Mitte der Traube."
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "bienen.md").write_text(text, encoding="utf-8")
    ingest(tmp_path / "de")
    opened = Index.open(tmp_path / "index", embedder)
    reader = PointingReader("15 Kilogramm")
    answer = ask(opened, reader, question="Wie viel Honig braucht der Bienenstock im Winter?")
    assert "15 Kilogramm" in answer["answer"] and not reader.read_texts and answer["short_answer"] is None
    opened.close()


def test_the_trace_tells_what_was_read(index):
    found = ask(index, PointingReader("15 kilograms"), reader_first=True, explain=lambda state: explain([], state))
    first = found["trace"]["quotes"][0]
    assert (first["read"], first["answer"]) == (5.0, "15 kilograms")
    assert found["trace"]["reason"].startswith("Quoted: the reader is sure")
