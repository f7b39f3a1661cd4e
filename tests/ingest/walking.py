"""Make files in a folder, and say what `walk` finds in it and what it skips."""

from ingest.walk import FoundFile, SkippedFile, walk


def make(root, *sources):
    """Make files with a line of text under the root, given their sources."""
    for source in sources:
        (root / source).parent.mkdir(parents=True, exist_ok=True)
        (root / source).write_text("A line of text.")


def found(root, start=None):
    return [item.source for item in walk(root, start) if isinstance(item, FoundFile)]


def skipped(root, start=None):
    return {item.source: item.reason for item in walk(root, start) if isinstance(item, SkippedFile)}
