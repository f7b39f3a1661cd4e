"""Makes the picture in the README: `screenshot.py FOLDER QUESTION OUT.png [light|dark] [NUMBER] [MODEL]`.

Ingests FOLDER into a temporary index, serves the real page on it, asks QUESTION and opens citation NUMBER
(default 1). Run by hand.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from browser_steps import finished, put, start
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))


def main(folder, question, out, scheme="light", number="1", model="none"):
    from rag_dolly.assemble import ingest
    from rag_dolly.settings import load_settings

    with tempfile.TemporaryDirectory() as index:
        ingest([Path(folder)], load_settings(index=index), lambda _: None)
        server, url = start(index, model)
        try:
            with sync_playwright() as playwright:
                args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
                size = {"width": 1280, "height": 800}
                page = browser.new_page(viewport=size, color_scheme=scheme, device_scale_factor=1.5)
                page.set_default_timeout(180_000)
                page.goto(url)
                turn = put(page, question)
                finished(page)
                turn.locator("a.rd-cite").nth(int(number) - 1).click()
                page.locator("[class*='st-key-source-0-'] :is(mark, img)").first.wait_for(state="attached")
                page.mouse.move(0, 790)
                page.wait_for_timeout(2000)
                page.screenshot(path=out)
                browser.close()
        finally:
            server.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:])
