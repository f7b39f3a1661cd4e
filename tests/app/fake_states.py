"""Backends for each state that the page can be in, by name: what stands in the way, and texts of many scripts."""

import time

from page_fakes import GUIDE, HOSTILE, FakeBackend, FakeChain

from ingest.errors import IndexBusy, IndexMismatch, ModelNotFound
from rag_dolly.errors import OutOfMemory, ServerFailed

TEXTS = {"garden.md": GUIDE, "hostile <b>.md": f"# Hostile {HOSTILE[:30]}\n\n{HOSTILE}\n"}
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
WORLD = {
    "تقارير/تقرير الميناء.md": "# الميناء\n\nيُفتح الميناء في الساعة السادسة صباحًا. رقم الهاتف 4711.\n",
    "报告/港口报告.md": "# 港口\n\n港口早上六点开放。灯塔建于1887年,高四十米。\n",
    f"lang/{LONG}.md": f"# {LONG}\n\n{LONG} has no place to break.\n",
    **TEXTS,
}
MISMATCH = IndexMismatch(
    "The index in .rag-dolly was made by the embedder 'all-MiniLM-L6-v2', 'other/model' is in use: set --embedder to "
    "the first, or change it over with `rag-dolly reembed --embedder other/model`."
)
BUSY = IndexBusy("The index in .rag-dolly is being written by another process: wait for it, then run again.")
OF_THE_INDEX = {
    "mismatch": MISMATCH,
    "embedder": ModelNotFound("No embedder other/model on this machine, and --offline is set: name one that is here."),
}
OF_THE_MODEL = {
    "model": ModelNotFound("No model big/model on this machine, and --offline is set: name one that is here."),
    "memory": OutOfMemory(
        "dolly-v2-12b needs 23.8 GB in bfloat16, 7.4 GB of main memory are free: choose a smaller one."
    ),
    "server": ServerFailed("The model server at localhost:8000 does not answer: start it, or name another."),
}
NAMES = ("empty", "first", "loading", "locked", "world", *OF_THE_INDEX, *OF_THE_MODEL)


class FaultyChain(FakeChain):
    def warm(self):
        raise self.model


class ModelBackend(FakeBackend):
    """A backend whose index opens, and whose model is too slow to load, or cannot be loaded because of `fault`."""

    fault = None

    def open_chain(self, tell):
        if self.fault is None:
            tell("Model: dolly-v2-3b, 8-bit, cpu")
            return SlowChain(self.index)
        return FaultyChain(self.index, model=self.fault)


class SlowChain(FakeChain):
    def warm(self):
        time.sleep(300)


def backend(name, folder):
    """Return the backend for the state of this name."""
    if name in ("empty", "first"):
        return FakeBackend(folder)
    if name == "world":
        return FakeBackend(folder, WORLD)
    if name == "forget":
        return FakeBackend(folder, TEXTS)
    if name == "slow":
        return FakeBackend(folder, {f"note {n}.md": f"Note {n}." for n in range(200)}, pause=1.0)
    if name in OF_THE_INDEX:
        return FakeBackend(folder, TEXTS, error=OF_THE_INDEX[name])
    if name == "locked":
        made = FakeBackend(folder, TEXTS, pause=0.1)
        made.busy = BUSY
        return made
    made = ModelBackend(folder, TEXTS)
    made.fault = OF_THE_MODEL.get(name)
    return made
