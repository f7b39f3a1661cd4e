"""How fast answers are written: first token, decoding, many at once; beside plain transformers in the same run.

    python -m benchmarks.generate [FOLDER] [--rounds 3] [--tokens 64] [--users 1 8] [--shape small|3b|7b|12b ...]
                                  [--plot FILE.html|FILE.png]

Without --shape: the embedded model on the processor, with prompts made by the product from FOLDER (default: docs).
With --shape: Dolly's architecture at that shape with random weights, on the GPU if there is one, with prompts of 1,792
random tokens (448 where there is no GPU: to prove that it runs, not for its figures).

Ways are measured in turns. "first" is seconds to the first token of a lone prompt, "tokens/s" what follows it, "floor"
how fast a lone answer could be if nothing but reading the weights took time (bandwidth: the maker's figure for known
GPUs, measured here for a processor), and "at N" all tokens a second of N prompts asked at once, from asking to the last
token; a way that answers one prompt at a time gets two of them, for more would take longer and say the same. Medians
over the rounds, with smallest and largest; ratios to plain generate are of the same round.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.generate_plot import plot
from benchmarks.generate_ways import SHAPES, VOCABULARY, Plain, dolly, embedded, rag_prompts
from rag_dolly.generate.engine import Engine

QUESTIONS = (
    "Which kinds of files can be read?",
    "What happens when a file cannot be read?",
    "How is a follow-up question searched?",
    "Where is the index kept, and what is in it?",
    "How do I choose another language model?",
    "What leaves my machine?",
    "How are keyword and dense scores combined?",
    "Which licences do the models have?",
)
BANDWIDTH = {  # bytes a second, the maker's figures; the first name that occurs in the device's counts
    "H200": 4.8e12,
    "H100 PCIe": 2.0e12,
    "H100": 3.35e12,
    "A100-SXM4-40GB": 1.555e12,
    "A100-PCIE-40GB": 1.555e12,
    "A100": 2.0e12,
    "A10": 0.6e12,
    "L4": 0.3e12,
    "T4": 0.32e12,
}


class Figures(NamedTuple):
    """What one way gave in one round: seconds, tokens a second, tokens a second by number of users, tokens a step."""

    first: float
    rate: float
    together: dict[int, float]
    per_step: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--users", type=int, nargs="+", default=[8])
    parser.add_argument("--shape", choices=SHAPES, nargs="+", default=[])
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    tables = {}
    for shape in given.shape or [""]:
        title, rounds, floor = _measure(shape, given)
        _show(title, rounds, floor, given.users)
        tables[title] = ({name: [f.rate for f in found] for name, found in rounds.items()}, floor)
    if given.plot:
        plot(tables, given.plot)


def _measure(shape: str, given: argparse.Namespace) -> tuple[str, dict[str, list[Figures]], float]:
    """Return a title, the figures of each way round by round, and the floor in tokens a second."""
    device = "cuda" if shape and torch.cuda.is_available() else "cpu"
    number = 0
    if shape:
        ways, read = dolly(shape, device)
        length = 1792 if device == "cuda" else 448
        generator = torch.Generator().manual_seed(1)

        def prompt() -> list[int]:
            return torch.randint(1, VOCABULARY - 10, (length,), generator=generator).tolist()
    else:
        dialect, ways, read = embedded()
        rag = rag_prompts(dialect, given.folder, QUESTIONS)

        def prompt() -> list[int]:
            nonlocal number
            number += 1
            return rag(QUESTIONS[number % len(QUESTIONS)], number)

    engines = {name: make() for name, make in ways.items()}
    rounds: dict[str, list[Figures]] = {name: [] for name in engines}
    length = len(prompt())
    for done in range(given.rounds):
        lone = [prompt() for _ in range(2)]
        many = {users: [prompt() for _ in range(users)] for users in given.users}
        for name, engine in engines.items():
            rounds[name].append(_figures(engine, lone, many, given.tokens))
            print(f"round {done + 1}, {name}: {rounds[name][-1]}", file=sys.stderr)
    for engine in engines.values():
        engine.close()
    model = f"Dolly {shape}, random weights" if shape else "embedded model"
    title = f"{_name(device)}, {model}, prompts of {length} tokens"
    return title, rounds, _bandwidth(device) / read


def _figures(engine: Engine, lone: list[list[int]], many: dict[int, list[list[int]]], tokens: int) -> Figures:
    list(engine.tokens(lone[0][:32], 4, lambda: False))  # what is done once is done
    asked = [_lone(engine, prompt, tokens) for prompt in lone]
    first, rate, per_step = (statistics.median(values) for values in zip(*asked, strict=True))
    together = {}
    for users, prompts in many.items():
        together[users] = _together(engine, prompts[: 2 if _alone(engine) else users], tokens)
    return Figures(first, rate, together, per_step)


def _alone(engine: Engine) -> bool:
    return isinstance(engine, Plain) or engine.describe().endswith("one at a time")


def _lone(engine: Engine, prompt: Sequence[int], tokens: int) -> tuple[float, float, float]:
    """Return the seconds to the first token, and the tokens a second, and a step, after it (1 without lookup)."""
    began = time.perf_counter()
    stream = engine.tokens(prompt, tokens, lambda: False)
    next(stream)
    first, steps = time.perf_counter(), getattr(engine, "steps", 0)
    rest = sum(1 for _ in stream)
    rate = rest / (time.perf_counter() - first) if rest else float("nan")
    return first - began, rate, rest / max(getattr(engine, "steps", rest) - steps, 1)


def _together(engine: Engine, prompts: Sequence[Sequence[int]], tokens: int) -> float:
    """Return all tokens a second of prompts that are asked at once, each by a thread of its own."""
    counts: list[int] = []

    def ask(prompt: Sequence[int]) -> None:
        counts.append(sum(1 for _ in engine.tokens(prompt, tokens, lambda: False)))

    threads = [threading.Thread(target=ask, args=(prompt,)) for prompt in prompts]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def _bandwidth(device: str) -> float:
    """Return the bytes a second that memory gives: a known GPU's, or measured by summing 512 MB on the processor."""
    if device == "cuda":
        name = torch.cuda.get_device_name()
        return next((speed for known, speed in BANDWIDTH.items() if known in name), float("nan"))
    data = torch.ones(128 * 2**20)
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        data.sum()
        spent.append(time.perf_counter() - began)
    return data.numel() * 4 / min(spent)


