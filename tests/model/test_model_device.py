"""The device is what was asked for, or an error that says what there is."""

import pytest
import torch

from rag_dolly.errors import BadSetting
from rag_dolly.generate.device import choose


def test_processor_gets_bfloat16_only_if_it_computes_in_it():
    choice = choose("cpu")
    assert choice.device == "cpu"
    assert choice.dtype == ("bfloat16" if "bf16" in choice.reason else "float32")


def test_auto_and_none_agree():
    assert choose(None) == choose("auto") == choose(" AUTO ")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", "cpu:0", "mps:0", "tpu"])
def test_unknown_names_are_refused(name):
    with pytest.raises(BadSetting):
        choose(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
def test_absent_cuda_is_refused_not_replaced():
    with pytest.raises(BadSetting, match="sees 0 CUDA"):
        choose("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_is_taken_first():
    assert choose().device == "cuda"
    assert choose().dtype in ("bfloat16", "float16")
