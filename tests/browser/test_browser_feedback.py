"""Thumbs, corrections, written records and evaluations, as a person sees them in Chromium."""

import json

import pytest
from browser_steps import finished, put

pytestmark = pytest.mark.browser


@pytest.fixture
def no_script(visit):
    """Visit a page on which no script of a document may run."""

    def open_page(url, **given):
        page = visit(url, **given)
        page.on("dialog", lambda dialog: pytest.fail("a script ran"))
        return page

    return open_page


def thumbs(turn):
    return turn.locator("[data-testid=stFeedback] button")


def wide_enough(page):
    return page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_an_answer_is_rated_corrected_and_corrected_again(visit, fake_server):
    page = visit(fake_server)
    turn = put(page, "When do I water tomatoes, first?")
    finished(page)
    thumbs(turn).nth(1).click()
    turn.get_by_text("Saved on this machine").wait_for()
    turn.get_by_role("button", name="Correct", exact=False).click()
    box = page.get_by_label("What should the answer have been?")
    box.wait_for()
    assert not page.get_by_role("checkbox", name="May be exported to train a model").is_checked()
    box.fill("At dawn.")
    page.get_by_text("May be exported to train a model").click()
    page.get_by_role("button", name="Save", exact=True).click()
    turn.get_by_text("Saved, may be exported").wait_for()
    box.wait_for(state="detached")
    turn.get_by_role("button", name="Corrected", exact=False).click()
    box.wait_for()
    assert box.input_value() == "At dawn."
    page.keyboard.press("Escape")
    page.get_by_test_id("stTopNavLink").get_by_text("Quality").click()
    page.get_by_role("radio", name="Corrected 1").click()
    entry = page.locator("[class*='st-key-said-'] summary").first
    entry.click()
    page.get_by_text("At dawn.").wait_for()
    assert page.get_by_text("may be exported").first.is_visible()


def test_a_record_is_written_with_the_guidelines_in_view_on_a_narrow_dark_screen(no_script, fake_server):
    page = no_script(f"{fake_server}/write", viewport={"width": 390, "height": 844}, color_scheme="dark")
    guide = page.get_by_role("region", name="Guidelines")
    guide.wait_for()
    search = page.get_by_label("Find a passage")
    assert guide.bounding_box()["y"] < search.bounding_box()["y"] and wide_enough(page)
    search.fill("compost")
    search.press("Enter")
    page.locator("[class*='st-key-open-passage-'] button").first.click()
    page.get_by_role("region", name="The passage").get_by_text("Compost feeds the soil slowly.").wait_for()
    for response in ("Compost.", "Compost does."):
        page.get_by_label("Instruction").fill("What feeds the soil slowly?")
        page.get_by_label("Response").fill(response)
        page.get_by_label("Your name, if you like").fill("Ann")
        page.get_by_role("button", name="Save", exact=True).click()
        if response == "Compost.":
            page.get_by_text("Saved. Thank you.").wait_for()
    page.get_by_text("There is something like this already").wait_for()
    page.get_by_role("button", name="Save all the same").click()
    page.locator("tr", has_text="Ann").get_by_text("2", exact=True).wait_for()
    assert wide_enough(page)


def test_an_evaluation_runs_and_its_failures_stand_beside_their_sources(no_script, fake_server, tmp_path):
    rows = [("When do I water tomatoes?", ["morning"]), ("hostile", ["nothing of the kind"]), ("unknown", ["x"])]
    with (tmp_path / "questions.jsonl").open("w") as file:
        for n, (question, golds) in enumerate(rows):
            row = {"id": n, "question": question, "answers": golds, "answerable": True, "doc": "garden.md"}
            file.write(json.dumps(row) + "\n")
    page = no_script(f"{fake_server}/quality")
    page.get_by_role("radio", name="Evaluations").click()
    page.get_by_label("Or its path on this machine").fill(str(tmp_path / "none.jsonl"))
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("cannot be read").wait_for()
    page.get_by_label("Or its path on this machine").fill(str(tmp_path / "questions.jsonl"))
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("3 questions evaluated").wait_for()
    assert page.locator(".rd-failure").count() >= 2
    wrong = page.locator(".rd-failure:has(h3:text-is('hostile'))")
    wrong.locator("summary").first.click()
    assert "<script>alert(2)</script>" in wrong.inner_text()
    page.get_by_role("radio", name="false refusal 1").click()
    wrong.wait_for(state="detached")
    assert page.locator(".rd-failure").count() == 1
    assert page.locator("[data-testid=stMain] :is(script, img, iframe)").count() == 0
