"""The index file behind the page's fake index, and the fake work on it: reading again, forgetting."""

import tempfile
import time
from pathlib import Path

from ingest.errors import NothingToIngest
from ingest.passage import Block, Document, Passage
from ingest.report import Progress, Report
from ingest.store import FileFacts, Store

FOLDER = tempfile.TemporaryDirectory(prefix="rag-dolly-fake-")
made = {}


def store_of(rows, texts):
    """Return a real store that holds these rows (as `FakeIndex.documents` gives them), the same for the same rows."""
    key = repr((rows, texts))
    if key not in made:
        made[key] = new_store(rows, texts, Path(FOLDER.name) / f"{len(made)}.sqlite3")
    return made[key]


def new_store(rows, texts, path, roots=(("/nonexistent/docs", ""),)):
    store = Store(path, create=True)
    with store.transaction():
        store.set("embedder_name", "fake-embedder")
        store.set("updated", "2026-11-23T10:00:00+00:00")
        keys = [store.add_root(path, prefix) for path, prefix in roots]
        for row in rows:
            facts = FileFacts("0" * 64, row.bytes, "1:2:3:4", "fake")
            if row.state != "indexed":
                store.put_failure(keys[0], row.source, facts, row.kind, row.state, row.reason)
                continue
            text = texts[row.source]
            warnings = tuple(row.reason.splitlines())
            document = Document(row.source, row.kind, row.title, text, (Block(0, len(text)),), warnings=warnings)
            passage = Passage(row.source, 0, text, 0, len(text), None, ())
            store.put_document(keys[0], document, facts, [(passage, row.source, b"")])
    return store


class FakeWork:
    """What `FakeBackend` does on the pages Library and Health; `busy` is raised by the next work, if it is set."""

    busy = None

    def read_again(self, within, anew, on_progress):
        self.check()
        below = [name for name in [*self.index.texts, *self.index.failed] if name.startswith(within)]
        if not below:
            raise NothingToIngest(f"Nothing to read again: {within} is not on this machine any more.")
        report = Report()
        for done, name in enumerate(sorted(below), 1):
            on_progress(Progress("read", name, done - 1, len(below)))
            time.sleep(self.pause)
            if self.index.failed.pop(name, None):
                self.index.texts[name] = "Read at last."
                report.added += 1
            elif anew:
                report.updated += 1
            else:
                report.unchanged += 1
            on_progress(Progress("stored", name, done, len(below)))
        report.passages = len(self.index.texts)
        return report

    def forget(self, sources):
        self.check()
        for source in sources:
            self.index.texts.pop(source, None)
            self.index.failed.pop(source, None)
        return [Path("/nonexistent/docs") / source for source in sources]

    def examine(self):
        return {"versions": {"rag-dolly": "1"}, "device": {"device": "cpu"}, "models": {}, "index": {}, "problems": []}

    def settings(self):
        return [
            ("index", str(self.index_dir), "command line", "the index folder"),
            ("model", self.model, "default", "the language model"),
            ("offline", "False", "default", "never ask a model hub"),
            ("top_k", "8", "rag-dolly.toml", "passages retrieved for an answer"),
        ]

    def check(self):
        if self.busy is not None:
            problem, self.busy = self.busy, None
            raise problem
