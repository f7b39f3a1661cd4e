"""The page in Chromium, with a chain that can be slow and hostile on demand."""

import http.client
import json
import re
import sys
from pathlib import Path

import pytest
from browser_steps import finished, give, put

sys.path.insert(0, str(Path(__file__).parents[1] / "app"))
from page_fakes import HOSTILE

pytestmark = pytest.mark.browser


def test_ask_and_open_a_citation_with_the_mouse(visit, fake_server):
    page = visit(fake_server)
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    turn.locator("a.rd-cite").first.click()
    assert page.locator(".rd-document mark").inner_text() == "Water the tomatoes in the morning."
    answer, source = turn.bounding_box(), page.locator(".st-key-source-0-cite-1").bounding_box()
    assert source["x"] >= answer["x"] + answer["width"], "the source is beside the answer"
    assert turn.locator("a.rd-cite").first.get_attribute("aria-current") == "true"
    assert "#cite" not in page.url
    page.locator(".st-key-close-source button").click()
    page.locator(".rd-document").wait_for(state="detached")


def test_citations_work_with_the_keyboard(visit, fake_server):
    page = visit(fake_server)
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    turn.get_by_role("link", name="Source 2").focus()
    page.keyboard.press("Enter")
    page.locator(".st-key-source-0-cite-2 mark").wait_for()
    page.locator(".st-key-source-0-cite-2:focus").wait_for()
    page.keyboard.press("Escape")
    page.locator(".rd-document").wait_for(state="detached")
    page.locator("a[href='#cite-0-2']:focus").wait_for()


def test_stop_keeps_the_text_and_the_page_stays_usable(visit, fake_server):
    page = visit(fake_server)
    turn = put(page, "a long answer about compost")
    turn.locator(".rd-answer").wait_for()
    turn.locator("a.rd-cite").first.click()
    page.locator(".rd-document mark").wait_for()
    assert turn.get_by_text("Writing…").is_visible(), "opening a source does not end the answer"
    turn.get_by_role("button", name="Stop").click()
    turn.get_by_text("Stopped").wait_for()
    finished(page)
    text = turn.locator(".rd-answer").inner_text()
    assert text and text.count("Compost") < 40
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    assert "Water the tomatoes" in turn.locator(".rd-answer").inner_text()


def test_a_citation_opens_while_the_answer_is_drawn_again_and_again(visit, fake_server):
    page = visit(fake_server)
    turn = put(page, "a long answer about compost")
    link = turn.locator("a.rd-cite").first
    link.hover()
    before = turn.locator(".rd-answer").inner_text()
    page.mouse.down()
    page.wait_for_function("before => document.querySelector('.rd-answer').innerText !== before", arg=before)
    page.mouse.up()
    page.locator(".rd-document mark").wait_for()
    page.locator(".st-key-close-source button").click()
    page.locator(".rd-document").wait_for(state="detached")
    link.focus()
    before = turn.locator(".rd-answer").inner_text()
    page.wait_for_function("before => document.querySelector('.rd-answer').innerText !== before", arg=before)
    page.locator("a[href='#cite-0-1']:focus").first.wait_for()
    page.keyboard.press("Enter")
    page.locator(".rd-document mark").wait_for()
    turn.get_by_role("button", name="Stop").click()


def test_a_second_session_waits_and_sees_it(visit, fake_server):
    first, second = visit(fake_server), visit(fake_server)
    long = put(first, "a long answer about compost")
    long.locator(".rd-answer").wait_for()
    waiting = put(second, "When do I water tomatoes?")
    waiting.get_by_text("Waiting: 1 question is ahead of yours").wait_for()
    long.get_by_role("button", name="Stop").click()
    finished(second)
    assert "Water the tomatoes" in waiting.locator(".rd-answer").inner_text()


def test_hostile_text_is_shown_letter_by_letter(visit, fake_server):
    page = visit(fake_server)
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    suggestion = page.locator(".st-key-suggestions").get_by_text("Hostile")
    assert plain(suggestion.inner_text()) == f"What do the documents say about “Hostile {HOSTILE[:30]}”?"
    turn = put(page, HOSTILE + " hostile")
    finished(page)
    assert turn.locator("h2.rd-question").inner_text() == HOSTILE + " hostile"
    assert turn.locator(".rd-answer p").inner_text() == f"{HOSTILE}[1]"
    turn.get_by_text("Found but not cited").click()
    turn.locator("[class*='st-key-open-'] button").filter(has_text="hostile <b>").first.click()
    page.locator(".rd-document mark").wait_for()
    assert HOSTILE in page.locator(".rd-document").inner_text().replace("\n", " ")
    assert page.locator("[data-testid=stMain] :is(script, img, iframe)").count() == 0
    assert page.locator("[data-testid=stMain] a:not(.rd-cite, .rd-copy)").count() == 0


