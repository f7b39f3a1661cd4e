"""What a model takes and where it goes, by numbers: no test here loads weights or needs the device it speaks of."""

import pytest
import torch
import transformers

from rag_dolly.errors import BadSetting, OutOfMemory
from rag_dolly.generate.device import Room
from rag_dolly.generate.footprint import CACHE_TOKENS, DOLLY, footprint, read_footprint
from rag_dolly.generate.largest_dolly import about_dolly, choose_dolly
from rag_dolly.generate.memory import explain, make_plan

BIG, MIDDLE, SMALL = DOLLY
T4 = [Room("cuda:0", "Tesla T4", 15_400_000_000, "float16")]
A10 = [Room("cuda:0", "NVIDIA A10", 22_100_000_000, "bfloat16")]
TWO_A10 = [*A10, Room("cuda:1", "NVIDIA A10", 22_100_000_000, "bfloat16")]
A100 = [Room("cuda:0", "NVIDIA A100-40GB", 42_000_000_000, "bfloat16")]
H200 = [Room("cuda:0", "NVIDIA H200", 149_000_000_000, "bfloat16")]
GB_12 = [Room("cuda:0", "GPU of 12 GB", 11_800_000_000, "bfloat16")]
GB_6 = [Room("cuda:0", "GPU of 6 GB", 5_600_000_000, "float16")]
MAIN = Room("cpu", "this machine", 64_000_000_000, "float32")


def plan(name: str, rooms: list[Room], **options):
    return make_plan(name, DOLLY[name], rooms, **options)


@pytest.mark.parametrize(
    ("name", "parameters", "whole", "eight", "cache"),
    [
        (SMALL, 2_775_086_080, 5.55, 3.0, 0.67),
        (MIDDLE, 6_856_056_832, 13.71, 7.3, 1.07),
        (BIG, 11_841_894_400, 23.68, 12.4, 1.51),
    ],
)
def test_dolly_takes_what_its_files_show(name, parameters, whole, eight, cache):
    model = DOLLY[name]
    assert model.parameters == parameters
    assert model.weights("bfloat16") / 1e9 == pytest.approx(whole, abs=0.005)
    assert model.weights("bfloat16", 8) / 1e9 == pytest.approx(eight, abs=0.06)
    assert model.cached("bfloat16") / 1e9 == pytest.approx(cache, abs=0.005)


LLAMA = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": 300,
}
GROUPED = {**LLAMA, "num_key_value_heads": 2}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("gpt_neox", LLAMA),
        ("gpt_neox", {**LLAMA, "attention_bias": False, "tie_word_embeddings": True}),
        ("llama", LLAMA),
        ("llama", {**GROUPED, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
        ("llama", {**GROUPED, "head_dim": 32}),
        ("mistral", GROUPED),
        ("qwen2", GROUPED),
        ("qwen2", {**GROUPED, "tie_word_embeddings": True}),
        ("qwen3", {**GROUPED, "head_dim": 32}),
        ("smollm3", {**GROUPED, "pad_token_id": 0, "tie_word_embeddings": True}),
        ("granite", GROUPED),
        ("gemma", {**GROUPED, "head_dim": 16}),
        ("phi3", {**GROUPED, "pad_token_id": 0}),
    ],
)
def test_parameters_and_cache_are_those_of_the_real_model(kind, options):
    """The oracle is transformers: the model is built without memory for its weights and counted."""
    with torch.device("meta"):
        config = transformers.AutoConfig.for_model(kind, **options)
        real = transformers.AutoModelForCausalLM.from_config(config)
    found = footprint({"model_type": kind, **options})
    assert found.parameters == sum(weight.numel() for weight in real.parameters())
    linear = [m for m in real.modules() if isinstance(m, torch.nn.Linear) and m is not real.get_output_embeddings()]
    assert sum(rows * columns * n for rows, columns, n in found.linears) == sum(m.weight.numel() for m in linear)
    heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    assert found.cache == 2 * config.num_hidden_layers * heads * head


def test_a_long_window_is_planned_for_up_to_a_limit():
    model = footprint({"model_type": "llama", **GROUPED, "max_position_embeddings": 131_072})
    assert model.tokens == CACHE_TOKENS
    assert model.cached("bfloat16") == 2 * 3 * 2 * 16 * 2 * CACHE_TOKENS


def test_an_unknown_model_is_judged_by_its_files(dolly_directory):
    config = {"model_type": "unheard_of", **GROUPED, "torch_dtype": "float32"}
    found = footprint(config, file_bytes=4_000_000)
    assert found.weights("float32") == pytest.approx(4_000_000, rel=0.02)
    assert found.weights("bfloat16") == pytest.approx(2_000_000, rel=0.02)
    assert footprint(config) is None
    assert read_footprint(dolly_directory).parameters > 0


