"""The loss of a run as a picture: each step faintly, the running mean over it, held-out records before and after."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag_dolly.plot import Box, Picture, Text, write_picture

WIDTH, HEIGHT, LEFT, TOP, FOOT = 640, 300, 60, 70, 50
FAINT, MEAN, HELD_OUT = "#c3cde6", "#7570b3", "#d95f02"
COLUMN = 2
"""Pixels of a column of the curve."""
SMOOTHING = 0.9
"""What the running mean keeps of itself from step to step."""
_TICKS = 5


def write_loss_plot(losses: Sequence[float], held_out: Sequence[float], title: str, path: Path) -> None:
    """Draw the loss of each step; `held_out` are those before and after, none if not measured.

    The suffix decides: .html or .png. Raises `RagDollyError`.
    """
    write_picture(lay_out(losses, held_out, title), path)


def lay_out(losses: Sequence[float], held_out: Sequence[float], title: str) -> Picture:
    """Return the picture; `losses` has one number at least."""
    most = max([*losses, *held_out])
    tick = _round_tick(most)
    ticks = max(1, math.ceil(most / tick))
    top = tick * ticks
    boxes, texts = list(_grid(ticks)), [Text(LEFT, 24, title, "start", 16)]
    texts += [Text(LEFT - 8, _y(line / ticks) + 4, f"{tick * line:.4g}", "end") for line in range(ticks + 1)]
    texts += [
        Text(LEFT, TOP + HEIGHT + 18, "step 1", "start"),
        Text(LEFT + WIDTH, TOP + HEIGHT + 18, f"{len(losses)}", "end"),
    ]
    legend = [(FAINT, "loss of a step"), (MEAN, "running mean")]
    legend += [(HELD_OUT, "held out, before and after")] if held_out else []
    for number, (colour, says) in enumerate(legend):
        boxes.append(Box(LEFT + number * 170, 38, 12, 12, colour))
        texts.append(Text(LEFT + number * 170 + 18, 49, says, "start"))
    boxes += _curve(losses, top, FAINT, 1.5, "step")
    boxes += _curve(running_mean(losses), top, MEAN, 2.5, "running mean to step")
    for x, loss in zip((LEFT, LEFT + WIDTH), held_out, strict=False):
        boxes.append(Box(x - 5, _y(loss / top) - 5, 10, 10, HELD_OUT, f"held out: {loss:.4f}"))
    return Picture(title, LEFT + WIDTH + 30, TOP + HEIGHT + FOOT, boxes, texts)


def running_mean(losses: Sequence[float]) -> list[float]:
    """Return an exponential mean that weighs the first steps as much as there are of them."""
    found, mean, weight = [], 0.0, 0.0
    for loss in losses:
        mean, weight = SMOOTHING * mean + (1 - SMOOTHING) * loss, SMOOTHING * weight + (1 - SMOOTHING)
        found.append(mean / weight)
    return found


def _curve(losses: Sequence[float], top: float, colour: str, thick: float, says: str) -> Iterator[Box]:
    """Yield boxes side by side that follow the losses: between steps in a straight line, or over all in a column."""
    columns = WIDTH // COLUMN
    per_column = (len(losses) - 1) / columns
    for column in range(columns):
        start, end = column * per_column, (column + 1) * per_column
        inside = losses[int(start) + 1 : int(end) + 1]
        here = [_between(losses, start), *inside, _between(losses, end)]
        high, low = _y(max(here) / top), _y(min(here) / top)
        step = round((start + end) / 2)
        hint = f"{says} {step + 1}: {losses[step]:.4f}"
        yield Box(LEFT + column * COLUMN, high - thick / 2, COLUMN, low - high + thick, colour, hint)


def _between(losses: Sequence[float], place: float) -> float:
    first = min(int(place), len(losses) - 1)
    last = min(first + 1, len(losses) - 1)
    return losses[first] + (losses[last] - losses[first]) * (place - first)


def _round_tick(most: float) -> float:
    """Return a distance of grid lines, a 1, 2 or 5 with zeros, of which at most `_TICKS` reach `most`."""
    size = 10.0 ** math.floor(math.log10(max(most, 1e-6) / _TICKS))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor * _TICKS >= most)


def _grid(ticks: int) -> Iterator[Box]:
    for tick in range(ticks + 1):
        yield Box(LEFT, _y(tick / ticks), WIDTH, 1, "#dddddd")


def _y(share: float) -> float:
    return TOP + HEIGHT * (1 - share)
