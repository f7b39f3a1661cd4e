"""A model on the processor through OpenVINO GenAI: 8-bit weights, paged cache, questions answered together.

Measured with the bundled model against transformers by benchmarks/generate.py. The model is written once, as a graph
of its own (openvino_graph.py), into the user's cache directory, and read from there at later starts, without torch.
Answers copy from their passages, so each step also checks the tokens that followed the last ones where they stood
before (prompt lookup decoding, Saxena 2023); this changes speed, never tokens. What questions have in common at their
beginning is computed once (prefix caching).

OpenVINO GenAI is a dependency on x86-64 only, as OpenVINO is; elsewhere `available` says no.
"""

import atexit
import itertools
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from rag_dolly.errors import OutOfMemory
from rag_dolly.generate.engine import Ended
from rag_dolly.generate.worker import Request

CHUNK = 256
"""Prompt tokens computed in one step; other answers go on between the steps."""
LOOKUP = 5
"""Tokens that a step checks beside the one that it decodes."""
NGRAM = 3
"""Tokens that must stand in the prompt or answer before, for what followed them to be checked."""
CACHE_TOKENS, CACHE_BYTES = 32_768, 1_000_000_000
"""The cache of keys and values holds so many tokens for all questions together, within these bytes at 8 bits."""
LONGEST = 8_192
"""The cache holds one window in any case, but for no more tokens than this: no prompt of ours is longer."""


def available() -> bool:
    """Tell whether OpenVINO GenAI is installed and loads."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # importing it would send an event
    try:
        import openvino_genai  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def cache_tokens(window: int, numbers: int) -> int:
    """Return for how many tokens to keep keys and values, of so many `numbers` a token."""
    return max(min(CACHE_TOKENS, CACHE_BYTES // max(numbers, 1)), min(window, LONGEST) + CHUNK)


class OpenVinoEngine:
    """An `Engine` over the model that openvino_graph.py wrote.

    `about` is what `describe` says of it; `cached`: tokens of keys and values for all questions together. `exact`:
    computed in float32 throughout. `lookup`: tokens guessed a step.
    """

    def __init__(
        self,
        path: Path,
        about: str,
        stop_ids: frozenset[int],
        cached: int,
        *,
        exact: bool = False,
        lookup: int = LOOKUP,
    ) -> None:
        import openvino_genai

        self.steps = 0  # made so far, for all questions
        self._about = about
        self._stop_ids = stop_ids
        self._lookup = lookup
        scheduler: Any = openvino_genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.max_num_batched_tokens = CHUNK
        scheduler.num_kv_blocks = cached // 32 + 1
        properties: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
        if lookup:
            properties["prompt_lookup"] = True
        if exact:
            properties |= {"KV_CACHE_PRECISION": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
        self._pipeline: Any = openvino_genai.ContinuousBatchingPipeline(path.parent, scheduler, "CPU", properties)
        self._incoming: SimpleQueue[_Job | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def tokens(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> Iterator[int]:
        """See `Engine.tokens`."""
        if max_tokens > 0:
            yield from self._submit(prompt, max_tokens, ended).read()

    def batch(self, prompts: Sequence[Sequence[int]], max_tokens: Sequence[int]) -> list[list[int]]:
        """See `Engine.batch`."""
        pairs = zip(prompts, max_tokens, strict=True)
        jobs = [self._submit(prompt, limit, lambda: False) if limit > 0 else None for prompt, limit in pairs]
        return [list(job.read()) if job else [] for job in jobs]

    def describe(self) -> str:
        """Return parameters, number format and library in a few words."""
        return f"{self._about}, OpenVINO, cpu"

    def close(self) -> None:
        """See `Engine.close`."""
        self._closed.set()
        self._incoming.put(None)
        atexit.unregister(self.close)
        if self._thread is not None:
            self._thread.join()

    def _submit(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> "_Job":
        job = _Job(prompt, max_tokens, lambda: ended() or self._closed.is_set())
        with self._guard:
            if self._thread is None:
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._run, name="rag-dolly-generate", daemon=True)
                self._thread.start()
        self._incoming.put(job)
        return job

    def _run(self) -> None:
        """Take in what came, make one step for all, hand out what it gave; again until closed."""
        running: list[_Job] = []
        numbers = itertools.count()
        while not (self._closed.is_set() and not running):
            while not running or not self._incoming.empty():
                job = self._incoming.get()
                if job is None:
                    break
                if job.start(self._pipeline, next(numbers), self._stop_ids, self._lookup):
                    running.append(job)
            if running:
                running = self._step(running)

    def _step(self, running: "list[_Job]") -> "list[_Job]":
        """Make one step; return the jobs that go on."""
        try:
            self._pipeline.step()
            self.steps += 1
            going = [job for job in running if job.goes_on()]
            while not going and self._pipeline.has_non_finished_requests():
                self._pipeline.step()  # what was cancelled gives its memory back in the next step
        except Exception as error:
            for job in running:
                job.drop(RuntimeError(f"OpenVINO could not go on: {error}"))
            return []
        return going


class _Job(Request):
    """One question in the pipeline."""

    def __init__(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> None:
        super().__init__(ended)
        self._prompt = prompt
        self._max_tokens = max_tokens
        self._handle: Any = None

    def start(self, pipeline: Any, number: int, stop_ids: frozenset[int], lookup: int) -> bool:
        """Put the question into the pipeline; tell whether it is there."""
        if not self.begin():
            self.finish()
            return False
        import openvino
        import openvino_genai

        config: Any = openvino_genai.GenerationConfig()
        config.do_sample = False
        config.max_new_tokens = self._max_tokens
        config.eos_token_id = min(stop_ids)
        config.stop_token_ids = set(stop_ids)
        if lookup:
            config.num_assistant_tokens = lookup
            config.max_ngram_size = NGRAM
        ids = openvino.Tensor(np.asarray([self._prompt], dtype=np.int64))
        try:
            self._handle = pipeline.add_request(number, ids, config)
        except Exception as error:
            self.finish(RuntimeError(f"OpenVINO does not take the question: {error}"))
        return self._handle is not None

    def goes_on(self) -> bool:
        """Hand out what the last step gave; tell whether there is more to come."""
        import openvino_genai

        status = openvino_genai.GenerationStatus
        while self._handle.can_read():
            for output in self._handle.read().values():
                for token in output.generated_ids:
                    self.put(int(token))
        state = self._handle.get_status()
        if state == status.RUNNING and not self.is_over():
            return True
        if state == status.IGNORED:
            self.finish(OutOfMemory("the cache of the model has no room for this prompt; use fewer --top-k"))
        else:
            self.drop()
        return False

    def drop(self, error: BaseException | None = None) -> None:
        """Take the question out of the pipeline."""
        self._handle.cancel()
        self.finish(error)
