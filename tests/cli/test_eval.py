"""`rag-dolly eval retrieval` as a user meets it, with the bundled embedder."""

import json

import pytest

from tests.cli.test_cli import one_line, rag_dolly  # noqa: F401
from tests.evaluate.conftest import beir  # noqa: F401

STAGES = ["keyword", "dense", "rrf", "fused", "reranked"]


def test_it_prints_one_json_object_and_writes_what_was_asked_for(rag_dolly, beir, tmp_path):  # noqa: F811
    options = ("--plot", "plot.html", "--run-dir", "runs", "--index", "kept")
    found = json.loads(rag_dolly("eval", "retrieval", "set", "--json", *options).stdout)
    assert (found["data"], found["queries"], found["documents"], found["passages"]) == ("set", 2, 4, 4)
    assert list(found["stages"]) == STAGES and list(found["differences"]) == STAGES[:4]
    assert list(found["stages"]["fused"]) == ["ndcg@10", "recall@5", "recall@10", "recall@100", "mrr@10"]
    assert found["stages"]["fused"]["recall@5"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert found["left_out"] == {"queries without text or without a relevant document": 1}
    assert "<svg" in (tmp_path / "plot.html").read_text()
    assert sorted(path.stem for path in (tmp_path / "runs").iterdir()) == sorted(STAGES)
    assert (tmp_path / "runs" / "fused.trec").read_text().startswith("q1 Q0 d1 1 ")
    assert not (tmp_path / ".rag-dolly").exists()
    again = rag_dolly("eval", "retrieval", "set", "--index", "kept", "--plot", "plot.png")
    assert "ndcg@10" in again.stdout and "1.000" in again.stdout and "reranked less the other stage" in again.stdout
    assert "1 queries without text" in again.stderr and "Traceback" not in again.stderr
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere"], 1, "No folder nowhere"),
        (["set", "--plot", "plot.gif"], 2, ".html or .png"),
        (["set", "--top-k", "5"], 2, "--top-k"),
        (["set", "--embedder", "nobody/none", "--offline"], 1, "nobody/none"),
        ([], 2, "DATA"),
    ],
)
def test_bad_input_is_one_line(rag_dolly, beir, tmp_path, arguments, code, says):  # noqa: F811
    assert says.lower() in one_line(rag_dolly("eval", "retrieval", *arguments, code=code)).lower()
    assert not (tmp_path / ".rag-dolly").exists()


def test_a_broken_line_is_named(rag_dolly, beir):  # noqa: F811
    (beir / "corpus.jsonl").write_text('{"_id": "a", "text": "x"}\n{"_id": \n')
    assert "corpus.jsonl, line 2: not JSON" in one_line(rag_dolly("eval", "retrieval", "set", code=1))
