"""Which model `auto` takes, what doctor says of each Dolly, and the settings for format and memory."""

import re

import pytest
import torch

from rag_dolly import assemble, doctor
from rag_dolly.errors import BadSetting
from rag_dolly.generate import bundled
from rag_dolly.generate.local import LocalPipeline
from rag_dolly.settings import load_settings


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
def test_without_a_gpu_auto_takes_the_bundled_model_or_none():
    choice = assemble.choose_model(load_settings())
    if bundled.find():
        assert (choice.name, choice.reason) == (str(bundled.find()), "the bundled small model; no CUDA device")
    else:
        assert choice.name == "none" and "no CUDA device" in choice.reason


def test_a_named_model_is_taken_as_it_is():
    assert assemble.choose_model(load_settings(model="databricks/dolly-v2-12b")).name == "databricks/dolly-v2-12b"


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
def test_doctor_says_of_each_dolly_what_it_takes_and_whether_it_fits(tmp_path):
    found = doctor.examine(load_settings(index=tmp_path / "no-index", device="cpu"))
    for name, size in {"12b": (23.7, 47.4), "7b": (13.7, 27.4), "3b": (5.6, 11.1)}.items():
        line = found["models"][f"databricks/dolly-v2-{name}"]
        assert re.match(r"(not )?on this machine; ", line)
        assert any(f"{gigabytes} GB of weights" in line for gigabytes in size)
        assert re.search(r"; (fits in (bfloat16|float32): needs|does not fit: needs) ", line)
        assert "free on this machine" in line and "MIT" in line
    assert "torchao" in found["versions"]


def test_doctor_with_a_device_that_is_not_there_says_so_once(tmp_path):
    found = doctor.examine(load_settings(index=tmp_path / "no-index", model="none", device="cuda:77"))
    assert len([line for line in found["problems"] if "cuda:77" in line]) == 1


def test_settings_for_format_and_memory():
    assert (load_settings().quantize, load_settings().offload) == ("auto", False)
    assert load_settings(quantize="4bit", offload=True).quantize == "4bit"
    with pytest.raises(BadSetting, match="'quantize' is '3bit'"):
        load_settings(quantize="3bit")


def test_the_line_on_memory_is_told_and_the_format_is_used(dolly_directory):
    told: list[str] = []
    pipeline = LocalPipeline.load(str(dolly_directory), device="cpu", quantize="none", on_message=told.append)
    assert re.fullmatch(r"Memory: tiny-dolly in (bfloat16|float32): 0 MB of weights .* free on this machine", told[-1])
    assert pipeline.format == "dolly"
    with pytest.raises(BadSetting, match="4-bit runs on NVIDIA GPUs"):
        LocalPipeline.load(str(dolly_directory), device="cpu", quantize="4bit")
