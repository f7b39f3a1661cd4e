"""Weights in 8 or 4 bits, by torchao (the extra `quantized`), while transformers loads them.

Only the matrices of the layers are quantised, each from the published weights and without any data; numbers are still
computed with as before. 8-bit: one scale for each row; runs on every device. 4-bit: groups of 128 weights, in the
layout of torch's own kernel, which needs an NVIDIA GPU of compute capability 8.0 or newer, and bfloat16.

On SmolLM2-135M, 3,072 tokens of a handbook: loss 2.507 in float32, 2.509 in 8-bit; in 4-bit (groups of 64, for its rows
are short) 2.80 with each group rounded between its extremes and 2.66 with scales fitted by HQQ, so HQQ is used.
"""

import importlib.util
from typing import Any


def installed() -> bool:
    """Tell whether torchao is there. It is not imported."""
    return importlib.util.find_spec("torchao") is not None


def configuration(bits: int) -> Any:
    """Return what transformers is to be given as `quantization_config` for 8 or 4 bits. torchao must be installed."""
    import transformers
    from torchao import quantization

    library: Any = quantization
    if bits == 8:
        return transformers.TorchAoConfig(library.Int8WeightOnlyConfig())
    layout = {"group_size": 128, "int4_packing_format": "tile_packed_to_4d"}
    return transformers.TorchAoConfig(library.Int4WeightOnlyConfig(**layout, int4_choose_qparams_algorithm="hqq"))


def bits_of(model: Any) -> int | None:
    """Return in how many bits a loaded model was quantised by `configuration`, None if it was not."""
    config = getattr(model.config, "quantization_config", None)
    kind = type(getattr(config, "quant_type", None)).__name__
    return {"Int8WeightOnlyConfig": 8, "Int4WeightOnlyConfig": 4}.get(kind)
