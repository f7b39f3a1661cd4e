"""Serves the real page for the browser tests: `page_server.py PORT INDEX MODEL`.

With the model "fake" the chain is the one of `page_fakes.py`, which can be slow and hostile on demand; else the
real chain answers from the index, with "none" by quoting.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "app"), str(Path(__file__).parents[2])]


def main(port, index, model):
    from rag_dolly.app import serve

    if model == "fake":
        from page_fakes import GUIDE, HOSTILE, FakeBackend

        from rag_dolly.app.engine import Engine

        texts = {"garden.md": GUIDE, "hostile <b>.md": f"# Hostile {HOSTILE[:30]}\n\n{HOSTILE}\n"}
        serve.listen(Engine(FakeBackend(index, texts, pause=0.15), together=1), int(port))
    else:
        from rag_dolly.settings import load_settings

        serve.run(load_settings(index=index, model=model), int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
