"""The training loop: one step after the other, on one device or on several by accelerate.

The loss of a step is the mean over all response tokens in it, whatever devices and parts they were on. What chance
decides in a step (dropout) is seeded by its number, so an interrupted run goes on exactly as it would have.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune import checkpoints
from rag_dolly.finetune.batches import as_batch, parts, step_count, steps
from rag_dolly.finetune.examples import Example
from rag_dolly.finetune.loss import response_loss
from rag_dolly.finetune.recipe import CLIP, Recipe

if TYPE_CHECKING:
    from accelerate import Accelerator


class Step(NamedTuple):
    """How far a run is: steps done, of how many, the last loss, tokens a second, and seconds left."""

    done: int
    total: int
    loss: float
    rate: float
    left: float


OnStep = Callable[[Step], None]


class Trainee(NamedTuple):
    """A model as accelerate prepared it, its optimizer, and whether it computes the logits of its last places alone."""

    accelerator: "Accelerator"
    model: Any
    optimizer: Any
    can_keep: bool


def train(
    trainee: Trainee, examples: Sequence[Example], recipe: Recipe, folder: Path, on_step: OnStep = lambda _: None
) -> list[float]:
    """Train from the newest checkpoint in `folder`, or from the start; return the loss of every step.

    Raises `RagDollyError` if the loss is no number any more, or the disk is full.
    """
    total = step_count(len(examples), recipe.epochs, recipe.batch)
    found = checkpoints.latest(folder)
    done, losses = checkpoints.load(found, *_inner(trainee)) if found else (0, [])
    trainee.model.train()
    began, tokens = time.monotonic(), 0
    for step, chosen in enumerate(steps(examples, recipe.batch, recipe.seed, done), done):
        if step >= total:
            break
        losses.append(_step(trainee, chosen, recipe, step, total))
        tokens += sum(example.length for example in chosen)
        seconds = max(time.monotonic() - began, 1e-9)
        left = seconds / (step + 1 - done) * (total - step - 1)
        on_step(Step(step + 1, total, losses[-1], tokens / seconds, left))
        if (step + 1) % recipe.save_every == 0 or step + 1 == total:
            keep(trainee, folder, step + 1, losses)
    return losses


def keep(trainee: Trainee, folder: Path, step: int, losses: list[float]) -> None:
    """Write a checkpoint, where there can be one: DeepSpeed keeps an optimizer's state to itself."""
    if trainee.accelerator.distributed_type.value != "DEEPSPEED":
        checkpoints.save(folder, step, losses, *_inner(trainee), writes=trainee.accelerator.is_main_process)
        trainee.accelerator.wait_for_everyone()


def _inner(trainee: Trainee) -> tuple[Any, Any]:
    return trainee.model, getattr(trainee.optimizer, "optimizer", trainee.optimizer)


def _step(trainee: Trainee, chosen: Sequence[Example], recipe: Recipe, step: int, total: int) -> float:
    """Learn from the examples of one step; return their loss a token."""
    import torch

    accelerator, model, optimizer, can_keep = trainee
    rank, world = accelerator.process_index, accelerator.num_processes
    groups = parts(chosen, recipe.batch // recipe.micro_for(world))[rank::world]
    targets = sum(len(example.response) for example in chosen)
    torch.manual_seed(recipe.seed * 1_000_003 + step * 1_009 + rank)
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate(step, total)
    summed = torch.zeros((), device=accelerator.device)
    for examples in groups:
        with accelerator.accumulate(model):
            loss = response_loss(model, as_batch(examples, accelerator.device), can_keep)
            accelerator.backward(loss * (len(groups) * world / targets))
            summed += loss.detach()
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            optimizer.zero_grad()
    mean = float(accelerator.reduce(summed, "sum")) / targets
    if not math.isfinite(mean):
        raise RagDollyError(f"The loss of step {step + 1} is {mean}, no number any more: lower --lr.")
    return mean
