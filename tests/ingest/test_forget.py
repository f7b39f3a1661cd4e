"""What is forgotten is gone: from every table, and from the bytes of the files."""

import threading
import zlib

import numpy as np
import pytest

from ingest.errors import IndexMissing, NothingToIngest
from ingest.forget import forget
from ingest.index import Index

SECRET = "The zanzibarian wombat keeps its xylophone under the floor."


def everything(home):
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


@pytest.fixture
def home(folder, ingest, tmp_path):
    (folder / "secret.txt").write_text(SECRET)
    ingest(folder)
    return tmp_path / "index"


def test_no_byte_of_it_is_left(folder, home, embedder):
    index = Index.open(home, embedder)
    (stored,) = index.passages_of("secret.txt")
    vector = index._store._rows("SELECT vector FROM passages WHERE id = ?", stored.id)[0][0]
    assert vector in everything(home) and b"xylophon" in everything(home)
    index.close()
    (folder / "secret.txt").unlink()
    assert forget(["secret.txt"], home) == []
    left = everything(home)
    for trace in (b"secret", b"xylophon", b"zanzibar", b"wombat", vector, zlib.compress(SECRET.encode(), 3)[2:20]):
        assert trace not in left
    index = Index.open(home, embedder)
    assert index.keyword("zanzibarian wombat xylophone", 5) == []
    found = index.dense(np.frombuffer(vector, np.float16).astype(np.float32), 1)
    assert found[0][0] != stored.id and index.problems() == []


def test_the_rest_stays_and_the_file_that_would_come_back_is_named(folder, home, embedder):
    before = {row.source for row in Index.open(home, embedder).documents()}
    assert forget(["secret.txt"], home) == [folder / "secret.txt"]
    assert {row.source for row in Index.open(home, embedder).documents()} == before - {"secret.txt"}


def test_an_uploaded_file_is_deleted_too(home, ingest, embedder):
    (home / "uploads").mkdir()
    (home / "uploads" / "note.txt").write_text("An uploaded note on walnuts.")
    ingest(home / "uploads")
    source = next(row.source for row in Index.open(home, embedder).documents() if row.source.endswith("note.txt"))
    assert forget([source], home) == []
    assert not (home / "uploads" / "note.txt").exists() and b"walnut" not in everything(home)


def test_an_open_reader_goes_on(home, embedder):
    index = Index.open(home, embedder)
    index.dense(embedder.embed_query("bees"), 3)
    thread = threading.Thread(target=forget, args=(["secret.txt"], home))
    thread.start()
    thread.join(30)
    assert index.read_document("secret.txt") is None
    assert len(index.dense(embedder.embed_query("bees"), 50)) == index.passage_count


def test_a_source_that_is_not_there_removes_nothing(home, tmp_path, embedder):
    with pytest.raises(NothingToIngest, match="No document nowhere"):
        forget(["secret.txt", "nowhere"], home)
    assert Index.open(home, embedder).read_document("secret.txt")
    with pytest.raises(IndexMissing):
        forget(["secret.txt"], tmp_path / "none")
