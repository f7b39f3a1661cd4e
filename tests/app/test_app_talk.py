"""Asking again, editing, the plain chat, links to a passage: what the buttons do, on Streamlit's own test runner."""

import pytest
from page_fakes import GUIDE, HOSTILE
from streamlit.testing.v1 import AppTest
from test_app_jobs import until
from test_app_pages import SCRIPT, ask_and_wait, finish, html, labels, page, press  # noqa: F401  page is a fixture

from rag_dolly.app import resources
from rag_dolly.app.ask import deep_link, plain

GARDEN = {"garden.md": GUIDE}


def questions(at):
    return [job.question for job in at.session_state["jobs"]]


def editing(at):
    return [area for area in at.text_area if area.key.startswith("edit-text")]


def test_asking_again_replaces_the_turn_and_those_after_it(page):  # noqa: F811
    at = page(GARDEN)
    for question in ("When do I water tomatoes?", "And compost?", "unknown"):
        ask_and_wait(at, question)
    press(at, "again-1")
    finish(at)
    assert questions(at) == ["When do I water tomatoes?", "And compost?"]
    assert len(at.engine.chain.asked) == 4
    assert at.engine.chain.asked[-1]["chat_history"] == at.engine.chain.asked[1]["chat_history"] != []


def test_a_question_is_edited_and_sent_again(page):  # noqa: F811
    at = page(GARDEN)
    for question in ("When do I water tomatos?", "And compost?"):
        ask_and_wait(at, question)
    press(at, "edit-0")
    assert at.text_area(key="edit-text-0").value == "When do I water tomatos?" and "goes too" in html(at)
    at.text_area(key="edit-text-0").set_value("When do I water tomatoes?")
    next(button for button in at.button if button.label == "Send").click().run()
    finish(at)
    assert questions(at) == ["When do I water tomatoes?"] and not editing(at)
    assert "Water the tomatoes in the morning." in html(at)


def test_an_edit_can_be_left_and_changes_nothing(page):  # noqa: F811
    at = page(GARDEN)
    ask_and_wait(at, "When do I water tomatoes?")
    press(at, "edit-0")
    at.text_area(key="edit-text-0").set_value("Something else")
    next(button for button in at.button if button.label == "Cancel").click().run()
    assert questions(at) == ["When do I water tomatoes?"] and not editing(at) and len(at.engine.chain.asked) == 1


def test_nothing_can_be_asked_again_while_an_answer_is_written(page):  # noqa: F811
    at = page(GARDEN, pause=0.02)
    ask_and_wait(at, "When do I water tomatoes?")
    at.chat_input[0].set_value("a long answer about compost").run()
    assert at.button(key="again-0").disabled and at.button(key="edit-0").disabled
    press(at, "stop-1")
    finish(at)
    assert not at.button(key="again-1").disabled, "a stopped question can be asked again"


def switch(at, on=True):
    at.toggle(key="plain-switch").set_value(on).run()


def test_without_documents_the_model_alone_answers_and_says_so(page):  # noqa: F811
    at = page(GARDEN)
    switch(at)
    assert "Chat without documents" in html(at)
    ask_and_wait(at, "When do I water tomatoes?")
    assert "You said: When do I water tomatoes?" in html(at) and "rd-plain" in html(at)
    assert any("Unsourced" in element.value for element in at.markdown)
    assert at.engine.chain.asked == [] and "rd-cite" not in html(at)


def test_unsourced_answers_are_history_of_the_plain_chat_alone(page):  # noqa: F811
    at = page(GARDEN)
    ask_and_wait(at, "When do I water tomatoes?")
    switch(at)
    ask_and_wait(at, "Say more")
    switch(at, False)
    ask_and_wait(at, "And compost?")
    assert "Water the tomatoes in the morning." in at.engine.backend.pipeline.prompts[0]
    asked = at.engine.chain.asked[-1]["chat_history"]
    assert [question for question, _ in asked] == ["When do I water tomatoes?"]
    unsourced = [element.value for element in at.markdown if "Unsourced" in element.value]
    assert len(unsourced) == 1, "only the answer of the model alone says so"


