"""A real server in a process of its own, and a real browser that may speak to it alone."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ARGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
SERVER = Path(__file__).with_name("page_server.py")
TIMEOUT_MS = 60_000


@pytest.fixture(scope="session")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, headless=True, args=ARGS)
        yield browser
        browser.close()


def start(index, *kind):
    """Start a server on a free port; return its process and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(SERVER), str(port), str(index), *kind]
    process = subprocess.Popen(command, cwd=index, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return process, found[0]
    raise AssertionError("the server did not start:\n" + "".join(lines))


@pytest.fixture(scope="module")
def fake_server(tmp_path_factory):
    process, url = start(tmp_path_factory.mktemp("fake"), "fake")
    yield url
    process.terminate()
    process.wait(10)


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
    assert asked
    for url, request in asked:
        host = url.removeprefix("http://").split("/")[0]
        assert re.match(rf"(?:http|ws)://{re.escape(host)}/|data:|blob:http://{re.escape(host)}/", request), request


def put(page, question):
    """Ask a question and return the part of the page that belongs to it."""
    turn = page.locator("[class*='st-key-turn-']").count()
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")
    part = page.locator(f".st-key-turn-{turn}")
    part.wait_for()
    return part


def finished(page):
    """Wait until no answer is being written."""
    page.locator(".rd-status").wait_for(state="detached")
    page.locator("[data-testid=stChatInputTextArea]:enabled").wait_for()
