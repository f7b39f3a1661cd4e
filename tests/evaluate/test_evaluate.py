import math

import numpy as np
import pytest

from ingest import corpus
from ingest.embed import GROUP
from ingest.index import Index
from ingest.sync import ingest_paths
from rag_dolly import evaluate
from rag_dolly.beir import read_collection
from rag_dolly.errors import BadSetting, RagDollyError
from rag_dolly.evaluate import Estimate, bootstrap, reciprocal_rank_fusion
from rag_dolly.plot import write_plot
from tests.fakes import ScriptedReranker


def test_reciprocal_rank_fusion_by_hand():
    found = reciprocal_rank_fusion([(1, 9.0), (2, 8.0)], [(2, 0.5), (3, 0.4)])
    assert found == [(2, 1 / 62 + 1 / 61), (1, 1 / 61), (3, 1 / 62)]


def test_intervals_are_the_same_each_time_and_about_the_right_width():
    values = np.random.default_rng(1).normal(0.5, 0.1, size=(400, 1))
    (found,) = bootstrap(values)
    assert (found,) == tuple(bootstrap(values))
    error = values.std() / math.sqrt(400)
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert bootstrap(np.ones((5, 1))) == [Estimate(1.0, 1.0, 1.0)]


def test_a_difference_is_taken_query_by_query():
    """Stages that differ little on each query but much between queries differ beyond noise."""
    qrels = {str(n): {"a": 1} for n in range(20)}
    worse = {str(n): (["x", "a"] if n % 2 else [*"123456789", "a"]) for n in range(20)}
    better = {str(n): (["a"] if n % 2 else [*"12345678", "a"]) for n in range(20)}
    table, differences = evaluate.estimate({"dense": worse, "fused": better}, qrels, ["ndcg@10"])
    assert table["dense"]["ndcg@10"].high > table["fused"]["ndcg@10"].low
    assert list(differences) == ["dense"] and differences["dense"]["ndcg@10"].is_beyond_noise
    _, none = evaluate.estimate({"dense": better, "fused": better}, qrels, ["ndcg@10"])
    assert none["dense"]["ndcg@10"] == Estimate(0, 0, 0) and not none["dense"]["ndcg@10"].is_beyond_noise


def test_every_stage_is_measured(beir, tmp_path, embedder):
    steps = []
    found = evaluate.evaluate(read_collection(beir), embedder, tmp_path / "kept", 10, lambda *step: steps.append(step))
    assert list(found.stages) == list(found.runs) == ["keyword", "dense", "rrf", "fused"]
    assert list(found.stages["fused"]) == ["ndcg@10", "recall@5", "recall@10", "mrr@10"]  # no more than ten were ranked
    assert found.runs["fused"]["q2"][0] == "d3" and found.stages["fused"]["recall@5"].mean == 1
    assert set(found.differences) == {"keyword", "dense", "rrf"}
    assert (found.documents, found.passages) == (4, 4)
    assert ("documents embedded", 4, 4) in steps and steps[-1] == ("queries searched", 2, 2)


def test_a_reranker_is_a_stage_and_what_the_others_are_compared_with(beir, tmp_path, embedder):
    wants_tea = ScriptedReranker(lambda _, texts: ["tea" in text for text in texts])
    found = evaluate.evaluate(read_collection(beir), embedder, tmp_path / "kept", reranker=wants_tea)
    assert list(found.stages) == ["keyword", "dense", "rrf", "fused", "reranked"] and found.product == "reranked"
    assert list(found.differences) == ["keyword", "dense", "rrf", "fused"]
    assert [run[0] for run in found.runs["reranked"].values()] == ["d2", "d2"]
    assert found.runs["fused"]["q1"][0] == "d1" and found.differences["fused"]["mrr@10"].mean < 0


def test_a_kept_index_is_used_again_and_holds_no_other_documents(beir, tmp_path, embedder):
    collection = read_collection(beir)
    first = evaluate.evaluate(collection, embedder, tmp_path / "kept")
    embedder.embedded.clear()
    assert evaluate.evaluate(collection, embedder, tmp_path / "kept").stages == first.stages
    assert embedder.embedded == []
    (beir / "corpus.jsonl").write_text('{"_id": "d1", "text": "other"}\n')
    with pytest.raises(RagDollyError, match="holds other documents"):
        evaluate.evaluate(read_collection(beir), embedder, tmp_path / "kept")


