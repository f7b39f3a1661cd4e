"""An open reader sees what others write, and then finds and scores as one that opens the index afresh."""

import random
import threading

import pytest

from ingest.forget import forget
from ingest.index import FILE, Index
from ingest.store import Store
from ingest.texts import add_texts, delete_texts

WORDS = "ant bee cat dog elk fox gnu hen ibis jay kite lark".split()
QUERY = "the bee and the fox near a kite"


def state(index, embedder, query=QUERY):
    """All that both searches find, and the vectors."""
    dense = index.dense(embedder.embed_query(query), 1000)
    ids = sorted(key for key, _ in dense)
    return index.keyword(query, 1000), dense, index.vectors_of(ids).tolist(), index.languages


def texts(draw, names):
    return [(name, " ".join(draw.choices(WORDS, k=draw.randint(1, 30))), "") for name in names]


@pytest.fixture
def home(tmp_path, embedder):
    add_texts(tmp_path / "index", embedder, texts(random.Random(0), [f"t{n}" for n in range(50)]))
    return tmp_path / "index"


@pytest.mark.parametrize("seed", range(4))
def test_a_reader_that_follows_finds_what_a_fresh_one_finds(home, embedder, seed):
    draw = random.Random(seed)
    readers = [Index.open(home, embedder), Index.open(home, embedder)]
    for step in range(25):
        known = [row.source for row in readers[0].documents()]
        if draw.random() < 0.5:
            count = draw.choice([1, 1, 2, 7])
            add_texts(home, embedder, texts(draw, draw.sample([*known, *(f"n{step}-{n}" for n in range(9))], count)))
        else:
            delete_texts(home, draw.sample(known, min(len(known), draw.choice([1, 1, 5, 30]))))
        fresh = Index.open(home, embedder)
        assert state(readers[0], embedder) == state(fresh, embedder)
        assert len(fresh.dense(embedder.embed_query("bee"), 999)) == fresh.passage_count
        fresh.close()
    assert state(readers[1], embedder) == state(readers[0], embedder)  # after all that at once
    assert len(readers[0]._snapshot.parts) < 8


def test_only_what_is_new_is_read(home, embedder):
    index = Index.open(home, embedder)
    index.keyword("bee", 3)
    (base,) = index._snapshot.parts
    add_texts(home, embedder, [("new", "A zyzzyva.", "")])
    delete_texts(home, ["t3"])
    assert index.passages([index.keyword("zyzzyva", 3)[0][0]])[0].passage.source == "new"
    assert index._snapshot.parts[0].words is base.words and len(index._snapshot.parts[1].rows) == 1
    assert len(index.dense(embedder.embed_query("bee"), 99)) == 50 and base.rows.alive == 49


def test_a_list_of_removals_that_is_too_short_makes_it_read_all(home, embedder):
    index, late = Index.open(home, embedder), Index.open(home, embedder)
    index.keyword("bee", 3), late.keyword("bee", 3)
    for name in ("t1", "t2", "t3"):
        delete_texts(home, [name])
    index.keyword("bee", 3)
    store = Store(home / FILE)
    store._run("DELETE FROM removed WHERE seq < 3")
    delete_texts(home, ["t4"])
    fresh = Index.open(home, embedder)
    assert state(index, embedder) == state(late, embedder) == state(fresh, embedder)
    assert store.removals() == (3, 4)


def test_old_removals_are_taken_off_the_list(home, monkeypatch):
    monkeypatch.setattr("ingest.passage_store._KEPT_REMOVALS", 3)
    store = Store(home / FILE)
    for n in range(10):
        delete_texts(home, [f"t{n}"])
    oldest, newest = store.removals()
    assert newest == 10 and 4 <= oldest <= 7
    store.prune_removals(needed_after=0)
    assert store.removals() == (oldest, newest)


def test_searches_go_on_while_others_write(home, embedder):
    index, wrong, stop = Index.open(home, embedder), [], threading.Event()

    def search():
        while not stop.is_set():
            found = index.keyword(QUERY, 20), index.dense(embedder.embed_query(QUERY), 20)
            wrong.extend(scored for scored in found if len(scored) < 15)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(15):
        add_texts(home, embedder, texts(random.Random(n), [f"a{n}-{m}" for m in range(3)]))
        delete_texts(home, [f"a{n}-1", f"t{n}"])
    forget(["t40"], home)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert state(index, embedder) == state(Index.open(home, embedder), embedder)
