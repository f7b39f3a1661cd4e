"""What would be read of a folder on this machine, found out before anything is. No Streamlit here.

Limits: the look ends after `SECONDS` or `MOST` entries and says so. Only folders that this program's user may enter
are looked at, and none with a hidden folder in its path (such as `.ssh`), nor the root of a disk.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import NothingToIngest
from ingest.walk import FoundFile, walk

SECONDS = 4.0
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies in a folder: `files` to read of `bytes` bytes, by suffix, and `passed` entries that are passed over.

    `examples` are some of those with the reason; `whole` is false if there is more than was looked at.
    """

    path: Path
    files: int = 0
    bytes: int = 0
    suffixes: Counter[str] = field(default_factory=Counter)
    passed: int = 0
    examples: tuple[tuple[str, str], ...] = ()
    whole: bool = True


def survey(given: str, seconds: float = SECONDS, most: int = MOST) -> Survey:
    """Return what would be read of the folder that a typed path names. Raises `NothingToIngest`."""
    path = checked(given)
    end, files, size, passed = time.monotonic() + seconds, 0, 0, 0
    suffixes, examples, whole = Counter[str](), list[tuple[str, str]](), True
    for item in walk(path):
        if isinstance(item, FoundFile):
            files, size = files + 1, size + item.size
            suffixes[item.path.suffix.lower() or "no suffix"] += 1
        else:
            passed += 1
            examples += [(item.source, item.reason)] * (len(examples) < 5)
        if files + passed >= most or time.monotonic() > end:
            whole = False
            break
    if not files and whole:
        raise NothingToIngest(f"Nothing in {path} can be read: expected documents such as PDF, Word, Markdown or HTML.")
    return Survey(path, files, size, suffixes, passed, tuple(examples), whole)


def checked(given: str) -> Path:
    """Return the folder that a typed path names. Raises `NothingToIngest` if it names none that may be read."""
    text = given.strip().strip("\"'")
    if not text:
        raise NothingToIngest("Type the path of a folder on this machine, such as /home/me/papers.")
    try:
        path = Path(text).expanduser()
        if not path.is_absolute():
            raise NothingToIngest(f"Type the whole path, from the root on: found “{text}”.")
        path = path.resolve()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise NothingToIngest(f"“{text}” cannot be looked at: type the path of another folder.") from error
    if not is_folder:
        raise NothingToIngest(f"There is no folder {path} on this machine: check the spelling, or add files below.")
    if path.parent == path:
        raise NothingToIngest("That is a whole disk: choose the folder that holds your documents.")
    if any(part.startswith(".") for part in path.parts):
        raise NothingToIngest(
            f"{path} is hidden: such folders hold settings and keys, and are not read from this page."
        )
    return path
