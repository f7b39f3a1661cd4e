"""An evaluation of retrieval: which documents are wanted, how it runs on a real index, how it is kept and read."""

import json

import pytest
from page_fakes import FakeBackend
from streamlit.testing.v1 import AppTest
from test_app_evaluation_run import finished, lines
from test_app_jobs import until
from test_app_kept import loopback  # noqa: F401
from test_app_pages import html

from ingest.index import Index
from rag_dolly import retrieval_evaluations
from rag_dolly.answer_questions import Question
from rag_dolly.app import resources
from rag_dolly.app.engine import Engine
from rag_dolly.app.quality import evaluation_run, retrieval_run
from rag_dolly.errors import RagDollyError
from rag_dolly.retrieval_evaluations import of_questions

TEXTS = {
    "plants/tomato.md": "# Tomatoes\n\nWater the tomatoes in the morning, never in the evening.\n",
    "plants/compost.md": "# Compost\n\nSpread two centimetres of compost over the soil in March.\n",
    "tools/pump.md": "# Pump\n\nThe bilge pump starts at a water level of thirty centimetres.\n",
}


@pytest.fixture
def engine(tmp_path, ingest, embedder):
    """An engine whose index is a real one of three documents."""
    for name, text in TEXTS.items():
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ingest(tmp_path / "docs")
    made = Engine(FakeBackend(tmp_path / "index", {"none.md": "Nothing."}), together=1)
    resources.install(made)
    made.start()
    until(lambda: made.state == "ready")
    made.chain.index = Index.open(tmp_path / "index", embedder)
    yield made
    made.chain.index.close()


def question(key, text, doc, answerable=True):
    return Question(key, text, (), answerable, doc, frozenset())


ASKED = [
    question(1, "When do I water the tomatoes?", "tomato"),
    question(2, "At which level does the bilge pump start?", "tools/pump.md"),
    question(3, "Who composed Fidelio?", "opera.pdf"),
    question(4, "What does the pump cost?", "pump.md", answerable=False),
]


def test_only_questions_that_a_document_of_the_index_answers_are_asked():
    wanted = of_questions(ASKED, [*TEXTS, "old/pump.md"])
    assert wanted.qrels == {"1": {"plants/tomato.md": 1}, "2": {"tools/pump.md": 1}} and wanted.left_out == 2
    two = of_questions([question(1, "x", "pump.md")], [*TEXTS, "old/pump.md"])
    assert set(two.qrels["1"]) == {"tools/pump.md", "old/pump.md"}, "each document of that name is right"
    with pytest.raises(RagDollyError, match="names a document of the index"):
        of_questions(ASKED[2:], TEXTS)


def test_each_stage_is_measured_and_kept(engine, tmp_path):
    run = finished(retrieval_run.start(engine, "q.jsonl", of_questions(ASKED, TEXTS)))
    assert (run.state, run.done, run.error) == ("done", 2, "")
    (kept,) = retrieval_evaluations.kept(tmp_path / "index")
    assert kept.name == run.name and set(kept.stages) == {"keyword", "dense", "rrf", "fused"}
    assert kept.figure("recall@5") == 1.0 and kept.figure("nothing") is None
    told = {"data": "q.jsonl", "documents": 3, "reranker": "none", "product": "fused", "left_out": 2, "asked": 2}
    assert kept.facts.items() >= (told | {"total": 2}).items()
    rows = retrieval_evaluations.queries(tmp_path / "index", kept.name)
    assert [row["question"] for row in rows] == [one.question for one in ASKED[:2]]
    assert rows[0]["wanted"] == ["plants/tomato.md"] and rows[0]["found"][0] == "plants/tomato.md"
    assert rows[0]["ranks"]["keyword"] == 1


def test_a_stop_keeps_what_was_searched(engine, tmp_path):
    wanted = of_questions(ASKED, TEXTS)
    run = evaluation_run.Run(engine, "q", list(wanted.queries), lambda run: None)
    run.stopping.set()
    retrieval_run.search_all(wanted, run)
    assert run.name == "" and retrieval_evaluations.kept(tmp_path / "index") == []


def test_forgetting_takes_the_questions_that_name_the_document(engine, tmp_path):
    folder = tmp_path / "index"
    run = finished(retrieval_run.start(engine, "q", of_questions(ASKED[:1], TEXTS)))
    assert retrieval_evaluations.forget_documents(folder, ["other.md"]) == 0
    assert retrieval_evaluations.forget_documents(folder, ["plants/tomato.md"]) == 1
    assert retrieval_evaluations.queries(folder, run.name) == [] and retrieval_evaluations.kept(folder)
    assert not any(b"tomato.md" in path.read_bytes() for path in (folder / "evaluations").iterdir())
    retrieval_evaluations.delete(folder, run.name)
    assert retrieval_evaluations.kept(folder) == []


def draw():
    from rag_dolly.app import resources
    from rag_dolly.app.quality import page as quality

    quality.show(resources.engine())


def page():
    at = AppTest.from_function(draw, default_timeout=20).run()
    at.button_group(key="quality-part").set_value("Evaluations").run()
    return at.button_group(key="evaluation-kind").set_value("Retrieval").run()


def test_the_page_runs_a_file_and_shows_where_each_document_was_found(engine):
    at = page()
    text = lines("When do I water the tomatoes?").replace(b"garden.md", b"tomato.md")
    at.file_uploader[0].set_value([("my <q>.jsonl", text, "text/plain")])
    next(button for button in at.button if button.label == "Run").click().run()
    finished(evaluation_run.current(engine))
    at.run()
    assert "1 question evaluated" in at.success[0].value
    shown = html(at)
    assert "my &lt;q&gt;.jsonl, 1" in shown and "100 %" in shown and "by meaning" in shown
    assert "Expected: plants/tomato.md (by words 1, by meaning 1)" in shown
    at.button(key="delete-retrieval").click().run()
    assert "Evaluations of retrieval" not in html(at)


def test_a_folder_in_beir_layout_is_measured_on_the_index(engine, tmp_path):
    folder = tmp_path / "beir"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text(json.dumps({"_id": "plants/compost", "text": "Compost."}) + "\n")
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "a", "text": "How much compost?"}) + "\n")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\na\tplants/compost\t1\n")
    at = page()
    at.text_input(key="evaluation-path").set_value(str(folder))
    next(button for button in at.button if button.label == "Run").click().run()
    finished(evaluation_run.current(engine))
    (kept,) = retrieval_evaluations.kept(tmp_path / "index")
    assert kept.facts["data"] == "beir" and kept.figure("recall@5") == 1.0
