"""Thumbs, corrections and written records on the page, on Streamlit's own test runner."""

import pytest
from page_fakes import GUIDE, HOSTILE, FakeBackend
from streamlit.testing.v1 import AppTest
from test_app_jobs import until
from test_app_pages import SCRIPT, ask_and_wait, html

from rag_dolly import feedback
from rag_dolly.app import resources
from rag_dolly.app.engine import Engine
from rag_dolly.app.write import page as contribute
from rag_dolly.app.write.guidelines import GUIDELINES
from rag_dolly.feedback_export import CATEGORIES, WITH_CONTEXT


@pytest.fixture
def page(tmp_path):
    """Return a function that opens a page, one of its own for each call, on one fake backend."""
    engine = Engine(FakeBackend(tmp_path, {"garden.md": GUIDE, "soil.md": f"# Soil\n\n{HOSTILE}\n"}))
    resources.install(engine)
    engine.start()
    until(lambda: engine.state == "ready")

    def open_page(draw=None):
        return (AppTest.from_function(draw, default_timeout=20) if draw else AppTest.from_file(SCRIPT)).run(timeout=20)

    return open_page


def write_page():
    from rag_dolly.app import resources
    from rag_dolly.app.write import page as contribute

    contribute.show(resources.engine())


def quality_page():
    from rag_dolly.app import resources
    from rag_dolly.app.quality import page as quality

    quality.show(resources.engine())


def kept(tmp_path):
    return feedback.read(tmp_path).records


def correct(at, text, consent=False, name=""):
    at.text_area[0].set_value(text)
    at.text_input(key=next(one.key for one in at.text_input if one.key.startswith("name-"))).set_value(name)
    at.checkbox[0].set_value(consent)
    next(button for button in at.button if button.label == "Save").click().run()


def test_a_thumb_is_stored_at_once_and_can_be_taken_back(page, tmp_path):
    at = page()
    ask_and_wait(at, "When do I water tomatoes?")
    at.feedback[0].set_value(1).run()
    (said,) = kept(tmp_path)
    assert (said.rating, said.question, said.model) == ("up", "When do I water tomatoes?", "fake")
    assert [said.passages[0].text, said.passages[0].cited] == ["Water the tomatoes in the morning.", True]
    assert not said.passages[-1].cited
    assert "Saved on this machine" in html(at)
    at.feedback[0].set_value(0).run()
    assert [one.rating for one in kept(tmp_path)] == ["down"]
    at.feedback[0].set_value(None).run()
    assert kept(tmp_path) == [] and "Saved on this machine" not in html(at)


def test_a_correction_is_stored_shown_and_editable(page, tmp_path):
    at = page()
    ask_and_wait(at, "When do I water tomatoes?")
    at.feedback[0].set_value(0).run()
    correct(at, "At dawn.", consent=True, name="Ann")
    (said,) = kept(tmp_path)
    assert (said.rating, said.correction, said.consent, said.writer) == ("down", "At dawn.", True, "Ann")
    assert at.text_area[0].value == "At dawn." and "Saved, may be exported" in html(at)
    correct(at, "At noon.")
    assert [(one.rating, one.correction, one.consent) for one in kept(tmp_path)] == [("down", "At noon.", False)]


def test_nothing_is_asked_for_consent_by_default(page, tmp_path):
    at = page()
    ask_and_wait(at, "When do I water tomatoes?")
    assert at.checkbox[0].value is False
    correct(at, "At dawn.")
    assert kept(tmp_path)[0].consent is False


def test_a_refusal_can_be_corrected_and_a_failure_cannot_be_rated(page, tmp_path):
    at = page()
    ask_and_wait(at, "unknown")
    correct(at, "It is in the annex.")
    assert kept(tmp_path)[0].mode == "abstained"
    ask_and_wait(at, "broken")
    assert len(at.feedback) == 1


def test_another_session_does_not_see_what_was_said(page):
    mine, other = page(), page()
    ask_and_wait(mine, "When do I water tomatoes?")
    mine.session_state["jobs"][0].result["timings"] = {"total": 7.5}
    mine.run()
    correct(mine, "My secret.")
    ask_and_wait(other, "When do I water tomatoes?")
    assert other.text_area[0].value == "" and other.feedback[0].value is None


def test_an_answer_that_is_opened_again_shows_what_was_said_of_it(page):
    at, later = page(), page()
    ask_and_wait(at, "When do I water tomatoes?")
    correct(at, "At dawn.")
    ask_and_wait(later, "When do I water tomatoes?")  # the fake's answers have the same timings
    assert later.text_area[0].value == "At dawn." and "Saved on this machine" in html(later)


def test_a_disk_that_takes_nothing_is_said(page, tmp_path):
    at = page()
    ask_and_wait(at, "When do I water tomatoes?")
    (tmp_path / feedback.FILE).unlink(missing_ok=True)
    (tmp_path / feedback.FILE).mkdir()
    at.feedback[0].set_value(1).run()
    assert "cannot be used" in at.error[0].value.replace("\\", "") and not at.exception


def test_there_are_guidelines_for_each_category():
    assert sorted(GUIDELINES) == sorted(CATEGORIES) and list(GUIDELINES)[:3] == [*WITH_CONTEXT]


def write(at, instruction, response):
    at.text_area(key="instruction").set_value(instruction)
    at.text_area(key="response").set_value(response)
    at.button[-1].click().run()


