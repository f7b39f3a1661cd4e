"""What all tests share: nothing of the user's settings, caches or folders is seen or touched."""

import os
import shutil
from pathlib import Path

import pytest

from ingest.index import Index
from ingest.report import Report
from ingest.sync import ingest_paths
from tests.fakes import HashingEmbedder

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("RAG_DOLLY_", "LANGSMITH_", "LANGCHAIN_")) and name != "RAG_DOLLY_CACHE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def embedder():
    return HashingEmbedder()


@pytest.fixture
def folder(tmp_path):
    """A small folder of documents that a test may change."""
    shutil.copytree(SAMPLES, tmp_path / "samples")
    return tmp_path / "samples"


@pytest.fixture
def ingest(tmp_path, embedder):
    """Ingest paths into one index with the hashing embedder."""

    def run(*paths: Path, **options) -> Report:
        return ingest_paths(paths, tmp_path / "index", options.pop("embedder", embedder), **options)

    return run


@pytest.fixture
def index(folder, ingest, tmp_path, embedder):
    ingest(folder)
    opened = Index.open(tmp_path / "index", embedder)
    yield opened
    opened.close()
