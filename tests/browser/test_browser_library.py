"""The pages Library and Health in Chromium: folders, search, one document, a folder that is added, states."""

import pytest
from browser_steps import start

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return a function that serves the page in a state of `fake_states.py`, once in a module."""
    found = {}

    def serve(name):
        if name not in found:
            found[name] = start(tmp_path_factory.mktemp(name), name)
        return found[name][1]

    yield serve
    for process, _ in found.values():
        process.terminate()
        process.wait(10)


def line(page, name):
    return page.locator(":is([class*='st-key-doc-'], [class*='st-key-dir-']) button").filter(has_text=name)


def test_look_for_a_document_open_it_and_come_back(visit, served):
    page = visit(f"{served('state-world')}/library")
    page.get_by_label("Find documents").fill("GARDEN")
    line(page, "lang").wait_for(state="detached")
    line(page, "garden.md").click()
    page.get_by_text("Water the tomatoes in the morning.").wait_for()
    assert "document=garden.md" in page.url
    page.reload()
    page.get_by_text("Water the tomatoes in the morning.").wait_for()
    page.get_by_role("button", name="Library").click()
    line(page, "lang").wait_for()
    assert "document" not in page.url


def test_the_list_works_with_the_keyboard(visit, served):
    page = visit(f"{served('state-world')}/library")
    line(page, "lang").focus()
    page.keyboard.press("Enter")
    page.locator(".st-key-path").wait_for()
    line(page, "Donau").focus()
    page.keyboard.press("Space")
    page.get_by_text("has no place to break.").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_long_words_and_other_scripts_stay_inside(visit, served, width, scheme):
    page = visit(f"{served('state-world')}/library", viewport={"width": width, "height": 844}, color_scheme=scheme)
    line(page, "lang").click()
    line(page, "Donau").click()
    page.get_by_text("has no place to break.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{served('state-world')}/library?document=تقارير/تقرير الميناء.md")
    text = page.locator(".rd-document")
    text.wait_for()
    assert text.evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_folder_is_added_from_the_page(visit, served, tmp_path):
    (tmp_path / "tree.md").write_text("# Trees\n\nOaks grow slowly.\n")
    page = visit(f"{served('state-empty')}/library")
    page.get_by_label("Folder on this machine").fill(str(tmp_path))
    page.get_by_role("button", name="Look inside").click()
    page.get_by_text("1 file to read").wait_for()
    page.get_by_role("button", name="Read this folder").click()
    page.get_by_text("1 added.").wait_for()
    line(page, "tree.md").wait_for()


def test_work_is_followed_stopped_and_seen_from_another_window(visit, served):
    page, other = (visit(f"{served('state-slow')}/library") for _ in range(2))
    page.get_by_role("button", name="Read all again").click()
    page.locator(".rd-recent li").first.wait_for()
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow")
    other.reload()
    other.get_by_text("The library is being changed in another window").wait_for()
    assert other.locator(".rd-recent").count() == 0
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped:").wait_for()


def test_forgetting_asks_and_then_forgets(visit, served):
    page = visit(f"{served('state-forget')}/library")
    line(page, "garden.md").click()
    page.get_by_role("button", name="Forget").click()
    page.get_by_text("Forget garden.md for good?").wait_for()
    page.locator(".st-key-forget-yes button").click()
    page.get_by_text("Forgotten: garden.md.").wait_for()
    line(page, "garden.md").wait_for(state="detached")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("first", "No documents yet"),
        ("mismatch", "Another embedder made this index"),
        ("embedder", "The embedder is missing"),
        ("model", "The language model is missing"),
        ("memory", "Not enough memory for the model"),
        ("server", "The model server does not answer"),
    ],
)
def test_a_state_says_what_to_do(visit, served, name, title):
    page = visit(served(f"state-{name}"))
    page.get_by_role("heading", name=title).wait_for()
    assert page.locator("[data-testid=stException]").count() == 0


def test_an_index_that_is_locked_is_said_and_tried_again(visit, served):
    page = visit(f"{served('state-locked')}/library")
    page.get_by_role("button", name="Look for changes").click()
    page.get_by_text("The index is being written", exact=True).wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("2 unchanged.").wait_for()


def test_health_says_what_leaves_and_checks(visit, served):
    page = visit(f"{served('state-world')}/health")
    page.get_by_text("Nothing leaves this machine.").wait_for()
    page.get_by_role("button", name="Check everything").click()
    page.get_by_text("Nothing is wrong.").wait_for()
