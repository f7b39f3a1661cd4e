"""Loading in 8 bits, on a processor; torchao is a development dependency. 4-bit needs a GPU: see the skipped test."""

import shutil
import subprocess
import sys

import pytest
import torch
import transformers
from tiny_models import build_llama, edit_json

from rag_dolly.errors import BadSetting, ModelNotFound, OutOfMemory
from rag_dolly.generate import quantized
from rag_dolly.generate.checkpoint import is_out_of_memory, load_weights, out_of_memory, plan_load
from rag_dolly.generate.device import Choice, Room, choose, container_limit, main_memory, rooms
from rag_dolly.generate.footprint import footprint

FLOAT32 = Choice("cpu", "float32", "test")
IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])


@pytest.fixture(scope="module")
def eight(dolly_directory):
    return load_weights(dolly_directory, FLOAT32, bits=8)


def test_eight_bits_compute_what_the_rounded_weights_compute(eight, dolly_directory):
    """The oracle is the same model in float32 with the rounded weights, each within half a step of the original."""
    plain, rounded = load_weights(dolly_directory, FLOAT32), load_weights(dolly_directory, FLOAT32)
    for name, weight in eight.state_dict().items():
        if hasattr(weight, "qdata"):
            original = plain.get_parameter(name).data
            step = original.abs().amax(1, keepdim=True) / 127
            assert ((weight.dequantize() - original).abs() <= 0.51 * step).all()
            rounded.get_parameter(name).data = weight.dequantize()
    with torch.no_grad():
        assert torch.allclose(eight(IDS).logits, rounded(IDS).logits, atol=1e-4)
        assert not torch.allclose(eight(IDS).logits, plain(IDS).logits, atol=1e-2)


def test_only_the_layers_are_quantised(eight, dolly_directory):
    plain = load_weights(dolly_directory, FLOAT32).state_dict()
    rounded = {name for name, weight in eight.state_dict().items() if not torch.equal(_plain(weight), plain[name])}
    linears = ("query_key_value.weight", "dense.weight", "dense_h_to_4h.weight", "dense_4h_to_h.weight")
    assert rounded == {name for name in plain if name.endswith(linears)}
    assert quantized.bits_of(eight) == 8
    assert quantized.bits_of(load_weights(dolly_directory, FLOAT32)) is None


def test_eight_bits_take_as_much_as_planned(eight):
    tensors = [part for weight in eight.state_dict().values() for part in _parts(weight)]
    taken = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    assert taken == footprint(eight.config.to_dict()).weights("float32", 8)


def test_quantised_decoding_is_greedy_decoding_of_the_quantised_model(eight):
    tokens = eight.generate(
        IDS, attention_mask=torch.ones_like(IDS), max_new_tokens=8, do_sample=False, eos_token_id=-1
    )
    with torch.no_grad():
        logits = eight(tokens[:, :-1]).logits[0, IDS.shape[1] - 1 :]
    assert tokens[0, IDS.shape[1] :].tolist() == logits.argmax(-1).tolist()


def test_loading_in_eight_bits_says_nothing(dolly_directory):
    """In a process of its own, for torchao speaks when it is imported."""
    code = (
        "import sys; from pathlib import Path\n"
        "from rag_dolly.generate.checkpoint import *\n"
        "directory = Path(sys.argv[1]); plan = plan_load(directory, Choice('cpu', 'float32', ''), quantize='8bit')\n"
        "model = load_weights(directory, plan.choice, plan.bits); print(plan.line.split(';')[0])"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(dolly_directory)], capture_output=True, text=True)
    assert ran.stderr == ""
    assert ran.stdout.startswith("tiny-dolly in 8-bit: 0 MB of weights + 0 MB of cache at 256 tokens, of ")


@pytest.fixture
def wide(tmp_path):
    """A GPT-NeoX whose rows are whole groups of 128."""
    sizes = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 1, "num_attention_heads": 4}
    transformers.GPTNeoXForCausalLM(transformers.GPTNeoXConfig(vocab_size=60, **sizes)).save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
