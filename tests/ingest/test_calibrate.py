"""A threshold lies between what has nothing in common and what the index says itself; small indexes have none."""

from ingest import calibrate, corpus
from ingest.embed import open_embedder
from ingest.index import FILE, Index
from ingest.nearness import near, word_share
from ingest.store import Store

ANIMALS = ("otter", "heron", "badger", "lynx", "marten", "beaver", "osprey", "vole", "stoat", "bittern")
PLACES = ("river", "forest", "marsh", "meadow", "coast", "valley", "island", "delta", "lake", "moor", "fen", "cliff")


def filled(folder, count):
    texts = [
        f"The {animal} of the {place} hunts at dawn. Its young stay near the {place} until autumn, then leave."
        for animal in ANIMALS
        for place in PLACES
    ]
    documents = [corpus.document_of(f"{n}", f"Animals {n}", text) for n, text in enumerate(texts[:count])]
    embedder = open_embedder()
    corpus.fill(folder, embedder, documents)
    store = Store(folder / FILE)
    calibrate.calibrate(store, folder, embedder)
    return store, embedder


def test_the_threshold_lies_between_nothing_and_the_index_itself(tmp_path):
    store, embedder = filled(tmp_path, 110)
    needed = Index.open(tmp_path, embedder).near_enough()
    assert needed is not None and 0.2 < needed < 1.2
    calibrate.calibrate(store, tmp_path, embedder)
    assert calibrate.needed_nearness(store) == needed
    store.set("embedder", "another")
    assert calibrate.needed_nearness(store) is None


def test_a_small_index_or_a_broken_value_gives_none(tmp_path):
    store, _ = filled(tmp_path, 5)
    assert calibrate.needed_nearness(store) is None
    store.set(calibrate.KEY, "no json")
    assert calibrate.needed_nearness(store) is None


def test_nearness_counts_words_once_and_without_stop_words():
    assert word_share("Where does the otter hunt?", ["The otter hunts otters."], [""]) == 1
    assert word_share("Where does the otter hunt?", ["The heron hunts."], [""]) == 0.5
    assert word_share("otter", [], []) == 0 and near(0.4, 0.5) == 0.65
