"""Which files a model is loaded from, what is refused, and that nothing asks the network unless told to."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
import transformers
from tiny_models import WINDOW, edit_json, forward_widths

from rag_dolly.errors import BadSetting, ModelNotFound
from rag_dolly.generate.checkpoint import load_weights
from rag_dolly.generate.device import Choice
from rag_dolly.generate.local import LocalPipeline


@pytest.fixture
def copy(dolly_directory, tmp_path):
    return shutil.copytree(dolly_directory, tmp_path / "copy")


def load(directory) -> LocalPipeline:
    return LocalPipeline.load(str(directory), device="cpu", offline=True, quantize="none")


def ask(pipeline: LocalPipeline, tokens: int = 6) -> str:
    return "".join(pipeline.stream(pipeline.render("Which task?", ["This."]), tokens, lambda: False))


def test_loading_a_directory_asks_nothing_of_the_network(dolly_directory, network_events):
    LocalPipeline.load(str(dolly_directory), device="cpu", quantize="none")
    assert network_events == []


def test_missing_hub_model_offline_makes_no_connection_and_says_what_was_tried(network_events):
    with pytest.raises(ModelNotFound) as caught:
        LocalPipeline.load("nobody-here/no-model", offline=True)
    line = str(caught.value)
    assert "\n" not in line
    for part in ("nobody-here/no-model", "not a local directory", "hub cache", "offline"):
        assert part in line
    assert network_events == []


def test_hub_cache_is_used_without_asking_the_hub(dolly_directory, tmp_path):
    """In a process of its own, because the place of the cache is read when huggingface_hub is imported."""
    revision = "0" * 40
    repository = tmp_path / "models--databricks--dolly-v2-3b"
    shutil.copytree(dolly_directory, repository / "snapshots" / revision)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    code = (
        "import sys; asked = []\n"
        "sys.addaudithook(lambda e, _: asked.append(e) if e in ('socket.connect', 'socket.getaddrinfo') else None)\n"
        "from rag_dolly.generate.local import LocalPipeline\n"
        "p = LocalPipeline.load('databricks/dolly-v2-3b', device='cpu', quantize='none')\n"
        "from rag_dolly.generate.checkpoint import cached\n"
        "complete = cached('databricks/dolly-v2-3b')\n"
        "[weights.unlink() for weights in complete.glob('*.safetensors')]\n"
        "print(p.name, p.format, cached('databricks/dolly-v2-3b'), asked)"
    )
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert result.stdout.strip() == "databricks/dolly-v2-3b dolly None []", result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize("name", ["no-model", "./no/model", "/no/model", "a/b/c", "..", "~/no-model"])
def test_name_that_is_no_hub_name_is_never_looked_up(name, network_events):
    with pytest.raises(ModelNotFound) as caught:
        LocalPipeline.load(name)
    assert repr(name) in str(caught.value)
    assert network_events == []


def test_unreachable_hub_is_one_line(network_events):
    """The suite blocks sockets, so the look-up is attempted and fails: the record above can see one."""
    with pytest.raises(ModelNotFound, match="the hub did not give it") as caught:
        LocalPipeline.load("nobody-here/no-model")
    assert "\n" not in str(caught.value)


def test_directory_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelNotFound, match=r"config\.json and model\.safetensors"):
        load(tmp_path)


def test_broken_weights_are_refused(copy):
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(ModelNotFound, match="cannot be loaded"):
        load(copy)


def test_missing_weights_are_refused_not_made_up(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    del weights["gpt_neox.layers.0.mlp.dense_h_to_4h.weight"]
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelNotFound, match=r"incomplete: 1 weights .*dense_h_to_4h"):
        load(copy)


def test_broken_tokenizer_is_refused(copy):
    (copy / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(ModelNotFound, match="tokenizer cannot be read"):
        load(copy)


def test_code_that_comes_with_a_model_is_not_run(copy, tmp_path):
    marker = tmp_path / "ran"
    (copy / "evil.py").write_text(f"open({str(marker)!r}, 'w')\nclass M: pass\nC = T = M\n")
    edit_json(copy / "config.json", auto_map={"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"})
    edit_json(copy / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "evil.T"]})
    load(copy)  # the plain architecture, which transformers knows, is used
    edit_json(copy / "config.json", model_type="evil")
    with pytest.raises(ModelNotFound):
        load(copy)
    assert not marker.exists()


def test_bin_weights_load_but_pickled_code_does_not(copy, tmp_path):
    from safetensors.torch import load_file

    expected = ask(load(copy))
    weights = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    assert ask(load(copy)) == expected

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({**weights, "evil": Evil()}, copy / "pytorch_model.bin")
    with pytest.raises(ModelNotFound):
        load(copy)
    assert not (tmp_path / "ran").exists()


def test_cache_is_used_even_if_the_config_forbids_it(copy):
    edit_json(copy / "config.json", use_cache=False)
    (copy / "generation_config.json").unlink(missing_ok=True)
    pipeline = load(copy)
    widths = forward_widths(pipeline)
    ask(pipeline, 5)
    assert widths[0] > 1
    assert widths[1:] == [1] * (len(widths) - 1)
    assert len(widths) > 1


def test_sampling_settings_of_the_model_are_neutralised_without_a_word(copy, dolly_directory, capfd):
    expected = ask(load(dolly_directory), 20)
    settings = {"do_sample": True, "temperature": 5.0, "top_k": 3, "repetition_penalty": 9.0, "max_length": 9}
    (copy / "generation_config.json").write_text("{}")
    edit_json(copy / "generation_config.json", **settings, use_cache=False, num_beams=3)
    assert [ask(load(copy), 20) for _ in range(2)] == [expected] * 2
    assert capfd.readouterr() == ("", "")


def test_window_is_that_of_the_model(copy):
    assert load(copy).window == WINDOW


def test_unknown_device_is_a_bad_setting(dolly_directory):
    with pytest.raises(BadSetting, match="'toaster'"):
        LocalPipeline.load(str(dolly_directory), device="toaster")


LINEARS_2023 = {"lm_head.weight": "embed_out.weight"}
CONFIG_2023 = {"rotary_pct": 0.5, "rotary_emb_base": 20000, "torch_dtype": "float32", "use_cache": False}
IDS = torch.tensor([[5, 6, 7, 8, 9, 10, 11]])


@pytest.fixture
def original(tmp_path):
    """A GPT-NeoX with a rotary setting of its own, saved as transformers does today, and its directory."""
    rotary = {"rope_type": "default", "rope_theta": 20000.0, "partial_rotary_factor": 0.5}
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.GPTNeoXConfig(
        vocab_size=80, max_position_embeddings=WINDOW, initializer_range=0.5, rope_parameters=rotary, **sizes
    )
    torch.manual_seed(0)
    model = transformers.GPTNeoXForCausalLM(config).eval()
    model.save_pretrained(tmp_path)
    return model, tmp_path


def to_2023(model, directory) -> dict[str, torch.Tensor]:
    """Rewrite config.json as in 2023 and return the weights by their names of then, with the buffers of then."""
    (directory / "model.safetensors").unlink()
    config = json.loads((directory / "config.json").read_text("utf-8"))
    for name in ("rope_parameters", "dtype"):
        config.pop(name)
    (directory / "config.json").write_text(json.dumps({**config, **CONFIG_2023}), "utf-8")
    weights = {LINEARS_2023.get(name, name): weight.clone() for name, weight in model.state_dict().items()}
    for layer in range(2):
        at = f"gpt_neox.layers.{layer}.attention"
        weights[f"{at}.bias"] = torch.ones(1, 1, WINDOW, WINDOW, dtype=torch.bool).tril()
        weights[f"{at}.masked_bias"] = torch.tensor(-1e9)
        weights[f"{at}.rotary_emb.inv_freq"] = torch.zeros(4)  # computed anew, so a wrong one must not matter
    return weights


def shards(weights: dict, pattern: str) -> tuple[dict[str, dict], dict]:
    """Split weights over three files; return them by name, and the index."""
    names = list(weights)
    files = {pattern.format(i + 1): {name: weights[name] for name in names[i::3]} for i in range(3)}
    return files, {"metadata": {}, "weight_map": {name: file for file, part in files.items() for name in part}}


def same_logits(model, directory) -> bool:
    with torch.no_grad():
        return torch.equal(load_weights(directory, Choice("cpu", "float32", "test"))(IDS).logits, model(IDS).logits)


def test_logits_are_identical_from_safetensors_whole_and_sharded(original):
    model, directory = original
    assert same_logits(model, directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, max_shard_size="60KB")
    assert len(list(directory.glob("model-*.safetensors"))) > 2
    assert same_logits(model, directory)


@pytest.mark.parametrize("kind", ["bin", "sharded bin", "safetensors", "sharded safetensors"])
def test_logits_of_a_checkpoint_of_2023_are_identical(original, kind):
    from safetensors.torch import save_file

    model, directory = original
    weights = to_2023(model, directory)
    write = torch.save if kind.endswith("bin") else lambda part, path: save_file(part, path, {"format": "pt"})
    if kind.startswith("sharded"):
        stem, ending = ("pytorch_model", "bin") if kind.endswith("bin") else ("model", "safetensors")
        files, index = shards(weights, f"{stem}-0000{{}}-of-00003.{ending}")
        for name, part in files.items():
            write(part, directory / name)
        (directory / f"{stem}.{ending}.index.json").write_text(json.dumps(index), "utf-8")
    else:
        write(weights, directory / ("pytorch_model.bin" if kind == "bin" else "model.safetensors"))
    assert same_logits(model, directory)


def test_safetensors_are_preferred_to_bin(original):
    model, directory = original
    torch.save({name: weight * 0 for name, weight in model.state_dict().items()}, directory / "pytorch_model.bin")
    assert same_logits(model, directory)