def test_a_quantised_checkpoint_takes_what_its_files_take():
    config = {"model_type": "llama", **GROUPED, "quantization_config": {"quant_method": "gptq"}}
    found = footprint(config, file_bytes=123_456)
    assert found.weights("bfloat16") == found.weights("float32") == 123_456
    with pytest.raises(BadSetting, match="quantised already"):
        make_plan("m", found, A10, quantize="8bit")


@pytest.mark.parametrize(
    ("rooms", "name", "dtype", "bits"),
    [
        (H200, BIG, "bfloat16", None),
        (A100, BIG, "bfloat16", None),
        (A10, BIG, "bfloat16", 8),
        (A10, MIDDLE, "bfloat16", None),
        (T4, MIDDLE, "float16", 8),
        (T4, SMALL, "float16", None),
        (GB_12, BIG, "bfloat16", 4),
        (GB_12, MIDDLE, "bfloat16", 8),
        (GB_6, SMALL, "float16", 8),
    ],
)
def test_the_first_format_that_fits_is_taken(rooms, name, dtype, bits):
    found = plan(name, rooms)
    assert (found.device, found.dtype, found.bits, found.max_memory) == ("cuda:0", dtype, bits, None)
    assert found.need <= rooms[0].free


def test_the_line_says_what_was_chosen_and_what_it_costs():
    assert plan(BIG, A10).line == (
        "databricks/dolly-v2-12b in 8-bit: 12.4 GB of weights + 1.5 GB of cache at 2,048 tokens, of 22.1 GB free on "
        "NVIDIA A10; in bfloat16 it would need 26.4 GB"
    )


def test_the_emptiest_gpu_is_taken():
    busy = [Room("cuda:0", "NVIDIA A10", 3_000_000_000, "bfloat16"), TWO_A10[1]]
    assert plan(MIDDLE, busy).device == "cuda:1"


def test_two_gpus_share_what_one_cannot_hold():
    found = plan(BIG, TWO_A10)
    assert found.bits is None
    assert set(found.max_memory) == {"cuda:0", "cuda:1"}
    assert DOLLY[BIG].weights("bfloat16") < sum(found.max_memory.values()) < 44_200_000_000
    assert "over 2 GPUs" in found.line


def test_gpus_of_two_kinds_compute_in_what_both_have():
    mixed = [TWO_A10[0], Room("cuda:1", "Tesla T4", 15_400_000_000, "float16")]
    assert plan(BIG, mixed).dtype == "float16"


def test_a_format_that_was_asked_for_is_not_exchanged():
    assert plan(BIG, H200, quantize="8bit").bits == 8
    assert plan(BIG, H200, quantize="4bit").bits == 4
    with pytest.raises(OutOfMemory):
        plan(BIG, A10, quantize="none")


def test_what_lacks_only_working_memory_is_tried_and_said():
    found = plan(MIDDLE, T4, quantize="none")
    assert found.need > T4[0].free
    assert "little is left to work with" in found.line


@pytest.mark.parametrize("rooms", [T4, [MAIN], [Room("mps", "Apple GPU", 20_000_000_000, "float16")]])
def test_four_bits_are_refused_where_there_is_no_kernel(rooms):
    with pytest.raises(BadSetting, match="compute capability"):
        plan(SMALL, rooms, quantize="4bit")


def test_a_processor_is_never_given_fewer_bits_unasked():
    assert plan(SMALL, [MAIN]).bits is None
    assert plan(SMALL, [MAIN], quantize="8bit").bits == 8


def test_without_the_extra_the_line_to_install_it_is_given():
    with pytest.raises(OutOfMemory, match=r"--quantize 8bit \(15\.5 GB\) after pip install 'rag-dolly\[quantized\]'"):
        plan(BIG, A10, extra=False)
    with pytest.raises(BadSetting, match=r"pip install 'rag-dolly\[quantized\]'"):
        plan(BIG, A10, quantize="8bit", extra=False)


def test_out_of_memory_names_what_would_fit_and_it_does():
    with pytest.raises(OutOfMemory) as caught:
        plan(BIG, A10, quantize="none", main=MAIN)
    line = str(caught.value)
    assert "\n" not in line
    assert "needs 26.4 GB in bfloat16" in line and "22.1 GB are free on NVIDIA A10" in line
    assert "--quantize 8bit (15.5 GB), or --model databricks/dolly-v2-7b (15.9 GB), or --device cpu (51.5 GB" in line
    assert plan(BIG, A10, quantize="8bit").need < A10[0].free
    assert plan(MIDDLE, A10, quantize="none").need < A10[0].free
    assert plan(BIG, [MAIN]).need < MAIN.free


