"""What a person does with answers, in Chromium: ask again, edit, chat without documents, keep, link, inspect."""

import json
import re

import pytest
from browser_steps import finished, put, start

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def kept_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    process, url = start(folder, "fake-kept")
    yield url, folder
    process.terminate()
    process.wait(10)


def test_a_question_is_edited_and_asked_again(visit, fake_server):
    page = visit(fake_server)
    put(page, "When do I water tomatos?")
    finished(page)
    turn = put(page, "And compost?")
    finished(page)
    turn.get_by_role("button", name="Try again").click()
    page.wait_for_timeout(500)
    finished(page)
    first = page.locator(".st-key-turn-0")
    first.get_by_role("button", name="Edit").click()
    box = first.get_by_label("Change the question")
    box.fill("When do I water tomatoes?")
    first.get_by_role("button", name="Send").click()
    page.locator("h2.rd-question", has_text="When do I water tomatoes?").wait_for()
    finished(page)
    assert page.locator("[class*='st-key-turn-']").count() == 1
    assert "Water the tomatoes" in first.locator(".rd-answer").inner_text()


def test_without_documents_every_answer_says_that_it_has_no_source(visit, fake_server):
    page = visit(fake_server)
    page.get_by_text("Without documents").click()
    page.locator("h1.rd-title", has_text="Chat without documents").wait_for()
    turn = put(page, "Explain fusion, a long story")
    turn.get_by_text("Unsourced").wait_for()
    turn.locator(".rd-plain").wait_for()
    turn.get_by_role("button", name="Stop").click()
    turn.get_by_text("Stopped").wait_for()
    finished(page)
    assert turn.get_by_text("Unsourced").is_visible() and turn.locator("a.rd-cite").count() == 0
    page.get_by_text("Without documents").click()
    page.get_by_text("Choose documents").wait_for()
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    assert turn.locator("a.rd-cite").count() and turn.get_by_text("Unsourced").count() == 0


def test_an_answer_is_taken_away_as_a_file(visit, fake_server):
    page = visit(fake_server)
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    turn.get_by_role("button", name="Export").click()
    with page.expect_download() as found:
        page.get_by_role("button", name="Markdown").click()
    text = found.value.path().read_text()
    assert text.startswith("## When do I water tomatoes?") and "> Water the tomatoes in the morning." in text
    with page.expect_download() as found:
        page.get_by_role("button", name="JSON").click()
    assert json.loads(found.value.path().read_text())["turns"][0]["citations"][0]["source"] == "garden.md"


def test_a_link_to_a_passage_is_copied_and_opens_it(visit, fake_server):
    page = visit(fake_server, permissions=["clipboard-read", "clipboard-write"])
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    turn.locator("a.rd-cite").first.click()
    page.locator(".rd-document mark").wait_for()
    page.get_by_text("Copy link").click()
    page.get_by_text("Copied").wait_for()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address.startswith(fake_server) and "water" not in address.lower()
    other = visit(address)
    mark = other.locator(".rd-document mark")
    mark.wait_for()
    assert mark.inner_text() == "Water the tomatoes in the morning."
    other.wait_for_function("!location.search")
    broken = visit(address.replace("at=", "at=9"))
    broken.get_by_text("The document of this link has changed").wait_for()
    assert broken.locator("mark").count() == 0


def test_conversations_are_kept_found_renamed_and_deleted(visit, kept_server):
    url, folder = kept_server
    page = visit(url)
    put(page, "When do I water tomatoes?")
    finished(page)
    page.reload()
    listed = page.locator(".st-key-history-list button")
    listed.get_by_text("When do I water tomatoes?").click()
    page.locator(".st-key-turn-0 .rd-answer").wait_for()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Title").fill("The garden")
    page.get_by_label("Title").press("Enter")
    page.wait_for_timeout(800)
    page.get_by_role("button", name="Save", exact=True).click()
    listed.get_by_text("The garden").wait_for()
    page.keyboard.press("Escape")
    page.get_by_placeholder("Search").fill("zebra")
    page.get_by_placeholder("Search").press("Enter")
    page.get_by_text("No conversation has these words.").wait_for()
    page.get_by_placeholder("Search").fill("tomatoes")
    page.get_by_placeholder("Search").press("Enter")
    listed.get_by_text("The garden").wait_for()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    listed.wait_for(state="detached")
    assert not list((folder / "chats").glob("*"))


def test_inspect_shows_where_the_tokens_of_an_answer_went(visit, fake_server):
    page = visit(fake_server)
    put(page, "When do I water tomatoes?")
    finished(page)
    page.get_by_test_id("stTopNavLink").get_by_text("Inspect").click()
    page.locator("h1.rd-title", has_text="Inspect").wait_for()
    page.locator("h2.rd-section", has_text="How it was answered").wait_for()
    assert re.search(r"passages 60", page.locator("ul.rd-parts").last.inner_text().replace("\n", " "))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_the_talk_on_a_narrow_dark_screen_fits(visit, kept_server):
    page = visit(kept_server[0], viewport={"width": 390, "height": 844}, color_scheme="dark")
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    for name in ("Try again", "Edit", "Export"):
        box = turn.get_by_role("button", name=name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
