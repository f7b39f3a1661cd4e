"""A folder to the files in it that are worth reading, and the reasons for passing over the others.

Symbolic links are never followed out of the folder, device files and sockets are skipped, and the folders
in `IGNORED_FOLDERS` are not entered.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest import loaders

IGNORED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".cache", ".mypy_cache"}
    | {".pytest_cache", ".ruff_cache", ".idea", ".vscode", ".rag-dolly"}
)
MAX_BYTES = 256 * 1024 * 1024
INDEX_FILES = ("index.sqlite3", "writer.lock")
"""What marks a folder as an index, also one that is just being made."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read: its source name (posix path relative to the root) and where it is."""

    source: str
    path: Path


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that is passed over on purpose, and why."""

    source: str
    reason: str


def walk(root: Path, start: Path | None = None) -> Iterator[FoundFile | SkippedFile]:
    """Yield what lies under `start` (default: `root`), named relative to `root`, in sorted order."""
    start = start or root
    if start.is_file():
        yield classify(root, start)
        return
    for folder, folders, files in os.walk(start, followlinks=False):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if _enter(here / name))
        for name in sorted(files):
            yield classify(root, here / name)


def classify(root: Path, path: Path) -> FoundFile | SkippedFile:
    """Decide whether one file is to be read."""
    source = path.relative_to(root).as_posix()
    reason = _reason_to_skip(root, path)
    return SkippedFile(source, reason) if reason else FoundFile(source, path)


def _enter(folder: Path) -> bool:
    """Whether to walk into a folder: not ignored, not a link, not somebody's index."""
    is_index = any((folder / name).exists() for name in INDEX_FILES)
    return not (folder.name in IGNORED_FOLDERS or folder.is_symlink() or is_index)


def _reason_to_skip(root: Path, path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return f"cannot be reached: {error.strerror or error}"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        return "a symbolic link that leads out of the folder"
    if loaders.kind_of(path.name) is None:
        return f"unsupported kind: {path.suffix.lower() or 'no suffix'}"
    if status.st_size > MAX_BYTES:
        return f"too large: {status.st_size >> 20} MB, the limit is {MAX_BYTES >> 20} MB"
    return ""
