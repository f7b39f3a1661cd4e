"""The title of a document: the first good candidate, else the name of the file."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from ingest.passage import Block

_LONGEST = 200


def pick(source: str, candidates: Iterable[str | None]) -> str:
    """Return the first candidate that is not blank, in one line of at most 200 characters, or the stem."""
    for candidate in candidates:
        title = " ".join((candidate or "").split())
        if title:
            return title[:_LONGEST]
    return PurePosixPath(source).stem or source


def first_heading(blocks: Iterable[Block]) -> str:
    """Return the title of the first heading, "" if there is none."""
    return next((block.title for block in blocks if block.kind == "heading" and block.title), "")
