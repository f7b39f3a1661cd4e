"""The model card of a reader, and its losses as a table."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rag_dolly.finetune.loss_plot import write_loss_plot
from rag_dolly.finetune.reader.records import Record
from rag_dolly.finetune.reader.score import Scores
from rag_dolly.reader.weights import about


class Source(NamedTuple):
    """A file of records: its name, the sha256 of its bytes, and what was usable of it."""

    name: str
    sha256: str
    records: list[Record]

    @classmethod
    def of(cls, path: Path, records: list[Record]) -> "Source":
        """Return a file as a source."""
        with path.open("rb") as file:
            return cls(path.name, hashlib.file_digest(file, "sha256").hexdigest(), records)


def write(folder: Path, sources: Sequence[Source], scores: Scores, losses: Sequence[float], epochs: int) -> None:
    """Write README.md, losses.csv and loss.png beside the weights."""
    write_loss_plot(losses, [], "Loss of the reader, by step", folder / "loss.png")
    lines = [f"{step},{loss:.4f}" for step, loss in enumerate(losses, 1)]
    (folder / "losses.csv").write_text("\n".join(["step,loss", *lines, ""]), encoding="utf-8")
    (folder / "README.md").write_text(_card(folder, sources, scores, epochs), encoding="utf-8")


def _card(folder: Path, sources: Sequence[Source], scores: Scores, epochs: int) -> str:
    names = " ".join(source.name for source in sources)
    counts = [(len(one.records), sum(bool(record.answers) for record in one.records)) for one in sources]
    rows = [
        f"| {one.name} | {used:,} | {answered:,} | {one.sha256} |"
        for one, (used, answered) in zip(sources, counts, strict=True)
    ]
    return "\n".join(
        [
            "# A reader for rag-dolly",
            "",
            "Finds the words in a passage that answer a question, or tells that none do. It can only point: it cannot",
            "write a word that the passage does not have. English.",
            "",
            "Base: all-MiniLM-L6-v2 (Apache-2.0); this folder holds what training changed in it, and a head.",
            f"Made by `rag-dolly finetune-reader {names} --out DIR --epochs {epochs}`;",
            f"{about(folder).get('steps', '?')} steps, whose losses are in losses.csv and loss.png.",
            "",
            "## Data",
            "",
            "| file | records used | with an answer | sha256 |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "Questions without an answer were made from the others besides (rag_dolly/finetune/reader/records.py).",
            "",
            "## Figures",
            "",
            f"On {scores.answerable} records held out with an answer, and {scores.unanswerable} without:",
            f"F1 {scores.f1:.3f}, exact match {scores.exact:.3f}, the answer contained {scores.contains:.3f};",
            f"a question with an answer scores above one without in {scores.auc:.3f} of all pairs.",
            "",
        ]
    )
