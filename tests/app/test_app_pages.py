"""The page's states and what its buttons do, on Streamlit's own test runner."""

import re
from pathlib import Path

import pytest
from page_fakes import GUIDE, HOSTILE, FakeBackend
from streamlit.testing.v1 import AppTest
from test_app_jobs import until

from ingest.errors import IndexMismatch, ModelNotFound
from rag_dolly.app import resources
from rag_dolly.app.ask import filtering
from rag_dolly.app.engine import Engine
from rag_dolly.jobs import Job

SCRIPT = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture
def page(tmp_path):
    """Return a function that opens the page on a fake backend."""

    def open_page(texts=None, settled=True, **given):
        engine = Engine(FakeBackend(tmp_path, texts, **given), together=1)  # so that a question has to wait
        resources.install(engine)
        engine.start()
        if settled:
            until(lambda: engine.state not in ("opening", "loading"))
        at = AppTest.from_file(SCRIPT, default_timeout=20).run()
        at.engine = engine
        return at

    return open_page


def html(at):
    bodies = [element.proto.body for element in at.get("html")]
    return " ".join(body for body in bodies if not body.startswith("<style>"))


def labels(at):
    return [button.label for button in at.button]


def ask_and_wait(at, question):
    at.chat_input[0].set_value(question).run()
    finish(at)


def finish(at):
    until(lambda: at.session_state["jobs"][-1].finished)
    at.run()


def press(at, key):
    return at.button(key=key).click().run()


def test_an_empty_conversation_suggests_questions_from_the_headings(page):
    at = page({"garden.md": GUIDE})
    assert "Ask your documents" in html(at) and "1 document" in html(at) and "Nothing leaves this machine" in html(at)
    assert labels(at) == [
        r"How do I water the garden\?",
        r"How do I feed the soil\?",
    ]
    press(at, "suggestion-0")
    finish(at)
    assert "Water the tomatoes in the morning." in html(at)


