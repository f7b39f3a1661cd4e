"""The embedder of an index can be changed from its stored text; until it is done the index is as it was."""

import pytest

from ingest.errors import IndexMismatch, IndexMissing
from ingest.index import FILE, Index
from ingest.reembed import reembed
from ingest.store import Store
from tests.fakes import HashingEmbedder


def texts(index):
    return [(p.passage.source, p.passage.text) for p in index.all_passages()]


@pytest.fixture
def other():
    return HashingEmbedder("other", dimension=32)


def test_the_other_embedder_takes_over_without_reading_a_file(folder, ingest, tmp_path, index, embedder, other):
    before = texts(index)
    for path in folder.rglob("*.*"):
        path.unlink()
    assert reembed(tmp_path / "index", other) == len(before)
    changed = Index.open(tmp_path / "index", other)
    assert texts(changed) == before
    (_, score), *_ = changed.dense(other.embed_query(before[0][1]), 3)
    assert score > 0.5 and changed.problems() == []
    with pytest.raises(IndexMismatch, match="reembed"):
        Index.open(tmp_path / "index", embedder)
    assert changed._store._rows("SELECT count(*) FROM staged") == [(0,)]


def test_passages_are_cut_to_the_new_limit(index, tmp_path):
    short = HashingEmbedder("short")
    short.max_tokens = 20
    reembed(tmp_path / "index", short)
    changed = Index.open(tmp_path / "index", short)
    assert changed.passage_count > 0
    assert all(len(short.token_spans(p.passage.text)) <= 20 for p in changed.all_passages())
    for stored in changed.all_passages():
        document = changed.read_document(stored.passage.source)
        assert document.text[stored.passage.start : stored.passage.end] == stored.passage.text


def test_an_open_reader_of_the_old_embedder_is_told(index, embedder, tmp_path, other):
    index.dense(embedder.embed_query("bees"), 3)
    reembed(tmp_path / "index", other)
    with pytest.raises(IndexMismatch, match=r"'other'.*'hashing'"):
        index.dense(embedder.embed_query("bees"), 3)


def test_interrupted_it_changes_nothing_and_goes_on_where_it_stopped(index, embedder, tmp_path, other):
    before = texts(index)

    class Failing(HashingEmbedder):
        def embed_passages(self, texts):
            if self.embedded:
                raise KeyboardInterrupt
            return super().embed_passages(texts)

    failing = Failing("other", dimension=32)
    failing.embedded.append("")
    with pytest.raises(KeyboardInterrupt):
        reembed(tmp_path / "index", failing)
    assert texts(index) == before and index.dense(embedder.embed_query("bees"), 3)
    store = Store(tmp_path / "index" / FILE)
    digests = [digest for (digest,) in store._rows("SELECT hash FROM passages LIMIT 2")]
    store.stage(other.identity.fingerprint(), dict.fromkeys(digests, bytes(64)))
    store.close()
    reembed(tmp_path / "index", other)
    assert len(other.embedded) == len(set(text for _, text in before)) - len(set(digests))


def test_without_an_index_it_is_said(tmp_path, other):
    with pytest.raises(IndexMissing):
        reembed(tmp_path / "none", other)
