"""The trained model on disk: a directory that `--model` takes by name, complete or not there at all.

Everything is written into a folder beside its place and moved file by file, config.json last, without which no
directory is taken for a model.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from rag_dolly.errors import RagDollyError
from rag_dolly.generate.checkpoint import quiet
from rag_dolly.generate.memory import gigabytes

ADAPTER = "adapter"
_MARGIN = 50_000_000


def check_empty(out: Path, resume: bool) -> None:
    """Make the folder. Raises `RagDollyError` if something is in it and nothing is to be resumed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        holds = next(out.iterdir(), None)
    except OSError as error:
        raise RagDollyError(f"--out {out} cannot be used: {error.strerror or error}.") from error
    if holds and not resume:
        raise RagDollyError(
            f"--out {out} is not empty ({holds.name} is in it): name another folder, or add --resume to go on with "
            "the run there."
        )


def check_space(out: Path, parameters: int, trained: int, item: int) -> None:
    """Raise `RagDollyError` unless the disk has room for two checkpoints at once and the model.

    `parameters` and `trained` count weights, `item` is the bytes of one in the saved model.
    """
    need = 2 * trained * 12 + parameters * item + _MARGIN
    free = shutil.disk_usage(out).free
    if free < need:
        raise RagDollyError(
            f"{out} has {gigabytes(free)} free, and the run needs {gigabytes(need)} for checkpoints and the model: "
            "make room, name another --out, or train with --lora."
        )


def save_model(model: Any, tokenizer: Any, out: Path, dtype: str) -> None:
    """Write model and tokenizer into `out`, weights as `dtype`.

    Raises `RagDollyError` if the disk does not take it.
    """
    import torch

    kind = getattr(torch, dtype)
    fresh = out / "model-new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        model = model.to(kind)
        model.config.dtype = kind
        model.config.use_cache = True
        with quiet():
            model.save_pretrained(fresh)
            tokenizer.save_pretrained(fresh)
        for path in sorted(fresh.iterdir(), key=lambda path: path.name == "config.json"):
            os.replace(path, out / path.name)
        fresh.rmdir()
    except (OSError, RuntimeError) as error:  # safetensors has an error of its own for a full disk
        raise RagDollyError(f"{out} cannot be written: {' '.join(str(error).split())[:200]}.") from error
