"""The index on disk changes while the server runs: what is written is found, what is gone is not."""

import shutil

import pytest

from ingest.index import Index
from ingest.sync import ingest_paths
from tests.server.running import chain_over, serving

QUESTION = "Which colour has the ferry to Marrow Point?"


@pytest.fixture
def place(tmp_path):
    return tmp_path / "index"


@pytest.fixture
def written(folder, place, bundled):
    def write(text=""):
        if text:
            (folder / "ferry.txt").write_text(text)
        ingest_paths([folder], place, bundled)

    write()
    return write


@pytest.fixture
def served(written, place, bundled):
    def open_again():
        return chain_over(Index.open(place, bundled))

    with serving(open_again(), open_again=open_again) as found:
        yield found


def said(served):
    return served.ask(QUESTION).json()["choices"][0]["message"]["content"]


def test_what_is_ingested_is_found_at_once(served, written):
    assert "green" not in said(served)
    before = served.metrics()["rag_dolly_index_passages"]
    written("The ferry to Marrow Point has the colour green.")
    assert "The ferry to Marrow Point has the colour green. [1]" in said(served)
    assert served.metrics()["rag_dolly_index_passages"] == before + 1


def test_an_index_that_is_gone_is_not_answered_from(served, place, written):
    assert said(served)
    shutil.rmtree(place)
    refused = served.ask(QUESTION)
    assert refused.status_code == 503 and refused.json()["error"]["code"] == "index_missing"
    with served.http() as client:
        for reply in (client.get("/healthz"), client.get("/metrics"), client.post("/v1/search", json={"query": "tea"})):
            assert reply.status_code == 503 and str(place) not in reply.text
    written("The ferry to Marrow Point has the colour red.")
    assert "colour red" in said(served)
    with served.http() as client:
        assert client.get("/healthz").status_code == 200
