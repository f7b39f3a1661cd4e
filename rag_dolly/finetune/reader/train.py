"""Training a reader: AdamW, linear warm-up and decay, bf16 where the processor or GPU has it, one file at the end.

The recipe is the usual one for extractive question answering (Devlin et al., 2019), with two differences: the loss
counts every place where the answer stands, and there is no dropout, which on a processor costs an eighth of the time.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag_dolly.finetune.reader.examples import Example, batches, examples_of
from rag_dolly.finetune.reader.records import Record, made_unanswerable
from rag_dolly.reader import weights

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import AdamW

    from rag_dolly.finetune.reader.model import Batch, ReaderModel

RATE = 1.2e-4
WARM_UP = 0.05
DECAY = 0.01
CLIP = 1.0
SMOOTH = 0.98
SAVE_EVERY = 400
"""Steps after which the reader is written as it is, so that a run that is broken off leaves one behind."""


class Step(NamedTuple):
    """One step of the training: its number, how many there are, the smoothed loss, tokens and seconds so far."""

    number: int
    steps: int
    loss: float
    tokens: int
    seconds: float


OnStep = Callable[[Step], None]


def train(records: Sequence[Record], out: Path, epochs: int, on_step: OnStep, seed: int = 0) -> list[float]:
    """Train a reader on the records and on unanswerable questions made of them; write it to `out`.

    Returns the loss of each step. Every epoch makes other unanswerable questions and takes other parts of passages.
    """
    import torch

    from ingest.embed import has_cuda
    from ingest.weights import bundled_folder
    from rag_dolly.finetune.reader.model import ReaderModel

    torch.manual_seed(seed)
    base = bundled_folder()
    model = ReaderModel(base).to("cuda" if has_cuda() else "cpu")
    before = model.tensors()
    rounds = [list(_epoch(records, base, seed + epoch)) for epoch in range(epochs)]
    order = [batch for one in rounds for batch in one]
    losses = []
    for loss in _steps(model, order, on_step):
        losses.append(loss)
        if len(losses) % SAVE_EVERY == 0 or len(losses) == len(order):
            done = {"epochs": str(epochs), "steps": str(len(losses)), "of": str(len(order)), "seed": str(seed)}
            weights.save(out, model.tensors(), before, {"records": str(len(records)), **done})
    return losses


def _epoch(records: Sequence[Record], base: Path, seed: int) -> Iterator[list[Example]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    draw = random.Random(seed)
    return batches(examples_of([*records, *made_unanswerable(records, seed)], tokenizer, draw), draw)


def _steps(model: "ReaderModel", order: Sequence[list[Example]], on_step: OnStep) -> Iterator[float]:
    """Yield the loss of each step."""
    import torch

    from rag_dolly.finetune.reader.model import Batch

    optimizer, began = _optimizer(model), time.monotonic()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(order)))
    smooth, tokens = math.nan, 0
    device = next(model.parameters()).device
    for number, examples in enumerate(order, 1):
        batch = Batch(examples, str(device))
        loss = _step(model, batch, optimizer)
        schedule.step()
        smooth = loss if math.isnan(smooth) else SMOOTH * smooth + (1 - SMOOTH) * loss
        tokens += int(batch.mask.sum())
        on_step(Step(number, len(order), smooth, tokens, time.monotonic() - began))
        yield loss


def _step(model: "ReaderModel", batch: "Batch", optimizer: "AdamW") -> float:
    import torch

    from rag_dolly.finetune.reader.model import loss_of

    with torch.autocast(batch.ids.device.type, dtype=torch.bfloat16):
        logits = model(batch)
    loss = loss_of(logits, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(_trained(model), CLIP)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())


def _optimizer(model: "ReaderModel") -> "AdamW":
    import torch

    matrices = [one for one in _trained(model) if one.ndim > 1]
    vectors = [one for one in _trained(model) if one.ndim < 2]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=RATE)


def _trained(model: "ReaderModel") -> "list[nn.Parameter]":
    return [one for one in model.parameters() if one.requires_grad]


def _rate(step: int, steps: int) -> float:
    """Return the part of the learning rate at a step: up over the first twentieth, then down to 0."""
    warm = max(1, round(WARM_UP * steps))
    return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
