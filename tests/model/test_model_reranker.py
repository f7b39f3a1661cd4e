"""A real cross-encoder, tiny and random: found by name, read from safetensors, its scores its own."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.numpy import load_file, save_file
from tiny_models import edit_json
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag_dolly import assemble, cli
from rag_dolly.errors import BadSetting, ModelNotFound
from rag_dolly.rerank import BATCH, load_reranker
from rag_dolly.settings import load_settings

QUESTION = "how long does a bee live"
TEXTS = ["a bee lives long", "tea", "the lamp " * 80, *(f"bee number {n} " * n for n in range(1, BATCH))]
LIMIT = 48


def build_tokenizer() -> transformers.PreTrainedTokenizerFast:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789", "bee", "tea", "how", "long"]
    pieces += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
    backend = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=LIMIT, **names)


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory) -> Path:
    tokenizer = build_tokenizer()
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=LIMIT,
        initializer_range=0.6,
        num_labels=1,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny-cross-encoder"
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def copy(cross_encoder, tmp_path) -> Path:
    return shutil.copytree(cross_encoder, tmp_path / "copy")


def by_hand(folder: Path) -> list[float]:
    """The output for each pair alone, by transformers and nothing else."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        pairs = [tokenizer(QUESTION, text, truncation=True, max_length=LIMIT, return_tensors="pt") for text in TEXTS]
        return [float(model(**pair).logits) for pair in pairs]


def test_scores_are_the_models_own_in_the_order_of_the_texts(cross_encoder, network_events):
    reranker = load_reranker(str(cross_encoder), offline=False, device="cpu")
    scores = reranker.scores(QUESTION, TEXTS)
    assert reranker.name == "tiny-cross-encoder" and scores.dtype == np.float32
    assert scores == pytest.approx(by_hand(cross_encoder), abs=1e-4)
    assert np.ptp(scores) > 0.1 and (scores.min() < 0 or scores.max() > 1)  # no activation function was applied
    assert reranker.scores(QUESTION, []).shape == (0,)
    assert network_events == []


def test_threads_may_share_it_and_it_loads_once(cross_encoder):
    reranker = load_reranker(str(cross_encoder), offline=True, device="cpu")
    assert reranker._model is None
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: (reranker.scores(QUESTION, TEXTS), reranker._model), range(8)))
    assert len({id(model) for _, model in found}) == 1
    assert all(np.allclose(scores, found[0][0]) for scores, _ in found)


def test_search_by_the_command_line_has_its_scores(cross_encoder, folder, tmp_path, capfd):
    settings = load_settings(index=tmp_path / "made", offline=True, reranker=str(cross_encoder), device="cpu")
    assemble.ingest([folder], settings, lambda *_: None)
    retriever = assemble.open_retriever(settings)
    expected = retriever.search(QUESTION, 30)
    given = ["search", QUESTION, "--index", str(tmp_path / "made"), "--reranker", str(cross_encoder), "--json"]
    cli.app(given, standalone_mode=False)
    said = capfd.readouterr()
    hits = json.loads(said.out)["hits"]
    assert said.err == ""
    assert hits and hits[0]["source"] == expected[0].source
    assert hits[0]["rerank"] == pytest.approx(max(hit.rerank for hit in expected), abs=1e-3)
    assert assemble.status(settings)["reranker"] == str(cross_encoder)


def test_an_embedder_without_vectors_of_tokens_has_none_unless_one_is_named(tmp_path, monkeypatch, embedder):
    assert assemble.open_reranker(load_settings(), embedder) is None
    monkeypatch.setenv("RAG_DOLLY_RERANKER", "none")
    assert assemble.open_reranker(load_settings(), embedder) is None
    monkeypatch.setenv("RAG_DOLLY_RERANKER", "")
    assert assemble.open_reranker(load_settings(), embedder) is None
    monkeypatch.setenv("RAG_DOLLY_RERANKER", "nowhere-at-all")
    with pytest.raises(ModelNotFound, match="nowhere-at-all"):
        assemble.open_retriever(load_settings(index=tmp_path / "made"))


def refused(name: str) -> str:
    """The line with which a name is refused before anything is loaded."""
    with pytest.raises(ModelNotFound) as caught:
        load_reranker(name, offline=True)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_there_is_one_line(copy, tmp_path, network_events):
    assert "no such directory" in refused(str(tmp_path / "nowhere"))
    assert "offline" in refused("nobody-here/no-model")
    (copy / "model.safetensors").unlink()
    assert "model.safetensors" in refused(str(copy))
    assert network_events == []


def test_pickled_weights_are_refused(copy):
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    assert "pytorch_model.bin, which is not read" in refused(str(copy))


def test_models_of_other_kinds_are_refused(copy):
    edit_json(copy / "config.json", architectures=["BertModel"])
    assert "found BertModel" in refused(str(copy))
    edit_json(copy / "config.json", architectures=["BertForSequenceClassification"], id2label={"0": "no", "1": "yes"})
    assert "with 2" in refused(str(copy))
    edit_json(copy / "config.json", architectures=None)
    assert "no class" in refused(str(copy))
    (copy / "config.json").write_text("{")
    assert "config.json cannot be read" in refused(str(copy))


def test_a_head_that_is_not_in_the_file_is_not_made_up(copy):
    weights = load_file(copy / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelNotFound, match=r"lack classifier\.weight"):
        load_reranker(str(copy), offline=True, device="cpu").scores(QUESTION, TEXTS)


def test_a_broken_file_is_one_line_and_the_next_question_tries_again(copy, cross_encoder):
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[:100])
    reranker = load_reranker(str(copy), offline=True, device="cpu")
    with pytest.raises(ModelNotFound, match="cannot be loaded") as caught:
        reranker.scores(QUESTION, TEXTS)
    assert "\n" not in str(caught.value)
    (copy / "model.safetensors").write_bytes(whole)
    assert reranker.scores(QUESTION, TEXTS) == pytest.approx(by_hand(cross_encoder), abs=1e-4)


def test_a_device_that_is_not_there(cross_encoder):
    with pytest.raises(BadSetting, match="cuda:77"):
        load_reranker(str(cross_encoder), offline=True, device="cuda:77").scores(QUESTION, TEXTS)