def test_a_failed_conversion_is_told_with_its_cause(wide):
    """The 4-bit layout asks for a GPU while it converts; transformers only logs that."""
    with pytest.raises(ModelNotFound, match=r"cannot be loaded: .*(CUDA|NVIDIA)"):
        load_weights(wide, Choice("cpu", "bfloat16", "test"), bits=4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_four_bits_load_and_answer_on_a_gpu(wide):
    model = load_weights(wide, choose("cuda"), bits=4)
    assert quantized.bits_of(model) == 4
    whole = load_weights(wide, choose("cuda"))
    ids = IDS.to(model.device)
    assert torch.allclose(model(ids).logits, whole(ids).logits, atol=0.1)
    assert not torch.equal(model(ids).logits, whole(ids).logits)


def test_a_checkpoint_that_is_quantised_already_is_not_quantised_again(dolly_directory, tmp_path):
    copy = shutil.copytree(dolly_directory, tmp_path / "copy")
    edit_json(copy / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    with pytest.raises(BadSetting, match="quantised already"):
        plan_load(copy, FLOAT32, quantize="8bit")


def test_a_plan_is_made_without_loading(dolly_directory):
    found = plan_load(dolly_directory, choose("cpu"), name="a name")
    assert (found.device, found.dtype, found.bits) == ("cpu", choose("cpu").dtype, None)
    assert found.line.startswith("a name in ")


def test_a_model_of_unknown_size_is_loaded_as_it_is_or_not_at_all(dolly_directory, tmp_path):
    copy = shutil.copytree(dolly_directory, tmp_path / "copy")
    edit_json(copy / "config.json", hidden_size=None)
    assert plan_load(copy, FLOAT32).line.endswith("its files do not tell its size")
    with pytest.raises(BadSetting, match="do not tell its size"):
        plan_load(copy, FLOAT32, quantize="8bit")


def test_four_bits_are_refused_on_a_processor(dolly_directory):
    with pytest.raises(BadSetting, match="4-bit runs on NVIDIA GPUs"):
        plan_load(dolly_directory, FLOAT32, quantize="4bit")


def test_a_model_that_main_memory_cannot_hold_is_refused_before_it_is_loaded(dolly_directory, tmp_path):
    copy = shutil.copytree(dolly_directory, tmp_path / "huge")
    edit_json(copy / "config.json", num_hidden_layers=400_000, hidden_size=8192, intermediate_size=32768)
    with pytest.raises(OutOfMemory, match=r"model 'huge' needs \d+\.\d GB in float32 .* free on this machine"):
        plan_load(copy, FLOAT32)


def test_out_of_memory_of_a_loaded_model_says_what_is_needed(dolly_directory):
    line = str(out_of_memory("a name", load_weights(dolly_directory, FLOAT32)))
    assert line.startswith("model 'a name' needs 30") and "in float32" in line
    assert "\n" not in line
    assert "--quantize 8bit" in str(out_of_memory("a name"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_the_many_ways_to_run_out_of_memory_are_known(error, expected):
    assert is_out_of_memory(error) is expected


def test_real_want_of_memory_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 55)
    assert is_out_of_memory(caught.value)


def test_main_memory_is_what_the_system_has():
    found = main_memory("float32")
    assert 0 < found.free < 1 << 50
    assert rooms(FLOAT32) == [Room("cpu", "this machine", pytest.approx(found.free, rel=0.5), "float32")]


def test_the_limit_of_a_container_counts(tmp_path):
    assert container_limit(tmp_path) is None
    for name, text in {
        "memory.max": "4000\n",
        "memory.current": "3000\n",
        "memory.stat": "anon 1\ninactive_file 500\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert container_limit(tmp_path) == 1500
    (tmp_path / "memory.max").write_text("max\n")
    assert container_limit(tmp_path) is None


def _plain(weight):
    return weight.dequantize() if hasattr(weight, "qdata") else weight


def _parts(weight):
    return [weight.qdata, weight.scale, weight.zero_point] if hasattr(weight, "qdata") else [weight]


def test_a_real_chat_model_loads_in_eight_bits(tmp_path):
    """A Llama with grouped heads and a tied head: the head is the embedding, so it stays as it is."""
    build_llama(120, hidden_size=64, intermediate_size=96, tie_word_embeddings=True).save_pretrained(tmp_path)
    model = load_weights(tmp_path, FLOAT32, bits=8)
    assert not hasattr(model.lm_head.weight, "qdata")
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert hasattr(model.model.layers[0].mlp.up_proj.weight, "qdata")
    assert model(IDS).logits.isfinite().all()