def test_a_plain_answer_is_stopped_and_kept(page):  # noqa: F811
    at = page(GARDEN, pause=0.02)
    switch(at)
    at.chat_input[0].set_value("a long story").run()
    until(lambda: at.session_state["jobs"][0].result.get("answer"))
    press(at, "stop-0")
    finish(at)
    assert at.session_state["jobs"][0].state == "stopped" and "You said:" in html(at)
    assert at.session_state["jobs"][0].result["answer"].count("You said") < 100


def test_without_an_index_the_page_can_be_a_plain_chat(page):  # noqa: F811
    at = page()
    press(at, "plain-start")
    ask_and_wait(at, "Explain fusion.")
    assert "You said: Explain fusion." in html(at) and any("Unsourced" in one.value for one in at.markdown)
    press(at, "forget")
    switch(at, False)
    assert "No documents yet" in html(at)


def test_without_a_model_the_switch_says_why_it_is_off(page):  # noqa: F811
    at = page(GARDEN, model="none")
    assert at.toggle(key="plain-switch").disabled and "with the model none" in at.toggle(key="plain-switch").proto.help
    at = page(model="none")
    assert "There is no language model to chat with" in html(at)
    assert "Chat without documents" not in labels(at)


def test_a_model_that_was_not_found_is_said_too(page):  # noqa: F811
    at = page(GARDEN)
    at.engine.has_model = False
    assert "doctor" in plain.reason_against(at.engine)


def visit(**params):
    at = AppTest.from_file(SCRIPT, default_timeout=20)
    for name, value in params.items():
        at.query_params[name] = value
    at.run()
    at.engine = resources.engine()
    return at


def linked(text, doc="garden.md"):
    start = GUIDE.index(text)
    return {"doc": doc, "at": f"{start}-{start + len(text)}", "is": deep_link.check(text)}


def test_a_link_opens_its_passage_and_leaves_the_address(page):  # noqa: F811
    page(GARDEN)
    at = visit(**linked("Compost feeds the soil slowly."))
    assert '<mark id="rd-mark">Compost feeds the soil slowly.</mark>' in html(at)
    assert dict(at.query_params) == {}
    press(at, "close-source")
    assert "<mark" not in html(at)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"doc": "../secret.md"}, "not in the index"),
        ({"doc": HOSTILE}, "not in the index"),
        ({"at": "0-99999"}, "has changed"),
        ({"at": "9-3"}, "has changed"),
        ({"at": "1-2; drop"}, "not copied whole"),
        ({"is": "00000000"}, "has changed"),
        ({"is": "<img>"}, "not copied whole"),
        ({"at": ""}, "not copied whole"),
    ],
)
def test_a_link_that_is_forged_or_old_shows_nothing_and_says_so(page, changed, line):  # noqa: F811
    page(GARDEN)
    at = visit(**(linked("Compost feeds the soil slowly.") | changed))
    assert "<mark" not in html(at) and line in at.warning[0].value
    assert not at.exception and HOSTILE not in html(at)
    assert not at.run().warning


def test_the_link_of_a_source_names_no_question(page):  # noqa: F811
    at = page(GARDEN)
    ask_and_wait(at, "When do I water tomatoes?")
    press(at, "open-0-cite-1")
    passage = "Water the tomatoes in the morning."
    place = linked(passage)
    address = f"./?doc=garden.md&amp;at={place['at']}&amp;is={place['is']}"
    assert f'class="rd-copy" href="{address}"' in html(at)


def test_inspect_shows_the_trace_and_the_map(page):  # noqa: F811
    texts = {f"notes/{number}.md": f"# Note {number}\n\nText of note {number}.\n" for number in range(6)} | GARDEN
    at = page(texts)
    ask_and_wait(at, "When do I water tomatoes?")
    inspect = AppTest.from_function(_inspect, default_timeout=20)
    inspect.session_state["jobs"] = at.session_state["jobs"]
    inspect.run()
    until(lambda: inspect.run().get("vega_lite_chart") or inspect.get("arrow_vega_lite_chart"))
    assert "Tokens of the window" in html(inspect) and "the nearest text does not have the number 99" in html(inspect)
    assert "of all differences" in html(inspect)


def test_inspect_without_answers_says_what_to_do(page):  # noqa: F811
    page(GARDEN)
    inspect = AppTest.from_function(_inspect, default_timeout=20).run()
    assert "Ask something on the page Ask" in html(inspect) and not inspect.exception


def _inspect():
    from rag_dolly.app import resources
    from rag_dolly.app.inspect import page as inspect_page

    inspect_page.show(resources.engine())
