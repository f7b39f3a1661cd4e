"""Where the time and the tokens of an answer went, as bars made of HTML."""

from collections.abc import Mapping, Sequence
from typing import Any

from rag_dolly.app import markup

_LEAST = 0.004
"""A part smaller than this share of the bar is only named."""


def seconds(taken: Mapping[str, float]) -> str:
    """Return a bar of the seconds of each step."""
    parts = [(name, float(value), f"{value:.2f} s") for name, value in taken.items() if value > 0]
    return _bar("Seconds", parts, sum(value for _, value, _ in parts))


def tokens(prompt: Mapping[str, Any] | None) -> str:
    """Return a bar of the model's window: what question and format, passages and answer took, and what was left."""
    if prompt is None:
        return ""
    passages = max(0, prompt["tokens"] - prompt["frame"])
    free = max(0, prompt["window"] - prompt["tokens"] - prompt["answer_tokens"])
    told = [
        ("question and format", prompt["frame"]),
        ("passages", passages),
        ("answer", prompt["answer_tokens"]),
        ("free", free),
    ]
    return _bar("Tokens of the window", [(name, float(n), f"{n:,}") for name, n in told], float(prompt["window"]))


def _bar(title: str, parts: Sequence[tuple[str, float, str]], whole: float) -> str:
    if whole <= 0:
        return ""
    cells = "".join(
        f'<span class="rd-part rd-part-{number % 6}{" rd-free" if name == "free" else ""}" '
        f'style="width:{100 * size / whole:.2f}%"></span>'
        for number, (name, size, _) in enumerate(parts)
        if size / whole >= _LEAST
    )
    names = "".join(
        f'<li class="rd-part-{number % 6}{" rd-free" if name == "free" else ""}">{markup.escape(f"{name} {said}")}</li>'
        for number, (name, _, said) in enumerate(parts)
    )
    head = markup.element("h3", "rd-label", title)
    return f'{head}<div class="rd-stack" aria-hidden="true">{cells}</div><ul class="rd-parts">{names}</ul>'