def test_a_record_is_written_on_a_passage_that_was_searched_for(page, tmp_path):
    at = page(write_page)
    assert GUIDELINES["closed_qa"].what in html(at)
    at.text_input(key="passage-query").set_value("compost").run()
    at.button(key="open-passage-0").click().run()
    assert "Compost feeds the soil slowly." in html(at)
    write(at, "What feeds the soil?", "Compost.")
    (said,) = kept(tmp_path)
    assert (said.category, said.question, said.answer, said.consent) == (
        *("closed_qa", "What feeds the soil?", "Compost.", False),
    )
    assert said.passages[0].source == "garden.md" and said.passages[0].text == GUIDE
    assert at.success and at.text_area(key="instruction").value == ""


def test_any_passage_is_one_of_the_index(page):
    at = page(write_page)
    next(button for button in at.button if button.label == "Any passage").click().run()
    assert at.session_state["passage"].source in ("garden.md", "soil.md")
    next(button for button in at.button if button.label == "Another passage").click().run()
    assert at.session_state["passage"] is None


def test_what_is_missing_is_said_and_what_was_written_stays(page, tmp_path):
    at = page(write_page)
    write(at, "Why?", "Because.")
    assert "lacks a passage" in at.error[0].value and at.text_area(key="instruction").value == "Why?"
    at.button_group(key="category").set_value("open_qa").run()
    write(at, "", "Because.")
    assert "lacks an instruction" in at.error[0].value and kept(tmp_path) == []


def test_something_near_is_pointed_out_before_it_is_saved(page, tmp_path):
    at = page(write_page)
    at.button_group(key="category").set_value("open_qa").run()
    write(at, "Why does ice float on water?", "It is lighter.")
    write(at, "Why does the ice float on water?", "Its density.")
    assert len(kept(tmp_path)) == 1 and "something like this already" in html(at)
    assert "Why does ice float on water?" in html(at) and at.button[-1].label == "Save all the same"
    at.button[-1].click().run()
    assert len(kept(tmp_path)) == 2 and "something like this" not in html(at)
    write(at, "Name three rivers of Peru.", "Amazon, Ucayali, Marañón.")
    assert len(kept(tmp_path)) == 3


def test_who_wrote_how_much(page, tmp_path):
    for name, count in (("Ann", 1), ("Bob <b>", 2), ("", 1)):
        for n in range(count):
            feedback.save(tmp_path, feedback.written("open_qa", f"{name} {n}", "a", None, True, name))
    assert contribute.contributions(kept(tmp_path)) == [
        ("Bob <b>", (2, 0, 0)),
        ("Ann", (1, 0, 0)),
        ("Somebody", (1, 0, 0)),
    ]
    assert "Bob &lt;b&gt;" in html(page(write_page))


def test_the_list_is_filtered_and_hostile_text_stays_text(page, tmp_path):
    for n, rating in enumerate(["up", "down", "down"]):
        job = feedback.about(f"{HOSTILE} {n}", {"answer": HOSTILE, "timings": n})
        feedback.save(tmp_path, feedback.replace(job, rating=rating, correction=HOSTILE if n == 2 else ""))
    feedback.save(tmp_path, feedback.written("open_qa", "Why?", "Because.", None, True, ""))
    at = page(quality_page)
    assert len(at.expander) == 4
    assert "1 of 3 rated answers were good; 1 was corrected; 1 may be exported." in html(at)
    for kind, count in (("Good", 1), ("Bad", 2), ("Corrected", 1), ("Written", 1)):
        at.button_group(key="said-kind").set_value(kind).run()
        assert len(at.expander) == count
    at.button_group(key="said-kind").set_value("All").run()
    assert "<img" not in html(at) and "<script" not in html(at) and "&lt;script&gt;" in html(at)
    assert not any(element.proto.allow_html for element in at.markdown)


def test_one_and_all_can_be_deleted(page, tmp_path):
    for n in range(12):
        feedback.save(tmp_path, feedback.written("open_qa", f"Question {n}", "a", None, True, ""))
    at = page(quality_page)
    assert len(at.expander) == 10, "the rest is on the next page"
    gone = kept(tmp_path)[0].key
    at.button(key=f"delete-{kept(tmp_path)[-1].key}").click().run()
    assert len(kept(tmp_path)) == 11 and gone in {one.key for one in kept(tmp_path)}
    at.button(key="delete-all").click().run()
    assert kept(tmp_path) == [] and "No feedback yet" in html(at)


def test_what_to_fix_counts_questions_and_documents(page, tmp_path):
    hit = {"source": "garden.md", "page": None, "place": "", "start": 0, "end": 5, "text": "Water"}
    for n, (question, mode) in enumerate([("When?", "quoted"), ("when? ", "quoted"), ("Who?", "abstained")]):
        cited = [hit] if mode == "quoted" else []
        result = {"mode": mode, "answer": "x", "retrieved": [hit], "citations": cited, "timings": n}
        feedback.save(tmp_path, feedback.replace(feedback.about(question, result), rating="down"))
    at = page(quality_page)
    at.button_group(key="quality-part").set_value("What to fix").run()
    assert [part.label.lower() for part in at.expander] == [r"when\? (2 times)", r"who\?"]
    assert '<th scope="row">garden.md</th><td>2</td>' in html(at) and "Refused questions" in html(at)
