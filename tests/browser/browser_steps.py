"""What the browser tests do again and again: start a server, ask, wait for the end of an answer."""

import re
import socket
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import TimeoutError

SERVER = Path(__file__).with_name("page_server.py")
SERVED = []
"""The index folder of each server that was started; a server notes in it when it was about to ask another host."""


def start(index, model):
    """Start a server on a free port; return its process and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    SERVED.append(Path(index))
    command = [sys.executable, str(SERVER), str(port), str(index), model]
    process = subprocess.Popen(command, cwd=index, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return process, found[0]
    raise AssertionError("the server did not start:\n" + "".join(lines))


def put(page, question):
    """Ask a question and return the part of the page that belongs to it; one that came too early is put again."""
    turn = page.locator("[class*='st-key-turn-']").count()
    box = page.get_by_test_id("stChatInputTextArea")
    part = page.locator(f".st-key-turn-{turn}")
    for _ in range(3):
        box.fill(question)
        box.press("Enter")
        try:
            part.wait_for(timeout=20_000)
            return part
        except TimeoutError:
            if page.locator("[data-testid=stChatInputTextArea]:disabled").count():
                break
    part.wait_for()
    return part


def give(page, files):
    """Put files into the form and submit it; a click that came before the form had the files is done again."""
    forms = page.locator(".st-key-add details:not([open]) summary")
    if forms.count():
        forms.click()
    for _ in range(4):
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(files)
        page.wait_for_timeout(700)  # the form takes them up
        page.get_by_role("button", name="Add to the library").click()
        taken = page.locator(".st-key-upload-files")
        try:
            taken.wait_for(timeout=15_000)
            return
        except TimeoutError:
            continue
    raise AssertionError("the form did not take the files")


def finished(page):
    """Wait until no answer is being written."""
    page.locator(".rd-status").wait_for(state="detached")
    page.locator("[data-testid=stChatInputTextArea]:enabled").wait_for()
