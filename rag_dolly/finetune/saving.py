"""The trained model on disk: a directory that `--model` takes by name, complete or not there at all.

Everything is written into a folder beside its place and moved file by file, config.json last, without which no
directory is taken for a model.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.disk import make_folder, writing
from rag_dolly.generate.checkpoint import quiet
from rag_dolly.generate.memory import gigabytes

ADAPTER = "adapter"
_MARGIN = 50_000_000


def check_empty(out: Path, can_resume: bool) -> None:
    """Make the folder. Raises `RagDollyError` if something is in it; `can_resume`: whether --resume is an option."""
    if holds := next(make_folder(out).iterdir(), None):
        way = ", or add --resume to go on with the run there" if can_resume else ""
        raise RagDollyError(f"--out {out} is not empty ({holds.name} is in it): name another folder{way}.")


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
    with writing(out):
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