def test_only_what_fits_is_proposed():
    line = explain(BIG, DOLLY[BIG], GB_6, 8)
    assert "--model databricks/dolly-v2-3b --quantize 8bit (4.8 GB)" in line
    assert "4bit" not in line and "7b" not in line and "--device" not in line
    nothing = [Room("cuda:0", "a full GPU", 500_000_000, "bfloat16")]
    assert "close what else uses the memory" in explain(SMALL, DOLLY[SMALL], nothing, 8)


def test_while_answering_fewer_passages_are_proposed_if_they_help():
    short = [Room("cuda:0", "Tesla T4", 14_700_000_000, "float16")]
    assert "--top-k" in explain(BIG, DOLLY[BIG], short, 8, running=True)
    assert "--top-k" not in explain(BIG, DOLLY[BIG], short, 8)
    assert "--top-k" not in explain(BIG, DOLLY[BIG], GB_12, 8, running=True)  # the weights alone do not fit


def test_main_memory_helps_only_if_asked():
    gpu, main = (
        [Room("cuda:0", "GPU of 3 GB", 2_500_000_000, "float16")],
        Room("cpu", "this", 10_000_000_000, "float32"),
    )
    with pytest.raises(OutOfMemory, match="--quantize auto --offload"):
        plan(SMALL, gpu, main=main)
    assert plan(SMALL, gpu, main=main, offload=True).max_memory["cpu"] == 8_000_000_000
    found = plan(BIG, GB_6, offload=True, main=MAIN)
    assert set(found.max_memory) == {"cuda:0", "cpu"}
    assert "stay in main memory" in found.line and "slow" in found.line
    assert plan(BIG, A10, offload=True, main=MAIN).max_memory is None  # it fits in 8-bit
    with pytest.raises(OutOfMemory):
        plan(BIG, GB_6, offload=True, main=Room("cpu", "this machine", 8_000_000_000, "float32"))


@pytest.mark.parametrize(
    ("rooms", "extra", "best"),
    [
        (H200, True, BIG),
        (A100, False, BIG),
        (A10, True, BIG),
        (A10, False, MIDDLE),
        (TWO_A10, False, BIG),
        (T4, True, MIDDLE),
        (T4, False, SMALL),
        (GB_12, True, MIDDLE),  # 12b would fit in 4-bit, but 7b does in 8-bit
        (GB_6, True, SMALL),
    ],
)
def test_auto_takes_the_largest_dolly_that_fits(rooms, extra, best):
    assert choose_dolly(rooms, DOLLY, extra=extra) == (
        best,
        f"the largest Dolly on this machine that fits {_names(rooms)}",
    )


def test_auto_never_takes_what_is_not_there_and_says_what_would_fit():
    taken, why = choose_dolly(A10, [SMALL])
    assert taken == SMALL
    assert "databricks/dolly-v2-12b would fit in 8-bit but is not on this machine, name it with --model" in why
    assert choose_dolly(A10, [])[0] is None


def test_auto_without_room_for_any_dolly():
    assert choose_dolly(GB_6, DOLLY, extra=False) == (
        None,
        "no Dolly fits the 5.6 GB free on GPU of 6 GB; smaller formats need pip install 'rag-dolly[quantized]'",
    )
    assert choose_dolly(T4, [BIG])[0] is None
    assert choose_dolly(A10, DOLLY, quantize="none")[0] == MIDDLE


def test_four_bits_are_taken_only_if_nothing_else_fits():
    tiny = [Room("cuda:0", "GPU of 4 GB", 4_400_000_000, "bfloat16")]
    assert choose_dolly(tiny, DOLLY)[0] == SMALL
    assert plan(SMALL, tiny).bits == 4


def test_doctor_hears_of_each_dolly():
    assert about_dolly(BIG, A10) == (
        "23.7 GB of weights in bfloat16, 12.4 GB in 8-bit; fits in 8-bit: needs 15.5 GB of 22.1 GB free on NVIDIA A10"
    )
    assert "does not fit: needs 15.5 GB in 8-bit, 15.4 GB free on Tesla T4" in about_dolly(BIG, T4)
    assert "over 2 GPUs" in about_dolly(BIG, TWO_A10)
    processor = [Room("cpu", "this machine", 23_600_000_000, "bfloat16")]
    assert "does not fit: needs 25.9 GB in bfloat16, 23.6 GB free on this machine" in about_dolly(BIG, processor)


def _names(rooms: list[Room]) -> str:
    return " + ".join(room.name for room in rooms)