def _name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else f"processor, {torch.get_num_threads()} threads"


def _show(title: str, rounds: dict[str, list[Figures]], floor: float, users: list[int]) -> None:
    print(f"\n{title}; floor {floor:.0f} tokens/s")
    heads = ["first, s", "tokens/s", *(f"at {n}" for n in users)]
    print(f"{'':44s}" + "".join(f"{head:>34s}" for head in heads) + f"{'tokens a step':>18s}")
    plain = next(iter(rounds.values()))
    for name, found in rounds.items():
        cells = [_cell([f.first for f in found], [p.first / f.first for p, f in zip(plain, found, strict=True)])]
        cells += [_cell([f.rate for f in found], [f.rate / p.rate for p, f in zip(plain, found, strict=True)])]
        for n in users:
            values = [f.together[n] for f in found]
            cells += [_cell(values, [v / p.together[n] for v, p in zip(values, plain, strict=True)])]
        per_step = statistics.median(f.per_step for f in found)
        print(f"{name:44s}" + "".join(f"{cell:>34s}" for cell in cells) + f"{per_step:18.2f}")


def _cell(values: list[float], ratios: list[float]) -> str:
    low, high = np.min(ratios), np.max(ratios)
    return f"{statistics.median(values):.2f} ({statistics.median(ratios):.2f}x, {low:.2f}-{high:.2f})"


if __name__ == "__main__":
    main()
