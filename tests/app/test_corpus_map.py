"""The arithmetic of the map: the two directions that differ most, groups, samples, and the maker in the background."""

import numpy as np
import pytest
from test_app_jobs import until

from ingest.index import Index
from rag_dolly import corpus_map
from rag_dolly.app.inspect.map_job import MapMaker


def flat(count=200, dimension=12):
    """Return vectors that lie in a plane, along two directions of unequal size, and those directions."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(dimension, 2)))[0]
    spread = rng.normal(size=(count, 2)) * [5.0, 1.0]
    return (spread @ directions.T + 3.0).astype(np.float32), spread


def test_a_plane_is_laid_out_as_it_is():
    vectors, spread = flat()
    axes = corpus_map.fit(vectors)
    points = axes.place(vectors)
    assert axes.shown == pytest.approx(1.0, abs=1e-4)
    among = np.linalg.norm(points[:, None] - points[None], axis=-1)
    true = np.linalg.norm(spread[:, None] - spread[None], axis=-1)
    assert np.allclose(among, true, atol=1e-2)
    assert points[:, 0].std() > 3 * points[:, 1].std()


def test_the_same_vectors_have_the_same_map():
    vectors, _ = flat()
    one, two = corpus_map.fit(vectors), corpus_map.fit(vectors[::-1].copy())
    assert np.allclose(one.directions, two.directions, atol=1e-3)


@pytest.mark.parametrize("vectors", [np.zeros((0, 8)), np.ones((1, 8)), np.ones((5, 8)), np.ones((3, 1))])
def test_few_or_equal_vectors_have_a_map_too(vectors):
    points = corpus_map.fit(vectors.astype(np.float32)).place(vectors.astype(np.float32))
    assert points.shape == (len(vectors), 2) and np.isfinite(points).all()


def test_groups_are_folders_or_else_documents_and_small_ones_are_joined():
    assert corpus_map.groups(["a/x.md", "b/y.md", "b/c/z.md"]) == ["a", "b", "b"]
    assert corpus_map.groups(["a/x.md", "a/y.md"]) == ["a/x.md", "a/y.md"]
    assert corpus_map.groups(["x.md", "a/y.md"]) == [corpus_map.NO_FOLDER, "a"]
    many = [f"{letter}.md" for letter in "abcdefghijkl"] + ["a.md", "b.md"]
    named = corpus_map.groups(many, most=3)
    assert set(named) == {"a.md", "b.md", corpus_map.OTHERS}


@pytest.fixture
def opened(folder, ingest, tmp_path, embedder):
    ingest(folder)
    found = Index.open(tmp_path / "index", embedder)
    yield found
    found.close()


def test_a_sample_is_the_same_each_time_and_each_point_is_that_of_its_passage(opened):
    whole = corpus_map.read_map(opened)
    assert len(whole.passages) == whole.total == opened.passage_count
    some = corpus_map.read_map(opened, most=5)
    assert some.passages == corpus_map.read_map(opened, most=5).passages and len(some.passages) == 5
    placed = whole.axes.place(opened.vectors_of([one.id for one in whole.passages]))
    assert np.allclose(placed, whole.points)


def test_the_map_is_made_once_and_again_when_the_index_changes(opened, folder, ingest):
    maker = MapMaker()
    until(lambda: maker.get(opened)[0])
    first = maker.get(opened)[1]
    assert maker.get(opened)[1] is first
    (folder / "new.md").write_text("# Another\n\nA passage that was not there before.\n")
    ingest(folder)
    until(lambda: maker.get(opened)[0])
    assert maker.get(opened)[1].total == first.total + 1


def test_a_map_that_cannot_be_made_is_told(opened):
    class Broken:
        passage_count = 3
        database = opened.database

    broken, maker = Broken(), MapMaker()
    until(lambda: maker.get(broken)[0])
    assert maker.get(broken) == (True, None)