def test_an_answer_cites_and_lists_what_it_did_not_cite(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    assert 'href="#cite-0-1"' in html(at)
    assert [at.button(key=f"open-0-{key}").label for key in ("cite-1", "found-2")] == [
        r"**1** garden\.md — Water the tomatoes in the morning\.",
        r"garden\.md — Compost feeds the soil slowly\.",
    ]
    assert at.expander[0].label == "Found but not cited (1)"
    assert "Written by fake · 1.2 s" in html(at)


def test_a_citation_opens_beside_the_answer_with_its_span_marked(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    assert "<mark" not in html(at)
    press(at, "open-0-cite-1")
    assert '# Water the garden\n\n<mark id="rd-mark">Water the tomatoes in the morning.</mark> Evening' in html(at)
    press(at, "close-source")
    assert "<mark" not in html(at)


def test_a_passage_that_was_not_cited_opens_too(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    press(at, "open-0-found-2")
    assert '<mark id="rd-mark">Compost feeds the soil slowly.</mark>' in html(at)


def test_a_document_that_is_gone_or_changed_is_not_marked_wrongly(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    at.engine.index.texts["garden.md"] = "Shifted. " + GUIDE
    press(at, "open-0-cite-1")
    assert "has changed since the answer" in html(at)
    del at.engine.index.texts["garden.md"]
    at.engine.index.texts["other.md"] = "Other."
    at.run()
    assert "no longer in the index" in html(at)


def test_hostile_text_and_names_stay_text(page):
    at = page({"<img src=x onerror=alert(1)>.md": f"# H\n\n{HOSTILE}\n\nSecond sentence.\n"})
    ask_and_wait(at, "hostile")
    press(at, "open-0-cite-1")
    assert "<img" not in html(at) and "<script" not in html(at)
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in html(at)
    assert 'href="#cite-0-99"' not in html(at) and "[99]" in html(at)
    assert not any(re.search(r"(?<!\\)[<!\[$]", label) for label in labels(at))
    assert not any(element.proto.allow_html for element in at.markdown)


def test_follow_ups_carry_the_answered_turns(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    ask_and_wait(at, "unknown")
    ask_and_wait(at, "And compost?")
    asked = at.engine.chain.asked
    assert asked[0]["chat_history"] == []
    assert asked[2]["chat_history"] == [("When do I water tomatoes?", "Water the tomatoes in the morning. [1]")]


def test_a_new_conversation_forgets(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    press(at, "forget")
    assert len(at.session_state["jobs"]) == 0 and "Ask your documents" in html(at)
    ask_and_wait(at, "And compost?")
    assert at.engine.chain.asked[1]["chat_history"] == []


def test_abstaining_looks_like_itself_and_offers_the_nearest_passages(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "unknown")
    assert "Your documents do not answer this." in html(at) and "Nearest passages" in html(at)
    assert "rd-answer" not in html(at) and [part.label for part in at.expander] == [filtering.BUTTON]
    press(at, "open-0-found-1")
    assert "<mark" in html(at)


def test_quotes_are_labelled(page):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "quote me on water")
    assert any("Quoted from your documents" in element.value for element in at.markdown)
    assert "Written by" not in html(at) and "Word for word" in html(at)


@pytest.mark.parametrize(
    ("question", "line"),
    [("broken", "The model ran out of memory\\: choose a smaller one\\."), ("crash", "ValueError")],
)
def test_an_error_is_one_line_without_a_traceback(page, question, line):
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, question)
    assert line in at.error[0].value
    assert not at.exception and "secret path" not in html(at) + at.error[0].value
    assert not at.chat_input[0].proto.disabled


def test_stop_keeps_and_labels_the_partial_answer(page):
    at = page({"garden.md": GUIDE}, pause=0.02)
    at.chat_input[0].set_value("a long answer about compost").run()
    assert at.chat_input[0].proto.disabled
    until(lambda: at.session_state["jobs"][0].result.get("answer"))
    press(at, "stop-0")
    finish(at)
    assert any("Stopped" in element.value for element in at.markdown)
    assert html(at).count("Compost feeds the soil slowly.") < 40
    assert "rd-answer" in html(at) and 'href="#cite-0-1"' in html(at)
    assert at.session_state["jobs"][0].state == "stopped"


def test_a_question_waits_behind_another_session(page):
    at = page({"garden.md": GUIDE}, pause=0.02)
    other = Job("a long answer about compost")
    at.engine.queue.submit(other)
    until(lambda: other.state == "running")
    at.chat_input[0].set_value("When do I water tomatoes?").run()
    assert "Waiting: 1 question is ahead of yours" in html(at)
    at.engine.queue.withdraw(other)
    finish(at)
    assert "Water the tomatoes" in html(at)


def test_no_index_says_what_to_do_and_takes_files(page):
    at = page()
    assert "No documents yet" in html(at) and "rag-dolly ingest FOLDER" in html(at)
    assert at.get("file_uploader") and not at.chat_input
    at.file_uploader[0].set_value(
        [("soil.md", b"# Soil\n\nSandy soil drains fast.\nClay holds water.\n", "text/markdown")]
    )
    next(button for button in at.button if button.label == "Add to the library").click().run()
    until(lambda: at.engine.state == "ready")
    at.run()
    ask_and_wait(at, "How does sandy soil drain?")
    assert "Sandy soil drains fast." in html(at)


def test_an_empty_index_is_like_none(page):
    at = page({})
    assert "No documents yet" in html(at) and not at.chat_input


def test_a_question_may_be_asked_while_the_model_loads(page):
    at = page({"garden.md": GUIDE}, settled=False, pause=2)
    until(lambda: at.engine.state == "loading")
    at.run()
    assert "The model is loading" in html(at)
    at.chat_input[0].set_value("When do I water tomatoes?").run()
    assert "Loading the model" in html(at)
    finish(at)
    assert "Water the tomatoes" in html(at)


@pytest.mark.parametrize(
    "error", [IndexMismatch("Made by a, b is in use: ingest again."), ModelNotFound("No model x: name one.")]
)
def test_what_stands_in_the_way_is_said_and_can_be_tried_again(page, error):
    at = page({"garden.md": GUIDE}, error=error)
    assert f'role="alert">{error!s}</p>' in html(at) and not at.chat_input
    at.engine.backend.error = None
    press(at, "again")
    until(lambda: at.engine.state == "ready")
    assert at.run().chat_input


def test_settings_that_are_not_understood_are_said(page, monkeypatch):
    monkeypatch.setenv("RAG_DOLLY_TOP_K", "many")
    resources.install(None)
    at = AppTest.from_file(SCRIPT, default_timeout=20).run()
    assert "top" in at.error[0].value and not at.exception
