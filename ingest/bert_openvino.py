"""A BERT forward pass in OpenVINO: many passages, the questions of a process that stays, and the vectors of tokens.

It runs what `BertEncoder` of bert.py can load (all-MiniLM-L6-v2 and its relatives) from the same tensors, in bf16
where the processor computes in bf16 and in fp32 elsewhere; vectors agree with sentence-transformers in fp32 to a
cosine of 0.9999 (tested: 0.9995, and 0.99999 in fp32). int8 would be 1.4 times as fast, but agrees only to 0.99.

The graph is built here, operation by operation: no model is converted, exported or cached on disk. Importing OpenVINO
sends a usage event over the network unless its telemetry package is missing, so in this process it is made missing.
OpenVINO is a dependency on x86-64 only, where it was measured; without it `load` returns None and
sentence-transformers embeds.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest.bert import Array, BertEncoder, unit

if TYPE_CHECKING:
    from openvino import Model, Node, Output

BATCH_TOKENS = 512
"""Tokens in one batch, padding included. Small enough that the activations stay in the processor's cache."""
WINDOW = 2048
"""Texts that are tokenized and sorted together: a longer list is embedded window by window."""
STEP = 8
"""Widths are multiples of this, so that few different shapes occur."""
HIDDEN = np.float32(-65504)
"""Added to the attention score of padding: far below any score, and finite in every number format."""
SUMS, STATES = 0, 1
"""The outputs of the graph."""


class BertEngine:
    """Embeds any number of texts; one is made per model and process, and threads may share it."""

    def __init__(self, encoder: BertEncoder, openvino: Any, hint: str) -> None:
        self._encoder = encoder
        core = openvino.Core()
        precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": hint}
        self._compiled = core.compile_model(_Graph(encoder).build(), "CPU", options)
        self._streams = self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._idle: deque[Any] = deque()  # requests; a new one has its memory to get at its first batch

    def embed(self, texts: Sequence[str]) -> Array:
        """Return one row of float32, length 1, for each text, in order.

        Tokens beyond the model's limit are not read. Beside the result, memory holds the tokens of `WINDOW` texts
        and the activations of one batch per stream.
        """
        vectors = np.empty((len(texts), len(self._encoder.tensors["embeddings.LayerNorm.bias"])), dtype=np.float32)
        for start in range(0, len(texts), WINDOW):
            part = vectors[start : start + WINDOW]
            for rows, request in self._run(self._encoder.token_ids(texts[start : start + WINDOW])):
                part[rows] = request.get_output_tensor(SUMS).data
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def begin(self, text: str) -> Callable[[], Array]:
        """Begin to embed one text, and return what waits for its vector, shape (dimension,)."""
        ids, request = self._encoder.token_ids([text]), self._request()
        _start(request, _pad(ids, _width(len(ids[0]))))

        def wait() -> Array:
            request.wait()
            vector: Array = unit(request.get_output_tensor(SUMS).data)[0]
            self._idle.append(request)
            return vector

        return wait

    def token_vectors(self, texts: Sequence[str]) -> list[Array]:
        """Return for each text the last layer at its tokens, special ones included: rows of float32, length 1."""
        return [unit(states) for states in self.states(self._encoder.token_ids(texts))]

    def states(self, ids: list[list[int]]) -> list[Array]:
        """Return for each sequence of tokens the last layer, shape (tokens, dimension)."""
        found: dict[int, Array] = {}
        for rows, request in self._run(ids):
            for row, states in zip(rows, request.get_output_tensor(STATES).data, strict=True):
                found[row] = states[: len(ids[row])].copy()
        return [found[row] for row in range(len(ids))]

    def _run(self, ids: list[list[int]]) -> Iterator[tuple[list[int], Any]]:
        """Yield the rows of each batch and the request that is done with it, whose outputs hold until the next.

        Requests take turns. None has a callback in Python: one that is still at its end while the model goes away
        waits for the interpreter, which waits for it.
        """
        free: list[Any] = []
        running: deque[tuple[list[int], Any]] = deque()
        for rows, width in _batches([len(sequence) for sequence in ids]):
            if len(running) == self._streams:
                running[0][1].wait()
                yield running[0]
                free.append(running.popleft()[1])
            request = free.pop() if free else self._request()
            _start(request, _pad([ids[row] for row in rows], width))
            running.append((rows, request))
        while running:
            running[0][1].wait()
            yield running[0]
            self._idle.append(running.popleft()[1])
        self._idle.extend(free)

    def _request(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return self._compiled.create_infer_request()


def load(encoder: BertEncoder, hint: str = "THROUGHPUT") -> BertEngine | None:
    """Return an engine for the model that `encoder` has read, or None where OpenVINO is not installed.

    With the hint "THROUGHPUT" batches are embedded side by side, with "LATENCY" one as fast as can be.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # see above: no event is sent
    try:
        import openvino
    except (ImportError, OSError):
        return None
    return BertEngine(encoder, openvino, hint)


def _start(request: Any, inputs: Sequence[NDArray[Any]]) -> None:
    """Write arrays into a request's own memory and start it: a quarter of the time that `start_async(arrays)` takes."""
    for place, array in enumerate(inputs):
        tensor = request.get_input_tensor(place)
        tensor.shape = array.shape
        tensor.data[...] = array
    request.start_async()


def _batches(lengths: list[int]) -> Iterator[tuple[list[int], int]]:
    """Yield (rows, width) of batches of like length, longest first."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(order):
        width = _width(lengths[order[start]])
        end = start + max(1, BATCH_TOKENS // width)
        yield order[start:end], width
        start = end


def _width(length: int) -> int:
    return -(-length // STEP) * STEP


def _pad(sequences: list[list[int]], width: int) -> list[NDArray[Any]]:
    """Return the graph's inputs, in its order: what it would take a node each to work out, numpy does at once."""
    ids = np.zeros((len(sequences), width), dtype=np.int32)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence)] = sequence
    places = np.arange(width, dtype=np.int32)
    padding = places >= np.array([[len(sequence)] for sequence in sequences], dtype=np.int32)
    return [ids, places, (padding * HIDDEN)[:, None, None], (~padding).astype(np.float32)[:, :, None]]


