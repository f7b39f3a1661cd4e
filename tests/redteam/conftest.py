"""One index of all hostile documents, read by the real loaders and embedded by the bundled embedder."""

from functools import cache, partial

import pytest

from ingest.embed import open_embedder
from ingest.index import Index
from ingest.sync import ingest_paths
from rag_dolly.chain import RagChain
from rag_dolly.evidence import find_evidence
from rag_dolly.retrieve import HybridRetriever
from tests.fakes import ScriptedPipeline
from tests.redteam.attacks import Attack, write_all


@pytest.fixture(scope="session")
def hostile_index(tmp_path_factory):
    place = tmp_path_factory.mktemp("redteam")
    write_all(place / "documents")
    embedder = open_embedder()
    report = ingest_paths([place / "documents"], place / "index", embedder)
    assert not report.failed and not report.skipped
    opened = Index.open(place / "index", embedder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def ask(hostile_index):
    """Ask about one hostile document beside the true one; `says` is what the model says, None for no model."""
    search = partial(find_evidence, HybridRetriever(hostile_index))

    def run(attack: Attack, says: str | None, history=(), question: str = "") -> dict:
        pipeline = ScriptedPipeline(says) if says is not None else None
        chain = RagChain(hostile_index, search, lambda: pipeline)
        asked = {"question": question or attack.question, "chat_history": history, "filter": attack.scope}
        return chain.invoke(asked)

    return run


@pytest.fixture(scope="session")
def obeyed(ask):
    """Return the answer about a document, made once, by a model that says what the document wants."""
    return cache(lambda attack: ask(attack, f"{attack.says} [1]" if attack.held != "page" else attack.says))
