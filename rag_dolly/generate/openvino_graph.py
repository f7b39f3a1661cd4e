"""A decoder's forward pass as an OpenVINO model, built operation by operation from the weights of a checkpoint.

Two families: GPT-NeoX (Dolly, Pythia) and Llama (SmolLM2 and its relatives). The graph has the inputs and states that
OpenVINO GenAI expects of a language model: token ids, attention mask, positions and beam index in, logits out, keys
and values as variables. Matrices are stored as 8-bit integers with one scale for each output (weight-only: a product
is computed in the processor's own format), or as they are, in float32, for exactness.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from openvino import Model, Node

Tensor = Callable[[str], NDArray[np.float32]]
"""From a weight's name to its values."""
HEAD = "head"
"""The name that `Tensor` has for the matrix from the last layer to the logits; releases call it differently."""


def supported(config: Mapping[str, Any]) -> bool:
    """Tell whether the model that a config.json describes can be built here."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rope.get("rope_type", "default") != "default" or config.get("quantization_config"):
        return False
    if config.get("model_type") == "gpt_neox":
        return config.get("hidden_act") == "gelu" and config.get("attention_bias", True) is True
    plain = not config.get("attention_bias") and not config.get("mlp_bias")
    return config.get("model_type") == "llama" and plain and config.get("hidden_act") == "silu"


def write(path: Path, config: Mapping[str, Any], tensor: Tensor, *, exact: bool = False) -> None:
    """Write the model as `path` (.xml) and its weights beside it (.bin); `exact` keeps them in float32."""
    import openvino

    model = _graph(config, tensor, exact).build()
    openvino.save_model(model, path, compress_to_fp16=False)


def _graph(config: Mapping[str, Any], tensor: Tensor, exact: bool) -> "_Graph":
    return (_NeoX if config["model_type"] == "gpt_neox" else _Llama)(config, tensor, exact)


class _Graph:
    """What both families share: inputs, rotation, attention with its state, matrices."""

    def __init__(self, config: Mapping[str, Any], tensor: Tensor, exact: bool) -> None:
        from openvino import opset13

        self.op = opset13
        self.config, self.tensor, self.exact = config, tensor, exact
        self.heads = int(config["num_attention_heads"])
        self.groups = int(config.get("num_key_value_heads") or self.heads)
        self.size = int(config.get("head_dim") or config["hidden_size"] // self.heads)
        self.sinks: list[Any] = []

    def build(self) -> "Model":
        from openvino import Model, Type

        op = self.op
        names = ("input_ids", "attention_mask", "position_ids")
        inputs = [op.parameter([-1, -1], Type.i64, name=name) for name in names]
        self.beam = op.parameter([-1], Type.i32, name="beam_idx")
        for node, name in zip([*inputs, self.beam], [*names, "beam_idx"], strict=True):
            node.output(0).set_names({name})
        ids, _, self.places = inputs
        self.rows = op.gather(op.shape_of(ids), self._whole([0]), self._whole(0))
        self.cosine, self.sine = self._angles()
        logits = op.result(self._logits(ids))
        logits.output(0).set_names({"logits"})
        return Model([logits], self.sinks, [*inputs, self.beam], str(self.config["model_type"]))

    def _logits(self, ids: "Node") -> "Node":
        raise NotImplementedError

    def _angles(self) -> tuple["Node", "Node"]:
        """Return cosine and sine of each position's angles, shape (rows, 1, places, rotated size)."""
        op = self.op
        rope = self.config.get("rope_parameters") or self.config
        base = float(rope.get("rope_theta") or self.config.get("rotary_emb_base") or 10_000)
        share = rope.get("partial_rotary_factor") or self.config.get("rotary_pct") or 1.0
        self.rotated = int(self.size * float(share))
        turns = (1 / base ** (np.arange(0, self.rotated, 2, dtype=np.float32) / np.float32(self.rotated))).reshape(
            1, 1, -1
        )
        places = op.convert(op.unsqueeze(self.places, self._whole(2)), "f32")
        angles = op.multiply(places, self._constant(turns.astype(np.float32)))
        both = op.unsqueeze(op.concat([angles, angles], 2), self._whole(1))
        return op.cos(both), op.sin(both)

    def _rotate(self, heads: "Node") -> "Node":
        """Rotate the first `rotated` numbers of each head (rows, heads, places, size); the others pass."""
        op, half = self.op, self.rotated // 2
        turning = self._slice(heads, 0, self.rotated) if self.rotated < self.size else heads
        swapped = [op.multiply(self._slice(turning, half, self.rotated), self._constant(np.float32(-1)))]
        swapped.append(self._slice(turning, 0, half))
        turned = op.add(op.multiply(turning, self.cosine), op.multiply(op.concat(swapped, 3), self.sine))
        return (
            op.concat([turned, self._slice(heads, self.rotated, self.size)], 3) if self.rotated < self.size else turned
        )

    def _attend(self, layer: int, query: "Node", key: "Node", value: "Node") -> "Node":
        """Attend over all places so far; in (rows, heads, places, size), out (rows, places, heads * size)."""
        op = self.op
        key, value = self._kept(layer, "key", self._rotate(key)), self._kept(layer, "value", value)
        found = op.scaled_dot_product_attention(
            self._rotate(query), self._repeated(key), self._repeated(value), self._mask(key)
        )
        joined = op.transpose(found, self._whole([0, 2, 1, 3]))
        return op.reshape(joined, self._whole([0, 0, self.heads * self.size]), special_zero=True)

    def _kept(self, layer: int, what: str, fresh: "Node") -> "Node":
        """Return the keys or values of all places: those of the state, then the fresh ones; the state keeps both."""
        from openvino import PartialShape, Type
        from openvino.op.util import Variable, VariableInfo

        op = self.op
        info = VariableInfo()
        info.data_shape = PartialShape([-1, self.groups, -1, self.size])
        info.data_type = Type.f32
        info.variable_id = f"past_key_values.{layer}.{what}present.{layer}.{what}"
        variable = Variable(info)
        shape = op.concat([self.rows, self._whole([self.groups, 0, self.size])], 0)
        before = op.read_value(op.broadcast(self._constant(np.float32(0)), shape), variable)
        chosen = op.gather(before, self.beam, self._whole(0))
        every = op.concat([chosen, fresh], 2)
        self.sinks.append(op.assign(every, variable))
        return every

    def _repeated(self, heads: "Node") -> "Node":
        """Repeat each key or value head for the query heads that share it."""
        op, times = self.op, self.heads // self.groups
        if times == 1:
            return heads
        shape = op.concat([self.rows, self._whole([self.groups, times, 1, self.size])], 0)
        many = op.broadcast(op.unsqueeze(heads, self._whole(2)), shape, "BIDIRECTIONAL")
        return op.reshape(many, self._whole([0, self.heads, -1, self.size]), special_zero=True)

    def _mask(self, keys: "Node") -> "Node":
        """Return what keeps each place from seeing later ones, shape (rows, 1, places, places so far)."""
        op = self.op
        count = op.gather(op.shape_of(keys), self._whole(2), self._whole(0))
        every = op.range(self._whole(0), count, self._whole(1), "i64")
        later = op.greater(every, op.unsqueeze(self.places, self._whole(2)))
        hidden, seen = self._constant(np.float32(-65504)), self._constant(np.float32(0))
        return op.unsqueeze(op.select(later, hidden, seen), self._whole(1))

    def _split(self, hidden: "Node", heads: int) -> "Node":
        shaped = self.op.reshape(hidden, self._whole([0, 0, heads, self.size]), special_zero=True)
        return self.op.transpose(shaped, self._whole([0, 2, 1, 3]))

    def _dense(self, hidden: "Node", matrix: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> "Node":
        product = self.op.matmul(hidden, self._matrix(matrix), False, True)
        return product if bias is None else self.op.add(product, self._constant(bias))

    def _matrix(self, values: NDArray[np.float32]) -> "Node":
        """Return a matrix (out, in) as a node: exact, or as 8-bit integers with a scale for each row."""
        if self.exact:
            return self._constant(values)
        op = self.op
        scale = np.maximum(np.abs(values).max(1, keepdims=True), 1e-8).astype(np.float32) / 127
        whole = op.convert(op.constant(np.rint(values / scale).astype(np.int8)), "f16")
        return op.convert(op.multiply(whole, op.constant(scale.astype(np.float16))), "f32")

    def _constant(self, values: Any) -> "Node":
        return self.op.constant(np.asarray(values, dtype=np.float32))

    def _whole(self, values: Any) -> "Node":
        return self.op.constant(np.asarray(values, dtype=np.int64))

    def _slice(self, heads: "Node", start: int, end: int) -> "Node":
        bounds = [self._whole([number]) for number in (start, end, 1, 3)]
        return self.op.slice(heads, *bounds)


class _Llama(_Graph):
    def _logits(self, ids: "Node") -> "Node":
        words = self._matrix(self.tensor("model.embed_tokens.weight"))
        hidden = self.op.gather(words, ids, self._whole(0))
        for layer in range(self.config["num_hidden_layers"]):
            hidden = self._layer(hidden, layer)
        hidden = self._norm(hidden, "model.norm.weight")
        if self.config.get("tie_word_embeddings"):
            return self.op.matmul(hidden, words, False, True)
        return self._dense(hidden, self.tensor(HEAD))

    def _layer(self, hidden: "Node", layer: int) -> "Node":
        op, name = self.op, f"model.layers.{layer}."

        def dense(what: str, given: "Node") -> "Node":
            return self._dense(given, self.tensor(f"{name}{what}_proj.weight"))

        given = self._norm(hidden, name + "input_layernorm.weight")
        parts = [("q", self.heads), ("k", self.groups), ("v", self.groups)]
        query, key, value = (self._split(dense(f"self_attn.{part}", given), heads) for part, heads in parts)
        hidden = op.add(hidden, dense("self_attn.o", self._attend(layer, query, key, value)))
        given = self._norm(hidden, name + "post_attention_layernorm.weight")
        gate = op.multiply(op.swish(dense("mlp.gate", given)), dense("mlp.up", given))
        return op.add(hidden, dense("mlp.down", gate))

    def _norm(self, hidden: "Node", name: str) -> "Node":
        op = self.op
        mean = op.reduce_mean(op.power(hidden, self._constant([[[2.0]]])), self._whole([-1]), True)
        root = op.sqrt(op.add(mean, self._constant([[[self.config["rms_norm_eps"]]]])))
        scaled = op.multiply(op.divide(self._constant([[[1.0]]]), root), hidden)
        return op.multiply(scaled, self._constant(self.tensor(name).reshape(1, 1, -1)))


class _NeoX(_Graph):
    def _logits(self, ids: "Node") -> "Node":
        hidden = self.op.gather(self._matrix(self.tensor("gpt_neox.embed_in.weight")), ids, self._whole(0))
        for layer in range(self.config["num_hidden_layers"]):
            hidden = self._layer(hidden, layer)
        hidden = self._norm(hidden, "gpt_neox.final_layer_norm")
        return self._dense(hidden, self.tensor(HEAD))

    def _layer(self, hidden: "Node", layer: int) -> "Node":
        op, name = self.op, f"gpt_neox.layers.{layer}."
        attended = self._attention(self._norm(hidden, name + "input_layernorm"), layer, name + "attention.")
        is_parallel = self.config.get("use_parallel_residual", True)
        between = hidden if is_parallel else op.add(hidden, attended)
        inner = self._linear(self._norm(between, name + "post_attention_layernorm"), name + "mlp.dense_h_to_4h")
        outer = self._linear(op.gelu(inner, "erf"), name + "mlp.dense_4h_to_h")
        return op.add(op.add(outer, attended), hidden) if is_parallel else op.add(outer, between)

    def _attention(self, given: "Node", layer: int, name: str) -> "Node":
        """Query, key and value of a head lie side by side in the checkpoint; here each kind has a matrix."""
        matrix = self.tensor(name + "query_key_value.weight").reshape(self.heads, 3, self.size, -1)
        bias = self.tensor(name + "query_key_value.bias").reshape(self.heads, 3, self.size)
        width = self.heads * self.size
        parts = [
            self._split(self._dense(given, matrix[:, n].reshape(width, -1), bias[:, n].reshape(-1)), self.heads)
            for n in range(3)
        ]
        return self._linear(self._attend(layer, *parts), name + "dense")

    def _linear(self, given: "Node", name: str) -> "Node":
        return self._dense(given, self.tensor(name + ".weight"), self.tensor(name + ".bias"))

    def _norm(self, hidden: "Node", name: str) -> "Node":
        op = self.op
        centred = op.mvn(hidden, self._whole([-1]), True, float(self.config["layer_norm_eps"]), "INSIDE_SQRT")
        return op.add(
            op.multiply(centred, self._constant(self.tensor(name + ".weight"))),
            self._constant(self.tensor(name + ".bias")),
        )
