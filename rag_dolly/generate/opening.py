"""From a model's name to its dialect and the engine that runs it here: the one place that chooses an engine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.embed import has_cuda
from rag_dolly.errors import OutOfMemory
from rag_dolly.generate.checkpoint import display_name, load_tokenizer, load_weights, locate, plan_load
from rag_dolly.generate.device import choose, main_memory
from rag_dolly.generate.dialect import Dialect, eos_ids
from rag_dolly.generate.engine import Engine
from rag_dolly.generate.footprint import footprint, parameters_in_words
from rag_dolly.generate.memory import Plan, gigabytes

Opened = tuple[str, Dialect, Engine, int]
"""Name, dialect, engine, and window: how many tokens prompt and answer may have together."""

_WORKING = 400_000_000  # bytes that OpenVINO takes beside weights and cache


def open_model(
    name_or_dir: str,
    device: str | None,
    offline: bool,
    on_message: Callable[[str], None] = lambda _: None,
    *,
    quantize: str = "auto",
    offload: bool = False,
) -> Opened:
    """Open a model; see `LocalPipeline.load`."""
    directory = locate(name_or_dir, offline)
    config, generation = _json(directory / "config.json"), _json(directory / "generation_config.json")
    dialect = Dialect(load_tokenizer(directory), eos_ids(config, generation))
    window = window_of(config)
    is_local = Path(name_or_dir).expanduser() == directory
    name = display_name(directory) if is_local else name_or_dir
    on_processor = device == "cpu" or ((device or "auto") == "auto" and not has_cuda())
    may_round = quantize in ("auto", "8bit") and not offload
    engine = _openvino(directory, config, dialect, window, on_message) if on_processor and may_round else None
    if engine is None:
        plan = plan_load(directory, choose(device), name=name, quantize=quantize, offload=offload)
        on_message(f"Memory: {plan.line}")
        engine = _transformers(name, directory, plan, dialect, window)
    return name, dialect, engine, window


def window_of(config: dict[str, Any]) -> int:
    """Return how many tokens prompt and answer may have together: the model's positions, 2,048 if it does not say."""
    length = config.get("max_position_embeddings") or (config.get("text_config") or {}).get("max_position_embeddings")
    return length if isinstance(length, int) and length > 0 else 2048


def _openvino(
    directory: Path, config: dict[str, Any], dialect: Dialect, window: int, on_message: Callable[[str], None]
) -> Engine | None:
    """Return the engine for a processor, None where OpenVINO is not, or the model is not of its families."""
    from rag_dolly.generate.openvino_graph import supported

    if not supported(config):
        return None
    from rag_dolly.generate import openvino_engine, openvino_files

    if not openvino_engine.available():
        return None
    size = footprint(config)
    assert size is not None  # both families tell it in their configuration
    cached = openvino_engine.cache_tokens(window, size.cache)
    name, room = display_name(directory), main_memory("float32")
    need = size.parameters + cached * size.cache + _WORKING
    making = 0 if openvino_files.is_written(directory) else 3 * size.parameters + _WORKING
    check_room(name, room.free, need, making)
    path = openvino_files.written(directory, config, on_message)
    cost = f"{gigabytes(size.parameters)} of weights + {gigabytes(cached * size.cache)} of cache for {cached:,} tokens"
    on_message(f"Memory: {name} in 8-bit: {cost}, of {gigabytes(room.free)} free")
    about = f"{parameters_in_words(size.parameters)}, 8-bit weights"
    return openvino_engine.OpenVinoEngine(path, about, dialect.stop_ids, cached)


def check_room(name: str, free: int, need: int, making: int) -> None:
    """Raise `OutOfMemory` unless these bytes are free, `making` of them only while the model is written."""
    if free < max(need, making):
        raise OutOfMemory(
            f"model {name!r} in 8-bit needs {gigabytes(need)} of main memory, and {gigabytes(making)} while it is "
            f"written for it; {gigabytes(free)} are free: close what else uses it, or choose a smaller --model"
        )


def _transformers(name: str, directory: Path, plan: Plan, dialect: Dialect, window: int) -> Engine:
    from rag_dolly.generate.transformers_engine import TransformersEngine

    model = load_weights(directory, plan.choice, plan.bits, plan.max_memory)
    engine = TransformersEngine(name, model, dialect.stop_ids, window)
    engine.warm()
    return engine


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
