"""A real server over the samples' index, embedded by the bundled embedder, with no language model."""

import pytest

from ingest.embed import open_embedder
from ingest.index import Index
from ingest.sync import ingest_paths
from tests.conftest import SAMPLES
from tests.server.running import chain_over, serving


@pytest.fixture(scope="session")
def bundled():
    return open_embedder()


@pytest.fixture(scope="session")
def samples_index(tmp_path_factory, bundled):
    place = tmp_path_factory.mktemp("served") / "index"
    ingest_paths([SAMPLES], place, bundled)
    opened = Index.open(place, bundled)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def served(samples_index):
    """The server without a language model, which quotes."""
    with serving(chain_over(samples_index)) as found:
        yield found
