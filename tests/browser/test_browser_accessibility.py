"""Every page and the main states by WCAG 2.2 A and AA, as far as axe sees it: light, dark and on a phone."""

import pytest
from accessibility import findings
from browser_steps import finished, put, start

pytestmark = pytest.mark.browser
pytest.importorskip("axe_playwright_python")

PAGES = ("", "library", "library?document=garden.md", "health", "inspect", "write", "quality")
WAYS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    process, url = start(tmp_path_factory.mktemp("world"), "state-world")
    yield url
    process.terminate()
    process.wait(10)


def look(visit, url, way):
    """Open a page for axe, whose script the page's own policy would not let run."""
    page = visit(url, bypass_csp=True, **WAYS[way])
    page.wait_for_timeout(1500)
    return page


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", PAGES)
def test_pages(visit, world, path, way):
    assert findings(look(visit, f"{world}/{path}", way)) == []


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_with_an_open_source(visit, world, way):
    page = look(visit, world, way)
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    assert findings(page) == []
    turn.locator("a.rd-cite").first.click()
    page.locator(".rd-document mark").wait_for()
    assert findings(page) == []


@pytest.mark.parametrize("name", ["empty", "mismatch", "memory"])
def test_states(visit, tmp_path, name):
    process, url = start(tmp_path, f"state-{name}")
    try:
        assert findings(look(visit, url, "light")) == []
        assert findings(look(visit, f"{url}/library", "dark")) == []
    finally:
        process.terminate()
        process.wait(10)
