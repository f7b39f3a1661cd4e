"""The map of the corpus in Chromium: a click on a point, or on what was found, opens the passage; and once more."""

import pytest
from browser_steps import finished, put, start
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    process, url = start(tmp_path_factory.mktemp("map"), "state-world")
    yield url
    process.terminate()
    process.wait(10)


def click(page, mark):
    """Click in the middle of a mark of the chart, with the mouse as a person would."""
    mark.wait_for()
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def on_the_map(visit, url, **given):
    """Ask a question and go to the map; return the page, its chart and what opens beside it."""
    page = visit(url, **given)
    put(page, "When do I water tomatoes?")
    finished(page)
    if given:
        page.get_by_test_id("stExpandSidebarButton").click()
        link = page.get_by_test_id("stSidebarNavLink").get_by_text("Inspect")
        link.click()
        page.locator("h1.rd-title", has_text="Inspect").wait_for()
        expect(link).not_to_be_in_viewport()  # the list of pages is not left lying over the page
    else:
        page.get_by_test_id("stTopNavLink").get_by_text("Inspect").click()
    chart = page.get_by_test_id("stVegaLiteChart")
    chart.locator(".layer_0_marks path").first.wait_for()
    return page, chart, page.locator("[class*='st-key-source-0-link']")


def test_a_click_on_a_point_opens_its_passage_each_time(visit, world):
    page, chart, panel = on_the_map(visit, world)
    points = chart.locator(".layer_0_marks path")
    assert points.count() == 5
    seen = set()
    for number in range(5):
        click(page, points.nth(number))
        page.wait_for_timeout(1000)
        panel.wait_for()
        seen.add(panel.locator(".rd-place").inner_text())
    assert len(seen) == 5, "each point opens another document"
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    click(page, points.nth(4))
    panel.locator(".rd-document mark").wait_for()
    assert panel.locator(".rd-place").inner_text() in seen
    panel.get_by_role("button", name="Close").click()
    panel.wait_for(state="detached")
    assert chart.count() == 1


def test_a_click_on_what_was_found_opens_it_too(visit, world):
    page, chart, panel = on_the_map(visit, world)
    click(page, chart.locator(".layer_1_marks path").first)
    panel.wait_for()
    assert panel.locator(".rd-place").inner_text()


def test_a_passage_from_right_to_left_is_laid_out_so(visit, world):
    page = visit(world)
    put(page, "متى يُفتح الميناء؟")
    finished(page)
    page.locator(".st-key-turn-0 a.rd-cite").first.click()
    text = page.locator(".rd-document")
    text.wait_for()
    assert text.evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert page.locator("h2.rd-question").evaluate("e => getComputedStyle(e).unicodeBidi") == "plaintext"
    ends = [page.locator(".rd-document mark").bounding_box(), text.bounding_box()]
    assert abs(sum(ends[0][side] - ends[1][side] for side in ("x", "width"))) < 8, "it begins at the right"


def test_the_map_fits_a_phone(visit, world):
    page, chart, panel = on_the_map(visit, world, viewport={"width": 390, "height": 844}, color_scheme="dark")
    click(page, chart.locator(".layer_0_marks path").first)
    panel.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in page.locator("ul.rd-parts li").all():
        box = name.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
