"""An evaluation runs beside the people who ask, can be stopped, and is listed with its failures."""

import json

import pytest
from page_fakes import GUIDE, FakeBackend
from streamlit.testing.v1 import AppTest
from test_app_jobs import until
from test_app_pages import html

from rag_dolly import evaluations
from rag_dolly.answer_questions import Question
from rag_dolly.app import resources
from rag_dolly.app.engine import Engine
from rag_dolly.app.quality import evaluation_run
from rag_dolly.errors import RagDollyError
from rag_dolly.jobs import Job


@pytest.fixture
def engine(tmp_path):
    made = Engine(FakeBackend(tmp_path, {"garden.md": GUIDE}), together=1)
    resources.install(made)
    made.start()
    until(lambda: made.state == "ready")
    yield made
    if (run := evaluation_run.current(made)) is not None:
        run.stopping.set()
        until(lambda: run.finished, 60)


def questions(*texts):
    golds = {"When do I water tomatoes?": ("morning",)}
    return [Question(n, text, golds.get(text, ("x",)), True, "garden.md", frozenset()) for n, text in enumerate(texts)]


def finished(run):
    until(lambda: run.finished, 60)
    return run


def test_questions_are_answered_judged_and_kept(engine, tmp_path):
    run = finished(evaluation_run.start(engine, "q.jsonl", questions("When do I water tomatoes?", "unknown")))
    assert (run.state, run.done, run.error) == ("done", 2, "")
    (kept,) = evaluations.kept(tmp_path)
    assert kept.name == run.name and kept.figure("contains") == 0.5 and kept.figure("false_refusals") == 0.5
    assert kept.facts == {"data": "q.jsonl", "model": "fake", "documents": 1, "asked": 2, "total": 2}
    evaluation_run.dismiss(run)
    assert evaluation_run.current(engine) is None


def test_a_stop_keeps_what_was_answered_and_others_are_served_meanwhile(engine, tmp_path):
    engine.chain.pause = 0.05
    run = evaluation_run.start(engine, "q", questions(*["a long answer about compost"] * 50))
    with pytest.raises(RagDollyError, match="Another evaluation is running"):
        evaluation_run.start(engine, "other", questions("a"))
    until(lambda: run.done >= 1, 60)
    engine.chain.pause = 0.01
    mine = Job("When do I water tomatoes?")
    engine.queue.submit(mine)
    until(lambda: mine.finished, 60)
    assert mine.state == "done" and not run.finished, "it did not wait for all fifty"
    run.stopping.set()
    finished(run)
    (kept,) = evaluations.kept(tmp_path)
    assert run.state == "stopped" and 1 <= kept.facts["asked"] == run.done < 50


def test_a_failure_is_said_and_what_was_answered_is_kept(engine, tmp_path):
    run = finished(evaluation_run.start(engine, "q", questions("When do I water tomatoes?", "broken", "unknown")))
    assert run.state == "failed" and "ran out of memory" in run.error and run.done == 1
    assert evaluations.kept(tmp_path)[0].facts["asked"] == 1


def test_nothing_answered_is_nothing_kept(engine, tmp_path):
    run = finished(evaluation_run.start(engine, "q", questions("broken")))
    assert run.state == "failed" and run.name == "" and evaluations.kept(tmp_path) == []


def draw():
    from rag_dolly.app import resources
    from rag_dolly.app.quality import page as quality

    quality.show(resources.engine())


def page(upload=None):
    at = AppTest.from_function(draw, default_timeout=20).run()
    at.button_group(key="quality-part").set_value("Evaluations").run()
    if upload is not None:
        at.file_uploader[0].set_value([upload])
        next(button for button in at.button if button.label == "Run").click().run()
    return at


def lines(*texts):
    rows = [
        {"id": n, "question": text, "answers": ["morning"], "answerable": True, "doc": "garden.md"}
        for n, text in enumerate(texts)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_the_page_runs_a_file_and_shows_each_failure_beside_its_sources(engine):
    at = page(("my <q>.jsonl", lines("When do I water tomatoes?", "unknown", "compost please"), "text/plain"))
    run = evaluation_run.current(engine)
    finished(run)
    at.run()
    assert "3 questions evaluated" in at.success[0].value
    assert "my &lt;q&gt;.jsonl, 3" in html(at) and "my <q>" not in html(at)
    shown = html(at)
    assert "false refusal" in shown and "Expected: morning — garden.md" in shown
    assert "Compost feeds the soil slowly." in shown and "<mark>morning</mark>" in shown
    at.button_group(key=f"fault-{run.name}").set_value("false refusal").run()
    assert html(at).count('class="rd-failure"') == 1
    at.button(key="delete-evaluation").click().run()
    assert 'class="rd-failure"' not in html(at)


@pytest.mark.parametrize(
    ("upload", "line"),
    [
        (("q.jsonl", b"not json\n", "text/plain"), "q.jsonl, line 1: not JSON"),
        (("q.jsonl", b"", "text/plain"), "q.jsonl has no questions"),
        (("q.jsonl", b"\xff\xfe\x00", "text/plain"), "q.jsonl cannot be read"),
        (("q.jsonl", b'{"id": 1}\n', "text/plain"), "expected question"),
    ],
)
def test_a_file_that_is_none_of_questions_is_said_without_our_path(engine, upload, line):
    at = page(upload)
    said = at.error[0].value.replace("\\", "").replace("\u2060", "")
    assert line in said and "/tmp" not in said and evaluation_run.current(engine) is None