def test_an_interrupted_index_is_completed(tmp_path, embedder):
    documents = [corpus.document_of(str(n), "", f"text number {n}") for n in range(GROUP + 2)]

    class Stop(Exception):
        pass

    def stop(stored):
        if stored:
            raise Stop

    with pytest.raises(Stop):
        corpus.fill(tmp_path / "kept", embedder, documents, stop)
    embedder.embedded.clear()
    corpus.fill(tmp_path / "kept", embedder, documents)
    assert len(embedder.embedded) == 2
    index = Index.open(tmp_path / "kept", embedder)
    assert {stored.passage.source for stored in index.all_passages()} == {document.source for document in documents}
    index.close()


def test_a_long_document_stands_where_its_best_passage_stands(beir, tmp_path, embedder):
    with (beir / "corpus.jsonl").open("a") as file:
        filler = "Nothing of interest happens here. " * 40
        file.write(f'{{"_id": "long", "title": "Filler", "text": "{filler}Walruses sleep on the ice."}}\n')
    (beir / "queries.jsonl").write_text('{"_id": "q1", "text": "Where do walruses sleep?"}\n')
    (beir / "qrels.tsv").write_text("q1\tlong\t1\n")
    found = evaluate.evaluate(read_collection(beir), embedder, tmp_path / "kept")
    assert found.passages > found.documents == 5
    for run in found.runs.values():
        assert run["q1"].count("long") == 1
    assert found.runs["fused"]["q1"][0] == "long"


def test_an_index_of_files_is_measured_as_it_is(beir, folder, tmp_path, embedder):
    ingest_paths([folder], tmp_path / "files", embedder)
    (beir / "queries.jsonl").write_text('{"_id": "q1", "text": "whale oil lamp of the lighthouse"}\n')
    (beir / "qrels.tsv").write_text("q1\tguide/lighthouse\t1\n")
    found = evaluate.evaluate(read_collection(beir), embedder, tmp_path / "files")
    assert found.stages["fused"]["mrr@10"].mean == 1 and found.documents == 3
    (beir / "qrels.tsv").write_text("q1\td1\t1\n")
    with pytest.raises(RagDollyError, match="none of the judged documents"):
        evaluate.evaluate(read_collection(beir), embedder, tmp_path / "files")


def test_runs_are_written_as_trec_has_them(tmp_path):
    evaluate.write_runs({"dense": {"q 1": ["a", "b c"]}}, tmp_path / "runs")
    rows = (tmp_path / "runs" / "dense.trec").read_text().splitlines()
    assert rows == ["q%201 Q0 a 1 1.000000 dense", "q%201 Q0 b%20c 2 0.500000 dense"]
    (tmp_path / "file").touch()
    with pytest.raises(RagDollyError, match="cannot be written"):
        evaluate.write_runs({}, tmp_path / "file")


TABLE = {"<b>&": {"ndcg@10": Estimate(0.5, 0.4, 0.6)}, "fused": {"ndcg@10": Estimate(0.7, 0.6, 0.8)}}


def test_the_page_escapes_names_and_loads_nothing(tmp_path):
    write_plot(TABLE, "set & <script>", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()
    assert "<script" not in page and "<b>" not in page and "set &amp; &lt;script&gt;" in page
    assert "fused: ndcg@10 0.700 (95 % from 0.600 to 0.800)" in page
    assert page.count("http") == page.count("http://www.w3.org/2000/svg") == 1


def test_the_png_shows_bars_as_high_as_the_means(tmp_path):
    from PIL import Image

    from rag_dolly import plot

    write_plot(TABLE, "set", tmp_path / "p.png")
    picture = plot.lay_out(TABLE, "set")
    bars = [box for box in picture.boxes if box.says]
    assert bars[1].height / bars[0].height == pytest.approx(0.7 / 0.5)
    with Image.open(tmp_path / "p.png") as image:
        assert image.size == (picture.width * 2, picture.height * 2)
        inside = (int(bars[1].x * 2 + 6), int((bars[1].y + bars[1].height - 10) * 2))
        assert "#{:02x}{:02x}{:02x}".format(*image.getpixel(inside)) == plot.COLOURS[1]


def test_other_pictures_are_refused(tmp_path):
    with pytest.raises(BadSetting, match=r"\.html or \.png"):
        write_plot(TABLE, "set", tmp_path / "p.gif")
