"""What a language model takes: parameters, bytes of weights and of key-value cache, by its config.json alone.

Exact for GPT-NeoX (Dolly, Pythia) and for models built like Llama; any other model is judged by the size of its weight
files. Pure functions; nothing is loaded and no library imported. All sizes are in bytes, and a GB is 10^9 of them.
Sliding windows are not counted on: their cache is taken for a full one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ITEM_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
CACHE_TOKENS = 8192
"""Cache is planned for the model's window, but for no more tokens than this: no prompt of ours is longer."""

_LLAMA_LIKE = {"llama", "mistral", "qwen2", "qwen3", "smollm3", "granite", "gemma", "phi3"}
_TIED = {"gemma", "smollm3"}  # where config.json does not say
_FIXED = {"cpu": 300_000_000, "cuda": 800_000_000, "mps": 800_000_000}
"""What the libraries take besides, by kind of device. On a GPU: kernels, loaded when first used (up to 0.4 GB), the
workspaces of cuBLAS and attention (0.1 GB), the pools of captured graphs, and pieces that the allocator cannot fill."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """The shape of a model as far as memory goes."""

    linears: tuple[tuple[int, int, int], ...]
    """(outputs, inputs, how many) of the matrices in the layers; these are what 8-bit and 4-bit reach."""
    kept: int
    """Parameters that always stay in the model's own format: embeddings, output head, biases, norms."""
    cache: int
    """Numbers that one token adds to the key-value cache."""
    width: int
    """Numbers that one token of the prompt takes while a layer computes, at most."""
    layers: int
    window: int
    packed: int | None = None
    """Bytes of the weights if the checkpoint is quantised already; then nothing else can be made of it."""

    @property
    def parameters(self) -> int:
        """How many numbers the model has learned; a table that is used twice counts once."""
        return self.kept + sum(rows * columns * count for rows, columns, count in self.linears)

    @property
    def tokens(self) -> int:
        """How many tokens of cache are planned for."""
        return min(self.window, CACHE_TOKENS)

    def weights(self, dtype: str, bits: int | None = None) -> int:
        """Return the bytes of the weights, with the linear layers in `bits` (8 or 4) if given."""
        if self.packed is not None:
            return self.packed
        item = ITEM_BYTES[dtype]
        if bits is None:
            return self.parameters * item
        packed = _int8 if bits == 8 else _int4
        return self.kept * item + sum(packed(rows, columns, item) * count for rows, columns, count in self.linears)

    def cached(self, dtype: str, tokens: int | None = None) -> int:
        """Return the bytes of the key-value cache of one sequence of `tokens`, by default all that are planned for."""
        return self.cache * ITEM_BYTES[dtype] * (self.tokens if tokens is None else tokens)

    def working(self, kind: str, dtype: str, bits: int | None = None, tokens: int | None = None) -> int:
        """Return what must stay free beside weights and cache on a device of this kind (cpu, cuda, mps).

        That is what the libraries take, what a prompt of `tokens` takes while a layer reads it, and for quantised
        layers the largest matrix unpacked, twice: the next is unpacked, or read from the file, beside it.
        """
        item = ITEM_BYTES[dtype]
        largest = max((rows * columns for rows, columns, _ in self.linears), default=0)
        unpacked = 2 * largest * item if bits else 0
        return _FIXED[kind] + self.width * item * (self.tokens if tokens is None else tokens) + unpacked


def parameters_in_words(count: int) -> str:
    """Return a number of parameters as a model is described by it: "2.8 B parameters", "134.5 M parameters"."""
    return f"{count / 1e9:.1f} B parameters" if count >= 1e9 else f"{count / 1e6:.1f} M parameters"


def footprint(config: Mapping[str, Any], file_bytes: int = 0) -> Footprint | None:
    """Return what the model of this config.json takes; None if neither the config nor the size of its files says.

    `file_bytes` is the size of all weight files, used for models that are not built like GPT-NeoX or Llama.
    """
    text = config.get("text_config") or config
    kind = text.get("model_type") or config.get("model_type")
    packed = file_bytes if config.get("quantization_config") and file_bytes else None
    try:
        if kind == "gpt_neox":
            return neox(text, packed)
        if kind in _LLAMA_LIKE:
            return _llama(kind, text, packed)
        return _by_files(config, text, file_bytes, packed) if file_bytes else None
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def read_footprint(directory: Path) -> Footprint | None:
    """Return what the model saved in `directory` takes; None if its files do not say."""
    try:
        config = json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    found: list[Path] = []
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        found = found or list(directory.glob(pattern))
    return footprint(config, sum(path.stat().st_size for path in found)) if isinstance(config, dict) else None


