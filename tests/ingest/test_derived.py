"""Files derived from an index are used where they are sound, and never change what is found."""

import random
import shutil

import numpy as np
import pytest

from ingest import derived, vectors
from ingest.forget import forget
from ingest.index import FILE, Index
from ingest.reembed import reembed
from ingest.store import Store
from ingest.terms import number
from ingest.texts import add_texts, delete_texts
from tests.fakes import HashingEmbedder
from tests.ingest.test_snapshot import state, texts


@pytest.fixture
def home(tmp_path, embedder, monkeypatch):
    """An index of 60 passages that has derived files."""
    monkeypatch.setattr(derived, "FROM", 40)
    add_texts(tmp_path / "index", embedder, texts(random.Random(0), [f"t{n}" for n in range(60)]))
    return tmp_path / "index"


def generation(home):
    (folder,) = (home / "derived").iterdir()
    return folder


def from_files(home, embedder):
    """What a fresh reader finds, and whether it took it from the files."""
    index = Index.open(home, embedder)
    found = state(index, embedder)
    is_read = any(part.fixed for part in index._snapshot.parts)
    index.close()
    return found, is_read


def from_tables(home, embedder, tmp_path):
    shutil.copytree(home, tmp_path / "copy", dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "copy" / "derived", ignore_errors=True)
    return from_files(tmp_path / "copy", embedder)[0]


def test_files_give_what_the_tables_give(home, embedder, tmp_path):
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), True)
    assert {path.name for path in generation(home).iterdir()} == {*(f"{n}.npy" for n in derived._ARRAYS), "flat.faiss"}


def test_little_that_is_new_is_read_beside_them_and_much_is_written_into_them(home, embedder, tmp_path):
    before = generation(home).name
    add_texts(home, embedder, [("new", "A bee and a zyzzyva.", ""), ("t5", "A fox.", "")])
    delete_texts(home, ["t1", "t2"])
    assert generation(home).name == before
    reader = Index.open(home, embedder)
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), True)
    add_texts(home, embedder, texts(random.Random(1), [f"more{n}" for n in range(9)]))
    assert generation(home).name == "2" and before == "1"
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), True)
    assert state(reader, embedder) == from_tables(home, embedder, tmp_path)  # which has the first generation open
    delete_texts(home, [f"t{n}" for n in range(40)])
    assert not (home / "derived").exists()
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), False)


@pytest.mark.parametrize("name", [*(f"{n}.npy" for n in derived._ARRAYS), "flat.faiss"])
@pytest.mark.parametrize("harm", ["byte", "cut", "gone", "empty", "other"])
def test_files_that_are_not_as_they_were_written_are_not_used(home, embedder, tmp_path, name, harm):
    expected, path = from_tables(home, embedder, tmp_path), generation(home) / name
    data = path.read_bytes()
    changed = {
        "byte": data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        "cut": data[:-5],
        "empty": b"",
        "other": b"x" * 99,
    }
    path.unlink() if harm == "gone" else path.write_bytes(changed[harm])
    assert from_files(home, embedder) == (expected, False)
    add_texts(home, embedder, texts(random.Random(1), [f"more{n}" for n in range(12)]))
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), True)


def test_a_copied_index_uses_them(home, embedder, tmp_path):
    shutil.copytree(home, tmp_path / "moved", copy_function=shutil.copyfile)
    assert from_files(tmp_path / "moved", embedder) == from_files(home, embedder)


def test_files_of_another_index_are_not_used(home, embedder, tmp_path):
    add_texts(tmp_path / "other", embedder, texts(random.Random(9), [f"t{n}" for n in range(60)]))
    expected = from_tables(home, embedder, tmp_path)
    shutil.rmtree(home / "derived")
    shutil.copytree(tmp_path / "other" / "derived", home / "derived")
    assert from_files(home, embedder) == (expected, False)
    store = Store(home / FILE)
    made = store.get(derived.KEY)
    for said in ("{", "[]", '{"generation": 1}', "7", '{"files": 1}'):
        store.set(derived.KEY, said)
        assert from_files(home, embedder) == (expected, False)
    store.set(derived.KEY, made.replace('"embedder": "', '"embedder": "not '))
    assert from_files(home, embedder) == (expected, False)


@pytest.mark.parametrize("step", ["rmtree", "vectors.write", "np.save", "_sha256", "_flush", "_sweep"])
def test_stopped_at_any_step_the_index_answers_and_the_next_run_finishes(home, embedder, tmp_path, monkeypatch, step):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        owner, _, name = step.rpartition(".")
        patch.setattr(getattr(derived, owner) if owner else (shutil if name == "rmtree" else derived), name, stop)
        add_texts(home, embedder, texts(random.Random(1), [f"more{n}" for n in range(20)]))
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), True)
    delete_texts(home, ["more1"])
    assert generation(home).name == "2"
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), True)


def test_forgetting_leaves_neither_term_nor_vector_in_them(home, embedder):
    add_texts(home, embedder, [("secret", "The zanzibarian wombat.", ""), *texts(random.Random(1), "abcdefghijkl")])
    term = np.uint32(number("wombat")).tobytes()
    vector = embedder.embed_query("The zanzibarian wombat.").astype(np.float16).tobytes()
    everything = lambda: b"".join(p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file())  # noqa: E731
    for trace in (term, vector):
        assert trace in b"".join(path.read_bytes() for path in generation(home).iterdir())
    forget(["secret"], home)
    assert all(trace not in everything() for trace in (term, vector, b"wombat"))
    assert from_files(home, embedder)[1] and generation(home)


def test_terms_of_another_version_make_them_anew(home, embedder, tmp_path):
    store = Store(home / FILE)
    store.set("terms", "keyword 0")
    store.close()
    assert not from_files(home, embedder)[1]
    add_texts(home, embedder, [("one", "A bee.", "")])
    assert from_files(home, embedder) == (from_tables(home, embedder, tmp_path), True)


def test_another_embedder_makes_them_anew(home, tmp_path):
    other = HashingEmbedder("other", dimension=32)
    reembed(home, other)
    assert generation(home).name == "2"
    assert from_files(home, other) == (from_tables(home, other, tmp_path), True)


def test_clusters_are_written_and_read(home, embedder, tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "CLUSTERED_FROM", 50)
    add_texts(home, embedder, texts(random.Random(1), [f"more{n}" for n in range(12)]))
    index = Index.open(home, embedder)
    query = embedder.embed_query("bee fox kite")
    exact = Index.open(home, embedder)
    exact._search()
    (part,) = exact._snapshot.parts
    flat = vectors.VectorSearch([(part.rows, part.vectors._replace(clusters=None))], 64)
    assert (generation(home) / "clusters.faiss").exists() and part.vectors.clusters is not None
    found, expected = index.dense(query, 4), flat.search(query, 4)
    assert len({key for key, _ in found} & {key for key, _ in expected}) >= 3
    assert dict(found) == pytest.approx({key: score for key, score in flat.search(query, 72) if key in dict(found)})
    assert len(index.dense(query, 72)) == 72
