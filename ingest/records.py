"""What the store hands out: documents and passages as they are in the index."""

from dataclasses import dataclass
from pathlib import Path

from ingest.passage import Passage


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """What the index says of one file. `state` is "indexed", "failed" or "skipped"; `reason` says why, or is ""."""

    source: str
    kind: str
    title: str
    passages: int
    bytes: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as it is in the index: its id there, and the title of its document.

    `metadata` is JSON that a program stored with a text of its own, "" for documents from folders.
    """

    id: int
    title: str
    metadata: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it was read; `path` is where the file was, relative paths counting from the index folder."""

    source: str
    kind: str
    title: str
    text: str
    page_starts: tuple[int, ...]
    path: Path
