"""The state of a training run on disk, so that a killed run goes on to the same losses. No pickle.

A checkpoint is a folder `checkpoint-STEP` with the trained weights and the optimizer's state as safetensors and the
rest as JSON. It is written beside its place and renamed, so a folder of that name is complete; older ones go only then.
What chance decides in a step is seeded by the step's number, so there is no generator to be kept. With FSDP the whole
tensors are put together on the processor; every process must call `save` and `load`.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.disk import writing

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

WEIGHTS, OPTIMIZER, STATE = "trained.safetensors", "optimizer.safetensors", "state.json"


def save(folder: Path, step: int, losses: list[float], model: "Module", optimizer: "Optimizer", writes: bool) -> None:
    """Keep the state after `step` steps; older checkpoints in the folder are removed. Only one process `writes`.

    Raises `RagDollyError` if the disk does not take it; the checkpoint before is then still there.
    """
    weights = {name: _whole(weight, writes) for name, weight in _trained(model)}
    moments = {
        f"{name}:{key}": _whole(value, writes)
        for name, weight in _trained(model)
        for key, value in optimizer.state.get(weight, {}).items()
    }
    if writes:
        _write(folder, step, losses, weights, moments)


def latest(folder: Path) -> Path | None:
    """Return the newest complete checkpoint in a folder, None if there is none."""
    found = [path for path in folder.glob("checkpoint-*") if path.name.partition("-")[2].isdecimal()]
    return max(found, key=lambda path: int(path.name.partition("-")[2]), default=None)


def load(checkpoint: Path, model: "Module", optimizer: "Optimizer") -> tuple[int, list[float]]:
    """Put a checkpoint's state into model and optimizer; return the steps done and their losses.

    Raises `RagDollyError` if it is damaged or of another model.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = json.loads((checkpoint / STATE).read_text("utf-8"))
        step, losses = int(state["step"]), [float(loss) for loss in state["losses"]]
        weights, moments = load_file(checkpoint / WEIGHTS), load_file(checkpoint / OPTIMIZER)
        with torch.no_grad():
            for name, weight in _trained(model):
                weight.copy_(_like(weights[name], weight))
                optimizer.state[weight] = {
                    key: _like(moments[f"{name}:{key}"], weight) for key in ("step", "exp_avg", "exp_avg_sq")
                }
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise RagDollyError(
            f"{checkpoint} cannot be resumed from: {' '.join(str(error).split())[:200]}; remove it to begin anew."
        ) from error
    return step, losses


def remove_all(folder: Path) -> None:
    """Remove every checkpoint, and what was left of one that was being written."""
    for path in folder.glob("checkpoint-*"):
        shutil.rmtree(path, ignore_errors=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON in one step: the file has all of it, or what it had before. Raises `RagDollyError`."""
    beside = path.with_name(f".{path.name}.new")
    with writing(path):
        beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
        os.replace(beside, path)


def _write(
    folder: Path, step: int, losses: list[float], weights: "dict[str, Tensor]", moments: "dict[str, Tensor]"
) -> None:
    from safetensors.torch import save_file

    fresh, place = folder / "checkpoint-new", folder / f"checkpoint-{step}"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        with writing(place):
            fresh.mkdir()
            save_file(weights, fresh / WEIGHTS)
            save_file(moments, fresh / OPTIMIZER)
            (fresh / STATE).write_text(json.dumps({"step": step, "losses": losses}), "utf-8")
            for path in fresh.iterdir():
                _flush(path)
            os.replace(fresh, place)
            _flush(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    for older in folder.glob("checkpoint-*"):
        if older != place:
            shutil.rmtree(older, ignore_errors=True)


def _flush(path: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _trained(model: "Module") -> "Iterator[tuple[str, Tensor]]":
    """Yield (name, weight) of what is trained, tied weights once, under names that no wrapper changes."""
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            yield name.removeprefix("module."), weight


def _whole(value: "Tensor", keep: bool) -> "Tensor":
    """Return a tensor on the processor, put together from its shards where it has some."""
    full = getattr(value, "full_tensor", None)
    whole = full() if full else value
    return whole.detach().cpu().contiguous() if keep else whole[:0] if whole.dim() else whole


def _like(value: "Tensor", weight: "Tensor") -> "Tensor":
    """Return a stored tensor as the weight has it: on its device, and sharded as it is."""
    if not value.dim():
        return value.to(weight.device)  # the fused optimizer counts its steps where the weight is
    mesh = getattr(weight, "device_mesh", None)
    if mesh is None:
        return value.to(weight.device)
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(weight.device), mesh, weight.placements)  # type: ignore[attr-defined]
