"""From Enter to the first visible word: what the page adds to what answering itself takes.

    python -m benchmarks.page INDEX [QUESTIONS] [MODEL ...]

Serves the page on INDEX with each model (default: none, then auto), asks so many questions (default 8, made from the
index's headings) in Chromium, each in a conversation of its own, and measures the time from the key press to the first
word that is painted. Beside it stands what the chain alone takes in this process for the same questions until its first
piece of text; the difference of the medians is the page's own share. Needs playwright and Chromium.
"""

import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rag_dolly.app.suggest import questions
from rag_dolly.assemble import open_index
from rag_dolly.chain import RagChain
from rag_dolly.settings import load_settings

COMMAND = [sys.executable, "-c", "from rag_dolly.cli import main; main()"]
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
PORT = 8643
FIRST_WORD = """() => new Promise(done => {
    const look = () => document.querySelector('.rd-answer, [class*="st-key-abstained-"]')
        ? requestAnimationFrame(() => done(performance.now() - window.pressed)) : setTimeout(look, 4);
    look();
})"""


def main() -> None:
    index, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8
    opened = open_index(load_settings(index=index))
    asked = questions(opened.headings(400), count)
    opened.close()
    print(f"{'model':<12}{'page, s':>10}{'chain, s':>10}{'page adds, s':>14}   medians of {len(asked)} questions")
    for model in sys.argv[3:] or ("none", "auto"):
        page, chain = on_page(index, model, asked), in_chain(index, model, asked)
        print(f"{model:<12}{page:>10.3f}{chain:>10.3f}{page - chain:>14.3f}", flush=True)


def in_chain(index: Path, model: str, asked: list[str]) -> float:
    """Return the median of the seconds until the first piece of text, the model loaded."""
    chain = RagChain.open(index, model=model)
    chain.warm()
    first_word(chain, asked[0])
    return statistics.median(first_word(chain, question) for question in asked)


def first_word(chain: RagChain, question: str) -> float:
    began = time.perf_counter()
    for piece in chain.stream({"question": question, "explain": True}):
        if piece.get("answer"):
            break
    return time.perf_counter() - began


def on_page(index: Path, model: str, asked: list[str]) -> float:
    """Return the median of the seconds from Enter to the first painted word."""
    from playwright.sync_api import sync_playwright

    command = [*COMMAND, "app", "--index", str(index), "--model", model, "--port", str(PORT)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        while (line := server.stdout.readline()) and not re.search(r"rag-dolly is at http", line):
            pass
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
            seen = [ask(browser, question) for question in (asked[0], *asked)]
            browser.close()
        return statistics.median(seen[1:])  # the first loads the model
    finally:
        server.terminate()
        server.wait(20)


def ask(browser: "object", question: str) -> float:
    page = browser.new_page()  # type: ignore[attr-defined]
    page.set_default_timeout(180_000)
    page.goto(f"http://127.0.0.1:{PORT}")
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    page.evaluate("document.addEventListener('keydown', () => { window.pressed = performance.now(); }, true)")
    box.press("Enter")
    seconds = float(page.evaluate(FIRST_WORD)) / 1000
    page.locator(".rd-status").wait_for(state="detached")
    page.close()
    return seconds


if __name__ == "__main__":
    main()
