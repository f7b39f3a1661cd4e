"""Training a reader on a few records, end to end: it learns them, its file is read again, its card is written."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from ingest.bert import BertEncoder
from ingest.errors import ModelNotFound
from ingest.weights import bundled_folder
from rag_dolly import cli
from rag_dolly.finetune.reader.records import Record
from rag_dolly.finetune.reader.score import score
from rag_dolly.finetune.reader.train import train
from rag_dolly.reader import weights
from rag_dolly.reader.read import SpanReader

NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Tony", "Niklaus")
THINGS = ("mill", "bridge", "tower", "dam", "ship", "barn", "pier", "wall")
RECORDS = [
    Record(f"Who built the {thing}?", f"{name} built the {thing}. It stood for {n + 20} years.", (name,), thing)
    for n, (name, thing) in enumerate(zip(NAMES, THINGS, strict=True))
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a reader trained for some thirty steps, and its losses."""
    folder = tmp_path_factory.mktemp("reader")
    losses = train(RECORDS * 3, folder, 25, lambda step: None)
    return folder, losses


def test_it_learns_what_it_is_shown(trained):
    folder, losses = trained
    assert np.mean(losses[-3:]) < 0.3 * losses[0]
    found = score(SpanReader(folder), RECORDS)
    assert found.exact > 0.8 and found.answerable == len(RECORDS)


def test_the_file_gives_back_what_was_trained(trained, tmp_path):
    base = BertEncoder.load(bundled_folder(), None).tensors
    name = "encoder.layer.0.attention.self.query.weight"
    generator = np.random.default_rng(0)
    changed = base[name] + generator.normal(0, 0.01, base[name].shape).astype(np.float32)
    head = {"head.weight": np.ones((2, 384), dtype=np.float32), "head.bias": np.ones(2, dtype=np.float32)}
    bias = base["encoder.layer.1.output.dense.bias"] + 1
    weights.save(tmp_path, {name: changed, "encoder.layer.1.output.dense.bias": bias, **head}, base, {})
    loaded = weights.load(tmp_path, base)
    assert np.abs(loaded[name] - changed).max() < np.abs(changed - base[name]).max() / 250
    assert np.array_equal(loaded["encoder.layer.1.output.dense.bias"], bias)
    assert np.array_equal(loaded["head.weight"], head["head.weight"])


def test_a_sentence_is_read_within_its_range(trained):
    reader = SpanReader(trained[0])
    text = "Ada built the mill. Grace built the bridge."
    spans = [(0, 19), (20, len(text))]
    ((first, second),) = reader.read("Who built the bridge?", [text], [spans])
    assert 0 <= first.start < first.end <= 19 and 20 <= second.start < second.end <= len(text)
    ((nothing,),) = reader.read("Who?", [text], [[(19, 20)]])
    assert nothing.score == -np.inf
    assert reader.read("Who?", [], []) == []
    assert reader.read("Who?", [""], [[(0, 0)]])[0][0].score == -np.inf


def test_numpy_and_openvino_read_the_same(trained):
    reader = SpanReader(trained[0])
    slow = SpanReader(trained[0])
    slow.__dict__["_engine"] = None  # as where OpenVINO is not installed
    text = "Ada built the mill. " * 40
    one, other = (r.read("Who built the mill?", [text], [[(0, len(text))]])[0][0] for r in (reader, slow))
    assert text[one.start : one.end] == text[other.start : other.end]
    assert one.score == pytest.approx(other.score, abs=0.5)


def test_a_reader_that_is_none_is_told(tmp_path, trained):
    with pytest.raises(ModelNotFound, match=r"expected reader\.safetensors"):
        SpanReader(tmp_path)
    (tmp_path / weights.FILE).write_bytes((trained[0] / weights.FILE).read_bytes()[:5000])
    with pytest.raises(ModelNotFound, match="cannot be read"):
        SpanReader(tmp_path)


def test_the_command_writes_weights_card_and_losses(tmp_path):
    rows = [{"question": one.question, "context": one.context, "answers": one.answers} for one in RECORDS * 3]
    rows = [row | {"context": f"{row['context']} Copy {n}."} for n, row in enumerate(rows)]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["finetune-reader", str(data), "--out", str(tmp_path / "r"), "--epochs", "1"])
    assert done.exit_code == 0, done.output
    card = (tmp_path / "r" / "README.md").read_text(encoding="utf-8")
    assert "| data.jsonl | 24 | 24 |" in card and "F1" in card
    assert (tmp_path / "r" / "losses.csv").read_text(encoding="utf-8").startswith("step,loss\n1,")


def test_nothing_to_learn_and_a_reader_in_the_way_are_told_before_training(tmp_path, trained):
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"question": "Who?", "context": "Ada.", "answers": ["Grace"]}) + "\n", encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["finetune-reader", str(data), "--out", str(tmp_path / "r")])
    assert "No usable record" in str(done.exception) and not (tmp_path / "r").exists()
    data.write_text(json.dumps({"question": "Who?", "context": "Ada.", "answers": ["Ada"]}) + "\n", encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["finetune-reader", str(data), "--out", str(trained[0])])
    assert "already holds a reader" in str(done.exception)
