"""A cross-encoder named by the user, which reads question and passage together: the seam `Reranker`.

A name is a directory, or "owner/name" on the hub, which is looked for as a language model is (checkpoint.py). Taken are
models for sequence classification with one output, weights in safetensors; no pickle is read and no code that comes
with a model is run. The model loads at the first question, and threads take turns at it.
"""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag_dolly.errors import ModelNotFound, OutOfMemory
from rag_dolly.generate.checkpoint import locate, quiet
from rag_dolly.generate.device import Choice, choose

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH = 16
"""Pairs read at once: sorted by length, few are padded to the length of others."""


class CrossEncoderReranker:
    """A `Reranker` over a model directory; the model loads on first use. Made by `load_reranker`."""

    depth = 30
    margin: float | None = None
    weight: float | None = None

    def __init__(self, folder: Path, name: str, device: str = "auto") -> None:
        self.name = name
        self._folder = folder
        self._device = device
        self._lock = threading.Lock()
        self._model: CrossEncoder | None = None

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the model's output for the question with each text, shape (n,), before any activation function.

        A pair longer than the model reads is cut at its limit. Raises `ModelNotFound` if the files are broken,
        `OutOfMemory`, or `BadSetting` for a device that is not there.
        """
        found = np.zeros(len(texts), dtype=np.float32)
        if not texts:
            return found
        import torch

        order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        pairs = [(question, texts[n]) for n in order]
        with self._lock:
            try:
                found[order] = self._loaded().predict(
                    pairs, batch_size=BATCH, show_progress_bar=False, activation_fn=torch.nn.Identity()
                )
            except torch.OutOfMemoryError as error:
                raise OutOfMemory(
                    f"reranker {self.name!r} does not fit into the memory of the device; name a smaller one, or set "
                    "RAG_DOLLY_DEVICE=cpu"
                ) from error
        return found

    def _loaded(self) -> "CrossEncoder":
        if self._model is None:
            self._model = _load(self._folder, self.name, choose(self._device))
        return self._model


def load_reranker(name: str, offline: bool, device: str = "auto") -> CrossEncoderReranker:
    """Return the reranker called `name`, a model directory or a hub name; its weights are read when it is first used.

    The hub is asked only for a hub name that is not complete in the local cache, and never if `offline`.
    Raises `ModelNotFound`.
    """
    folder = locate(name, offline)
    shown = folder.resolve().name if Path(name).expanduser().is_dir() else name
    unsafe = [path for path in folder.rglob("pytorch_model*.bin") if not any(path.parent.glob("*.safetensors"))]
    if unsafe:
        raise ModelNotFound(
            f"reranker {shown!r}: expected model.safetensors, found {unsafe[0].name}, which is not read; "
            "name another or save it again with a recent transformers"
        )
    kind, outputs = _made_for(folder, shown)
    if not kind.endswith("ForSequenceClassification") or outputs != 1:
        raise ModelNotFound(
            f"reranker {shown!r}: expected a cross-encoder (sequence classification with 1 output), found {kind} with "
            f"{outputs}; name another"
        )
    return CrossEncoderReranker(folder, shown, device)


def _made_for(folder: Path, name: str) -> tuple[str, int]:
    """Return the class of the model, "no class" if none is named, and how many outputs it has."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
        kind = (config.get("architectures") or ["no class"])[0]
        return str(kind), len(config.get("id2label") or range(config.get("num_labels", 2)))
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ModelNotFound(f"reranker {name!r}: its config.json cannot be read: {error}") from error


def _load(folder: Path, name: str, choice: Choice) -> "CrossEncoder":
    import torch
    from sentence_transformers import CrossEncoder

    with quiet():
        try:
            model: CrossEncoder = CrossEncoder(
                str(folder),
                device=choice.device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": getattr(torch, _number_format(choice)), "use_safetensors": True},
            )
            missing = _missing(model.model, folder)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # each reader of a broken file has errors of its own
            line = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelNotFound(f"reranker {name!r} cannot be loaded: {line}") from error
    if missing:
        raise ModelNotFound(f"reranker {name!r} is incomplete: its weights lack {missing[0]}; fetch or save it again")
    return model


def _number_format(choice: Choice) -> str:
    """Return the dtype by its torch name: half the bits on a CUDA GPU, float32 elsewhere."""
    return choice.dtype if choice.device.startswith("cuda") else "float32"


def _missing(model: Any, folder: Path) -> list[str]:
    """Return the weights of the model's head that no file has: transformers would make them up."""
    from safetensors import safe_open

    stored: set[str] = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "numpy") as file:
            stored.update(file.keys())
    return sorted(
        name for name in model.state_dict() if not name.startswith(f"{model.base_model_prefix}.") and name not in stored
    )