class _Graph:
    """The forward pass as an OpenVINO model, from token ids to the last layer: its sum over each text's tokens, and it.

    Its inputs: token ids (text, place), places (place,), what padding adds to attention scores (text, 1, 1, place), and
    1 for a token or 0 for padding (text, place, 1). Its outputs: `SUMS` (text, dimension), whose direction is that of
    the mean, and `STATES` (text, place, dimension), of which the places of padding mean nothing.
    """

    def __init__(self, encoder: BertEncoder) -> None:
        from openvino import opset13

        self.op = opset13
        self.encoder = encoder

    def build(self) -> "Model":
        from openvino import Model, Type

        op = self.op
        ids = op.parameter([-1, -1], Type.i32, name="ids")
        places = op.parameter([-1], Type.i32, name="places")
        mask = op.parameter([-1, 1, 1, -1], Type.f32, name="mask")
        real = op.parameter([-1, -1, 1], Type.f32, name="real")
        hidden = self._embeddings(ids, places)
        for layer in range(self.encoder.layers):
            hidden = self._layer(hidden, mask, f"encoder.layer.{layer}.")
        total = op.reduce_sum(op.multiply(hidden, real), self._whole(1))
        return Model([op.result(total), op.result(hidden)], [ids, places, mask, real], "bert")

    def _embeddings(self, ids: "Node", places: "Node") -> "Node":
        tensors, op = self.encoder.tensors, self.op
        first = self._whole(0)
        words = op.gather(self._constant(tensors["embeddings.word_embeddings.weight"]), ids, first)
        kind = tensors["embeddings.token_type_embeddings.weight"][0]
        table = self._constant(tensors["embeddings.position_embeddings.weight"] + kind)
        return self._norm(op.add(words, op.gather(table, places, first)), "embeddings.LayerNorm.")

    def _layer(self, hidden: "Node", mask: "Node", name: str) -> "Node":
        op = self.op
        attended = self._dense(self._attend(hidden, mask, name + "attention.self."), name + "attention.output.dense.")
        hidden = self._norm(op.add(hidden, attended), name + "attention.output.LayerNorm.")
        inner = op.gelu(self._dense(hidden, name + "intermediate.dense."), "ERF")
        return self._norm(op.add(hidden, self._dense(inner, name + "output.dense.")), name + "output.LayerNorm.")

    def _attend(self, hidden: "Node", mask: "Node", name: str) -> "Node":
        op = self.op
        together = self._dense(hidden, name + "query.", name + "key.", name + "value.")
        query, key, value = map(self._split, op.split(together, self._whole(2), 3).outputs())
        mixed = op.transpose(op.scaled_dot_product_attention(query, key, value, mask), self._whole([0, 2, 1, 3]))
        return op.reshape(mixed, self._whole([0, 0, -1]), True)

    def _split(self, array: "Output | Node") -> "Node":
        """(text, place, dimension) to (text, head, place, part of the dimension)."""
        heads = self.op.reshape(array, self._whole([0, 0, self.encoder.heads, -1]), True)
        return self.op.transpose(heads, self._whole([0, 2, 1, 3]))

    def _dense(self, array: "Node", *names: str) -> "Node":
        """One product for several layers that read the same: their results lie side by side."""
        tensors = self.encoder.tensors
        weight, bias = (np.concatenate([tensors[name + part] for name in names]) for part in ("weight", "bias"))
        return self.op.add(self.op.matmul(array, self._constant(weight), False, True), self._constant(bias))

    def _norm(self, array: "Node", name: str) -> "Node":
        even = self.op.mvn(array, self._whole([-1]), True, self.encoder.epsilon, "inside_sqrt")
        return self.op.add(self.op.multiply(even, self._tensor(name + "weight")), self._tensor(name + "bias"))

    def _tensor(self, name: str) -> "Node":
        return self._constant(self.encoder.tensors[name])

    def _constant(self, values: Any) -> "Node":
        return self.op.constant(np.ascontiguousarray(values, dtype=np.float32))

    def _whole(self, values: int | list[int]) -> "Node":
        return self.op.constant(np.array(values, dtype=np.int32))
