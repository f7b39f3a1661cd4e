"""What decides a training run beside data and base: Dolly's recipe by default, checked once.

Dolly (databrickslabs/dolly, training/trainer.py): 2 epochs, learning rate 5e-6, 50 steps of warm-up and then no decay,
AdamW without weight decay, gradients clipped at 1, 48 records a step, 200 records held out, seed 42, bfloat16,
gradient checkpointing. A run shorter than Dolly's warms up for a tenth of its steps.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag_dolly.errors import BadSetting

RUN = "run.json"
FULL_RATE, LORA_RATE = 5e-6, 2e-4
WARM_UP = 50
CLIP = 1.0
MOST_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a run. `batch` records make a step, `micro` of them at once on each device.

    `rank` is that of the LoRA adapter, 0 for full training; `missing` the share of the answers left out with
    `as_answers`; `rate` 0 means the default for the kind of training.
    """

    epochs: float = 2.0
    rate: float = 0.0
    warm_up: int = WARM_UP
    batch: int = 48
    micro: int = 6
    max_length: int = MOST_TOKENS
    rank: int = 0
    as_answers: bool = False
    missing: float = 0.2
    held_out: int = 200
    checkpointing: bool = True
    save_every: int = 200
    seed: int = 42

    def learning_rate(self, step: int, total: int) -> float:
        """Return the rate of a step, which counts from 0: rising in a line over the warm-up, then constant."""
        rate = self.rate or (LORA_RATE if self.rank else FULL_RATE)
        warm_up = min(self.warm_up, total // 10)
        return rate * min(1.0, (step + 1) / (warm_up + 1))

    def micro_for(self, processes: int) -> int:
        """Return the most records, at most `micro`, that divide each process's share of a step evenly.

        Raises `BadSetting` if a step cannot be shared evenly.
        """
        share, rest = divmod(self.batch, processes)
        if rest or not share:
            raise BadSetting(
                f"--batch-size is {self.batch}: expected a multiple of the {processes} processes that train."
            )
        return next(size for size in range(min(self.micro, share), 0, -1) if share % size == 0)

    def check(self) -> "Recipe":
        """Return the recipe. Raises `BadSetting` for a number that cannot be."""
        check_epochs(self.epochs)
        if self.rate:
            check_rate(self.rate)
        if not 0 <= self.missing < 1:
            raise BadSetting(f"--missing is {self.missing}: expected a share from 0 to 0.99.")
        return self

    def as_json(self) -> dict[str, Any]:
        """Return by name the settings that decide what comes of a run."""
        return {key: value for key, value in asdict(self).items() if key != "save_every"}


def check_epochs(epochs: float) -> float:
    """Return the epochs. Raises `BadSetting` for a number that cannot be."""
    if not (math.isfinite(epochs) and epochs > 0):
        raise BadSetting(f"--epochs is {epochs}: expected a number above 0.")
    return epochs


def check_rate(rate: float) -> float:
    """Return the learning rate. Raises `BadSetting` for a number that cannot be."""
    if not 0 < rate < 1:
        raise BadSetting(f"--lr is {rate}: expected a number above 0 and below 1, such as {FULL_RATE:g}.")
    return rate


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was asked for; `command` is what the card shows."""

    data: str
    base: str
    out: Path
    recipe: Recipe
    device: str | None = None
    offline: bool = False
    resume: bool = False
    licence: str | None = None
    command: tuple[str, ...] = ()
