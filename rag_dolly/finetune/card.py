"""The model card of a fine-tuned model: what it was made of, how, with which licences, and what was measured."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag_dolly import __version__

_ROWS = {
    "loss": "loss a response token",
    "perplexity": "perplexity",
    "exact_match": "exact match",
    "f1": "F1",
    "refused_rightly": "refused where the passages do not tell",
    "refused_wrongly": "refused where they do",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says. `facts` are lines of name and value; `before` and `after` are figures by name, or None."""

    name: str
    base: str
    base_licence: str
    data: str
    data_licence: str
    facts: Mapping[str, Any]
    command: Sequence[str]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    use: str


def as_markdown(card: Card) -> str:
    """Return the card as Markdown, with the head that the hub and `rag-dolly doctor` read."""
    return "\n".join(
        [
            *_head(card),
            f"# {_plain(card.name)}",
            "",
            f"{_plain(card.base)}, fine-tuned on {_plain(card.data)} by rag-dolly {__version__}.",
            "",
            "```sh",
            card.use,
            "```",
            "",
            "## Licences",
            "",
            f"- base model {_plain(card.base)}: {_plain(card.base_licence)}",
            f"- data {_plain(card.data)}: {_plain(card.data_licence)}",
            "",
            _LICENCE_NOTE,
            "",
            "## How it was made",
            "",
            "```sh",
            shlex.join(card.command),
            "```",
            "",
            *(f"- {name}: {_plain(str(value))}" for name, value in card.facts.items()),
            "",
            "## Figures",
            "",
            *_figures(card),
            "",
            "## Limits",
            "",
            "Measured on records of the same source as those trained on, and on nothing else. It may have unlearned",
            "what the records do not ask for.",
            "",
        ]
    )


_LICENCE_NOTE = (
    "Both bind who passes this model on; a share-alike licence of the data may be held to extend to it. "
    '"unknown" means that no card or file said.'
)


def _head(card: Card) -> list[str]:
    is_id = card.base_licence != "unknown" and re.fullmatch(r"[\w.+-]+", card.base_licence)
    licence = card.base_licence if is_id else "other"
    return [
        "---",
        f"license: {licence}",
        f"base_model: {_quoted(card.base)}",
        f"datasets: [{_quoted(card.data)}]",
        "library_name: transformers",
        "tags: [rag-dolly]",
        "---",
        "",
    ]


def _figures(card: Card) -> list[str]:
    if not card.before or not card.after:
        return ["Nothing was measured: no record was held out."]
    lines = [
        f"On {card.after['records']} records that were held out",
        "",
        "| measure | before | after |",
        "| --- | --- | --- |",
    ]
    if answers := card.after.get("answers"):
        lines[0] += f", and the greedy answers to {answers} of them"
    lines[0] += ":"
    names = {**_ROWS, **{name: name for name in card.after if "@" in name}}
    for name, title in names.items():
        if card.after.get(name) is not None:
            lines.append(f"| {title} | {_number(card.before.get(name))} | {_number(card.after[name])} |")
    return lines


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "-"


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _quoted(text: str) -> str:
    return '"' + _plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
