"""A real server in a process of its own, and a real browser that may speak to it alone."""

import re
import shutil

import pytest
from browser_steps import SERVED, start

ARGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
TIMEOUT_MS = 60_000
ASKED = []
"""(address of the page, address that was asked for) of every request of the whole run."""


@pytest.fixture(scope="module")
def chromium():
    """A browser; for a module only, as Playwright keeps an event loop running that asynchronous tests stumble over."""
    sync_api = pytest.importorskip("playwright.sync_api")
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, headless=True, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def fake_server(tmp_path_factory):
    process, url = start(tmp_path_factory.mktemp("fake"), "fake")
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session", autouse=True)
def nothing_leaves_the_host():
    """Neither a browser nor a server of the whole run has asked, or was about to ask, another host."""
    yield
    assert not [(url, request) for url, request in ASKED if not stays(url, request)]
    assert not [(folder / "off-host.txt").read_text() for folder in SERVED if (folder / "off-host.txt").exists()]


def stays(url, request):
    """Whether a request goes to the server that the page came from."""
    host = re.escape(url.removeprefix("http://").split("/")[0])
    return re.match(rf"(?:http|ws)://{host}/|data:|blob:http://{host}/", request) is not None


@pytest.fixture
def visit(chromium):
    """Return a function that opens an address in a session of its own; no request may leave the host."""
    contexts, asked = [], []

    def open_page(url, **given):
        context = chromium.new_context(**given)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        context.on("request", lambda request: asked.append((url, request.url)))
        page.on("websocket", lambda link: asked.append((url, link.url)))
        page.goto(url)
        page.locator("h1.rd-title").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    ASKED.extend(asked)
    assert asked
    for url, request in asked:
        assert stays(url, request), request