@pytest.mark.parametrize(
    "name", [f"a {HOSTILE[:100]}.md", ":smile: -> :material/home: www.a.example http:b.md", "**b** $x$ `c`.md"]
)
def test_hostile_file_names_are_shown_letter_by_letter(visit, fake_server, name):
    page = visit(f"{fake_server}/library")
    give(page, [{"name": name, "mimeType": "text/plain", "buffer": b""}])
    line = page.locator(".st-key-upload-files")
    line.get_by_text("The file is empty.").wait_for()
    shown = plain(line.inner_text())
    from rag_dolly.app.library.uploads import safe_name

    assert safe_name(name) in shown and "The file is empty." in shown
    assert page.locator("[data-testid=stMain] :is(script, img, iframe, a)").count() == 0


def test_how_an_answer_was_made_is_drawn_when_it_is_opened(visit, fake_server):
    page = visit(fake_server)
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    turn = put(page, HOSTILE + " hostile")
    finished(page)
    assert turn.locator(".rd-table, .rd-prompt").count() == 0
    turn.get_by_text("How this was answered").click()
    turn.locator(".rd-prompt").wait_for()
    assert HOSTILE in turn.locator(".rd-prompt").inner_text()
    assert turn.locator("td", has_text="does not have the number 99").count() == 1
    assert page.locator("[data-testid=stMain] :is(script, img, iframe)").count() == 0
    assert page.locator("[data-testid=stMain] a:not(.rd-cite, .rd-copy)").count() == 0


def test_upload_a_good_and_a_broken_file_then_ask(visit, fake_server):
    page = visit(f"{fake_server}/library")
    give(
        page,
        [
            {"name": "bees.md", "mimeType": "text/plain", "buffer": b"Bees visit lavender daily.\nMint spreads.\n"},
            {"name": "broken.md", "mimeType": "text/plain", "buffer": b"?"},
            {"name": "tool.exe", "mimeType": "text/plain", "buffer": b"MZ"},
        ],
    )
    page.get_by_text("1 of 3 files indexed.").wait_for()
    done = page.locator(".st-key-upload-files").filter(has_text="could not be read")  # the list before it may linger
    lines = done.inner_text()
    assert "not what its name says" in lines and "(.exe) cannot be read" in lines
    page.get_by_test_id("stTopNavLink").get_by_text("Ask").click()
    page.get_by_test_id("stChatInputTextArea").wait_for()
    turn = put(page, "Which visit lavender daily bees?")
    finished(page)
    assert "Bees visit lavender daily." in turn.locator(".rd-answer").inner_text()


def test_abstaining_on_a_narrow_dark_screen(visit, fake_server):
    page = visit(fake_server, viewport={"width": 390, "height": 844}, color_scheme="dark")
    turn = put(page, "unknown")
    finished(page)
    turn.get_by_text("Your documents do not answer this.").wait_for()
    turn.locator("[class*='st-key-open-'] button").first.click()
    panel = page.locator(".st-key-source-0-found-1")
    panel.locator("mark").wait_for()
    box = panel.bounding_box()
    assert box["x"] == 0 and box["width"] == 390 and round(box["y"] + box["height"]) == 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_other_hosts_are_refused_and_every_answer_carries_the_policy(fake_server):
    address = fake_server.removeprefix("http://")
    for host, status in ((address, 200), ("evil.example", 400)):
        for path in ("/", "/library", "/_stcore/health"):
            connection = http.client.HTTPConnection(address)
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            assert response.status == status
            assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize(("host", "origin"), [("evil.example", None), (None, "http://evil.example")])
def test_other_hosts_get_no_web_socket(fake_server, host, origin):
    address = fake_server.removeprefix("http://")
    headers = {
        "Host": host or address,
        "Origin": origin or fake_server,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
    }
    headers |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    connection = http.client.HTTPConnection(address)
    connection.request("GET", "/_stcore/stream", headers=headers)
    assert connection.getresponse().status in (400, 403)


def test_the_browser_is_told_nothing_to_measure_usage_with(visit, fake_server):
    page = visit(fake_server)
    config = page.evaluate("fetch('/_stcore/host-config').then(answer => answer.text())")
    assert not json.loads(config).get("metricsUrl")


def plain(text):
    """Return what a reader sees: without the invisible joiners of `markup.label`, on one line."""
    return re.sub(r"\s+", " ", text.replace("\u2060", ""))
