"""A BERT forward pass in numpy, for the first questions of a process and the few sentences of an answer.

Loading torch and sentence-transformers takes seconds, a query's forward pass milliseconds; this file makes the
first search of a process quick. It covers what all-MiniLM-L6-v2 and its many relatives are (BERT, mean pooling,
unit length, fp32 safetensors); for any other model `BertEncoder.load` returns None. Vectors agree with
sentence-transformers to a cosine of 0.99999 (tested).
"""

import json
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Array = NDArray[np.float32]
FEW_TOKENS = 96
"""Tokens up to which one thread multiplies: several spend their time on each other, the more so on a busy machine."""


class BertEncoder:
    """Embeds a few short texts at once. Weights stay in fp32, about 43 MB for MiniLM; embeddings are read by row."""

    def __init__(self, config: dict[str, Any], tensors: dict[str, Array], tokenizer: "Tokenizer", limit: int) -> None:
        self.layers = int(config["num_hidden_layers"])
        self.heads = int(config["num_attention_heads"])
        self.epsilon = float(config["layer_norm_eps"])
        self.tensors = tensors
        self.tokenizer = tokenizer
        self.limit = limit
        self._lock = threading.Lock()
        self._blas = ThreadpoolController().select(internal_api="openblas")

    @classmethod
    def load(cls, folder: Path, tokenizer: "Tokenizer") -> "BertEncoder | None":
        """Return an encoder for the model in `folder`, or None if it is not one that this file can run."""
        config = _read(folder / "config.json")
        pooling = _read(folder / "1_Pooling" / "config.json")
        weights = folder / "model.safetensors"
        plain = config.get("model_type") == "bert" and config.get("hidden_act") == "gelu"
        plain = plain and config.get("position_embedding_type", "absolute") == "absolute"
        modules = [entry["type"].rsplit(".", 1)[-1] for entry in _read(folder / "modules.json") or []]
        if not (plain and pooling.get("pooling_mode_mean_tokens") and weights.exists()):
            return None
        if modules not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
            return None
        limit = _read(folder / "sentence_bert_config.json").get("max_seq_length")
        tensors = _map_tensors(weights)
        if tensors is None or "embeddings.word_embeddings.weight" not in tensors:
            return None
        return cls(config, tensors, tokenizer, int(limit or config["max_position_embeddings"]))

    def embed(self, texts: Sequence[str]) -> Array:
        """Return one row of float32, length 1, for each text. Tokens beyond the model's limit are not read.

        The texts' tokens go through the dense layers as one long matrix, without padding.
        """
        return unit(np.stack([states.mean(axis=0) for states in self.states(self.token_ids(texts))]))

    def token_vectors(self, texts: Sequence[str]) -> list[Array]:
        """Return for each text the last layer at its tokens, special ones included: rows of float32, length 1."""
        return [unit(states) for states in self.states(self.token_ids(texts))]

    def states(self, ids: list[list[int]]) -> list[Array]:
        """Return for each sequence of tokens the last layer, shape (tokens, dimension)."""
        if sum(map(len, ids)) > FEW_TOKENS:
            return self._forward(ids)
        with self._lock, self._blas.limit(limits=1):
            return self._forward(ids)

    def _forward(self, ids: list[list[int]]) -> list[Array]:
        ends = np.cumsum([len(sequence) for sequence in ids])
        spans = [slice(end - len(sequence), end) for sequence, end in zip(ids, ends, strict=True)]
        hidden = self._embeddings(ids)
        for layer in range(self.layers):
            hidden = self._layer(hidden, spans, f"encoder.layer.{layer}.")
        return [hidden[span] for span in spans]

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text with the special ones around them, cut at the model's limit."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts)]
        return [ids if len(ids) <= self.limit else [*ids[: self.limit - 1], ids[-1]] for ids in rows]

    def _embeddings(self, ids: list[list[int]]) -> Array:
        words = self.tensors["embeddings.word_embeddings.weight"][np.concatenate(ids)]
        positions = np.concatenate([np.arange(len(sequence)) for sequence in ids])
        places = self.tensors["embeddings.position_embeddings.weight"][positions]
        kinds = self.tensors["embeddings.token_type_embeddings.weight"][0]
        return self._norm(words + places + kinds, "embeddings.LayerNorm.")

    def _layer(self, hidden: Array, spans: list[slice], name: str) -> Array:
        attended = self._dense(self._attend(hidden, spans, name + "attention.self."), name + "attention.output.dense.")
        hidden = self._norm(hidden + attended, name + "attention.output.LayerNorm.")
        inner = _gelu(self._dense(hidden, name + "intermediate.dense."))
        return self._norm(hidden + self._dense(inner, name + "output.dense."), name + "output.LayerNorm.")

    def _attend(self, hidden: Array, spans: list[slice], name: str) -> Array:
        query, key, value = (self._dense(hidden, name + part) for part in ("query.", "key.", "value."))
        return np.concatenate([self._mix(query[span], key[span], value[span]) for span in spans])

    def _mix(self, query: Array, key: Array, value: Array) -> Array:
        query, key, value = (self._split(array) for array in (query, key, value))
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1]))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed: Array = (weights @ value).transpose(1, 0, 2).reshape(query.shape[1], -1)
        return mixed

    def _split(self, array: Array) -> Array:
        return array.reshape(len(array), self.heads, -1).transpose(1, 0, 2)

    def _dense(self, array: Array, name: str) -> Array:
        product: Array = array @ self.tensors[name + "weight"].T + self.tensors[name + "bias"]
        return product

    def _norm(self, array: Array, name: str) -> Array:
        centred = array - array.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.epsilon)
        scaled: Array = centred / deviation * self.tensors[name + "weight"] + self.tensors[name + "bias"]
        return scaled


def unit(rows: Array) -> Array:
    """Return the rows scaled to length 1."""
    scaled: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def _gelu(x: Array) -> Array:
    """Exact GELU; erf by Abramowitz and Stegun 7.1.26, whose error (1.5e-7) is that of fp32 itself."""
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.full_like(t, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series *= t
        series += np.float32(coefficient)
    series *= t
    series *= np.exp(-z * z)
    erf = np.copysign(1 - series, x)
    result: Array = x * np.float32(0.5) * (1 + erf)
    return result


def _map_tensors(path: Path) -> dict[str, Array] | None:
    """Return the fp32 tensors of a safetensors file as views of the mapped file; None if they are not fp32.

    The format: 8 bytes little-endian length of a JSON header, the header, the data. Mapping the file instead of
    reading it means that only the rows of the words in the query are touched in the large embedding table.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(path.stat().st_size, 100_000_000):
            return None
        header = json.loads(file.read(length))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] == "I64":
            continue
        if entry["dtype"] != "F32":
            return None
        start, end = entry["data_offsets"]
        tensors[name.removeprefix("bert.")] = data[start:end].view(np.float32).reshape(entry["shape"])
    return tensors


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
