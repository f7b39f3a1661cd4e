"""From Enter to the first visible word: what the page adds to what answering itself takes.

    python -m benchmarks.page INDEX [QUESTIONS] [MODEL ...]

Serves the page on INDEX with each model (default: none, then auto), asks so many questions (default 8, made from the
index's headings) in Chromium, each in a browser session of its own, and measures the time from the key press to the
first word that is painted. The served chain notes for the same question how long it took itself until its first piece
of text (an answer without text: until its end); the rest is the page's own share. Needs playwright and Chromium.
"""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from rag_dolly.app.ask.suggest import questions
from rag_dolly.app.engine import Engine
from rag_dolly.app.entry import serve
from rag_dolly.app.resources import LocalBackend
from rag_dolly.assemble import open_index
from rag_dolly.environment import settle
from rag_dolly.settings import load_settings

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
PORT = 8643
TOLD = "chain took "
WATCH = "document.addEventListener('keydown', () => { window.pressed = performance.now(); }, true)"
FIRST_WORD = """() => new Promise(done => {
    const look = () => document.querySelector('.rd-answer, [class*="st-key-abstained-"]')
        ? requestAnimationFrame(() => done(performance.now() - window.pressed)) : setTimeout(look, 4);
    look();
})"""


class TimedChain:
    """The chain of the page, which prints how long it took until its first piece of text."""

    def __init__(self, chain: Any) -> None:
        self.index, self.warm, self._chain = chain.index, chain.warm, chain

    def stream(self, input: Mapping[str, Any], *, stop: Callable[[], bool]) -> Iterator[Mapping[str, Any]]:
        """Yield what the chain yields."""
        began, told = time.perf_counter(), False
        for piece in self._chain.stream(input, stop=stop):
            if piece.get("answer") and not told:
                told = _tell(began)
            yield piece
        if not told:
            _tell(began)


class TimedBackend(LocalBackend):
    """The real chain behind the page, timed."""

    def open_chain(self, tell: Callable[[str], None]) -> Any:
        """Open the index and put the chain together."""
        return TimedChain(super().open_chain(tell))


def _tell(began: float) -> bool:
    print(f"{TOLD}{time.perf_counter() - began:.4f}", flush=True)
    return True


def main() -> None:
    """Serve, when asked to by this benchmark itself; else measure each model and print a row."""
    if sys.argv[1] == "serve":
        settle()
        return serve.listen(Engine(TimedBackend(load_settings(index=Path(sys.argv[2]), model=sys.argv[3]))), PORT)
    index, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8
    opened = open_index(load_settings(index=index))
    asked = questions(opened.headings(400), count)
    opened.close()
    print(f"{len(asked)} questions, seconds: median (least to most)")
    print(f"{'model':<10}{'Enter to first word':>24}{'of it the chain':>24}{'the page adds':>24}")
    for model in sys.argv[3:] or ("none", "auto"):
        seen, chain = on_page(index, model, asked)
        added = [whole - own for whole, own in zip(seen, chain, strict=True)]
        print(f"{model:<10}{spread(seen):>24}{spread(chain):>24}{spread(added):>24}", flush=True)


def spread(seconds: Sequence[float]) -> str:
    """Return median, least and most in words."""
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f} to {max(seconds):.3f})"


def on_page(index: Path, model: str, asked: list[str]) -> tuple[list[float], list[float]]:
    """Return for each question the seconds from Enter to the first painted word, and the chain's share of them."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "benchmarks.page", "serve", str(index), model]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = line_with("rag-dolly is at ", server.stdout)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
            pairs = []
            for question in (asked[0], *asked):  # the first loads the model, and does not count
                seen = ask(browser, address, question)
                pairs.append((seen, float(line_with(TOLD, server.stdout))))
            browser.close()
        return [seen for seen, _ in pairs[1:]], [chain for _, chain in pairs[1:]]
    finally:
        server.terminate()
        server.wait(20)


def line_with(start: str, stream: IO[str]) -> str:
    """Return the rest of the next line that begins so."""
    for line in stream:
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise SystemExit(f"The server ended before it said '{start}'.")


def ask(browser: Any, address: str, question: str) -> float:
    """Return the seconds from Enter to the first painted word, in a browser session of its own."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(address)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    page.wait_for_timeout(1500)  # the page has settled
    page.evaluate(WATCH)
    box.press("Enter")
    seconds = float(page.evaluate(FIRST_WORD)) / 1000
    page.locator(".rd-status").wait_for(state="detached")
    context.close()
    return seconds


if __name__ == "__main__":
    main()
