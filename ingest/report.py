"""What an ingestion run tells: progress while it runs, and the report at its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["found", "read", "stored", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened. `done` of `total` counts files that have come to their end (any end).

    `source` is the file it happened to, empty for "found"; `passages` how many passages were stored
    so far in this run.
    """

    stage: Stage
    source: str
    done: int
    total: int
    passages: int = 0


OnProgress = Callable[[Progress], None]


@dataclass(slots=True)
class Report:
    """The outcome of one run. Sources are named as they are in the index.

    `failed` lists files that were meant to be indexed and could not be read; `skipped` lists what was passed
    over on purpose (ignored, unsupported kind, too large); `partial` lists, one line each, what could not be read
    of files that are in the index; `passages` counts all passages now in the index; `seconds` is the wall time.
    """

    added: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    partial: list[tuple[str, str]] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the object that `rag-dolly ingest --json` prints."""
        return {
            "added": self.added,
            "updated": self.updated,
            "deleted": self.deleted,
            "unchanged": self.unchanged,
            "failed": [{"source": source, "error": error} for source, error in self.failed],
            "skipped": [{"source": source, "reason": reason} for source, reason in self.skipped],
            "partial": [{"source": source, "warning": warning} for source, warning in self.partial],
            "passages": self.passages,
            "seconds": round(self.seconds, 3),
        }