def neox(config: Mapping[str, Any], packed: int | None = None) -> Footprint:
    """Return what a GPT-NeoX takes: Dolly and Pythia are built so. Raises `KeyError` if the config lacks a size."""
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    tables = (1 if config.get("tie_word_embeddings") else 2) * config["vocab_size"] * hidden
    biases = 4 * hidden if config.get("attention_bias", True) else 0
    return Footprint(
        linears=(
            (3 * hidden, hidden, layers),
            (hidden, hidden, layers),
            (inner, hidden, layers),
            (hidden, inner, layers),
        ),
        kept=tables + layers * (biases + inner + hidden + 4 * hidden) + 2 * hidden,
        cache=2 * layers * hidden,
        width=3 * inner + 8 * hidden,
        layers=layers,
        window=config.get("max_position_embeddings", 2048),
        packed=packed,
    )


def _llama(kind: str, config: Mapping[str, Any], packed: int | None) -> Footprint:
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = config["num_attention_heads"] * head
    keys = (config.get("num_key_value_heads") or config["num_attention_heads"]) * head
    biases = queries + 2 * keys if kind == "qwen2" or config.get("attention_bias") else 0
    biases += hidden if config.get("attention_bias") else 0
    biases += 2 * inner + hidden if config.get("mlp_bias") else 0
    norms = 2 * hidden + (2 * head if kind == "qwen3" else 0)
    tied = config.get("tie_word_embeddings", kind in _TIED)
    return Footprint(
        linears=(
            (queries, hidden, layers),
            (keys, hidden, 2 * layers),
            (hidden, queries, layers),
            (inner, hidden, 2 * layers),
            (hidden, inner, layers),
        ),
        kept=(1 if tied else 2) * config["vocab_size"] * hidden + layers * (norms + biases) + hidden,
        cache=2 * layers * keys,
        width=3 * inner + 8 * hidden,
        layers=layers,
        window=config.get("max_position_embeddings", 2048),
        packed=packed,
    )


def _by_files(config: Mapping[str, Any], text: Mapping[str, Any], file_bytes: int, packed: int | None) -> Footprint:
    """Judge a model by its files: everything but two tables of the vocabulary is taken for linear layers."""
    dtype = text.get("dtype") or config.get("dtype") or text.get("torch_dtype") or config.get("torch_dtype")
    total = file_bytes // ITEM_BYTES.get(str(dtype), 2)
    hidden, layers = text["hidden_size"], text["num_hidden_layers"]
    heads = text.get("num_attention_heads") or 1
    keys = (text.get("num_key_value_heads") or heads) * (text.get("head_dim") or hidden // heads)
    tables = min(2 * text.get("vocab_size", 0) * hidden, total)
    return Footprint(
        linears=((hidden, (total - tables) // (hidden * layers), layers),),
        kept=tables,
        cache=2 * layers * keys,
        width=20 * hidden,
        layers=layers,
        window=text.get("max_position_embeddings", 2048),
        packed=packed,
    )


def _int8(rows: int, columns: int, _: int) -> int:
    """A byte for each weight, and for each row a float32 scale and a byte for the zero point."""
    return rows * columns + 5 * rows


def _int4(rows: int, columns: int, item: int) -> int:
    """Half a byte for each weight and 4 bytes for each group of 128; rows are filled up to 1,024 weights.

    A matrix whose rows are not whole groups stays as it is.
    """
    if columns % 128:
        return rows * columns * item
    columns, rows = -(-columns // 1024) * 1024, -(-rows // 8) * 8
    return rows * columns // 2 + rows * columns // 128 * 4


def _dolly(hidden: int, layers: int) -> Footprint:
    shape = {"hidden_size": hidden, "intermediate_size": 4 * hidden, "num_hidden_layers": layers}
    return neox({**shape, "vocab_size": 50280, "max_position_embeddings": 2048})


DOLLY = {
    "databricks/dolly-v2-12b": _dolly(5120, 36),
    "databricks/dolly-v2-7b": _dolly(4096, 32),
    "databricks/dolly-v2-3b": _dolly(2560, 32),
}
"""The Dolly models, largest first, by their published configurations."""
