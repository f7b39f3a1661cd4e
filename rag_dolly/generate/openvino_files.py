"""A checkpoint written once as an OpenVINO model, and found again at later starts without reading the checkpoint.

The result lies in the user's cache directory under a name that depends on where the checkpoint is, on its files (names,
sizes, times) and on the version of the graph; writing takes away what was written for an earlier state of the same
checkpoint. It is made beside its place and moved there whole. At a later start the sizes of its files are compared
with what was written.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import ModelNotFound
from rag_dolly.generate import openvino_graph
from rag_dolly.generate.bundled import cache_directory
from rag_dolly.generate.checkpoint import display_name, load_weights
from rag_dolly.generate.device import Choice

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MODEL = "openvino_model.xml"
_SIZES = "sizes.json"
_VERSION = 1  # of the graph; raise it when openvino_graph.py changes what it writes


def is_written(directory: Path) -> bool:
    """Tell whether the checkpoint in `directory` has been written as it is now."""
    return _is_whole(_target(directory))


def written(directory: Path, config: Mapping[str, Any], on_message: Callable[[str], None]) -> Path:
    """Return the OpenVINO model of the checkpoint in `directory`, written now if it is not there yet.

    Writing is announced through `on_message`; two processes at once write once. Raises `ModelNotFound` if the
    checkpoint cannot be read or the result not be written.
    """
    import filelock

    target = _target(directory)
    if _is_whole(target):
        return target / MODEL
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.parent / f"{_stem(directory)}.lock"):
            if not _is_whole(target):
                on_message(f"writing {display_name(directory)} for this processor once, for all later starts")
                _write(target, directory, config)
    except OSError as error:
        raise ModelNotFound(
            f"model {directory.name!r} cannot be written into {target.parent}: {error.strerror or error}; "
            "make room there or set RAG_DOLLY_CACHE to another directory"
        ) from error
    return target / MODEL


def tensors(model: "PreTrainedModel") -> openvino_graph.Tensor:
    """Return how the graph gets at the weights of a model."""
    source: Any = model
    head = source.get_output_embeddings().weight.detach()
    weights: dict[str, Any] = {**source.state_dict(), openvino_graph.HEAD: head}
    return lambda name: weights[name].float().numpy()


def _write(target: Path, directory: Path, config: Mapping[str, Any]) -> None:
    for older in target.parent.glob(f"{_stem(directory)}-*"):
        if older.is_dir():
            shutil.rmtree(older, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.tmp-", dir=target.parent))
    try:
        model = load_weights(directory, Choice("cpu", "bfloat16", "to be written"))
        openvino_graph.write(fresh / MODEL, config, tensors(model))
        sizes = {path.name: path.stat().st_size for path in fresh.iterdir()}
        (fresh / _SIZES).write_text(json.dumps(sizes), "utf-8")
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _target(directory: Path) -> Path:
    return cache_directory() / "models" / f"{_stem(directory)}-{_state(directory)}"


def _stem(directory: Path) -> str:
    """Return what the names of all states of this checkpoint begin with."""
    place = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:8]
    return f"{directory.resolve().name}-openvino-{place}"


def _state(directory: Path) -> str:
    """Return what tells this state of a checkpoint from any other."""
    facts: list[Any] = [_VERSION]
    for path in sorted(directory.glob("*")):
        if path.suffix in (".safetensors", ".bin", ".json"):
            stat = path.stat()
            facts.append([path.name, stat.st_size, stat.st_mtime_ns])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _is_whole(target: Path) -> bool:
    """Tell whether the model in `target` is there as it was written."""
    try:
        sizes = json.loads((target / _SIZES).read_text("utf-8"))
        return all((target / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False
