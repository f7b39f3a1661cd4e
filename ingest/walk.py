"""A folder to the files in it that are worth reading, and the reasons for passing over the others.

Every entry is said: as a file to read, as a skipped file, or as a skipped folder whose source ends in "/" (what is in
that is not listed). No file is opened but `.ragignore`. Symbolic links never lead out of the folder, and a linked
folder is not entered; a link to a file within the folder is read under the name of the link.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest import loaders
from ingest.ignore import NAME, Rules, read_rules, reason_to_ignore

MAX_BYTES = 256 * 1024 * 1024
INDEX_FILES = ("index.sqlite3", "writer.lock")
"""What marks a folder as an index, also one that is just being made."""

_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read: its source name (posix path relative to the root), where it is, and how it stood.

    `size` is in bytes. `stamp` changes when the file is written or replaced: as long as it is the same, the
    content need not be read again.
    """

    source: str
    path: Path
    size: int
    stamp: str


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file or folder that is passed over, and why. The source of a folder ends in "/", the root's is "./".

    `keep`: it could not be looked at, so what is known of it, or of files below it, is not to be taken for gone.
    """

    source: str
    reason: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to list: `base` is "" for the root, else its source with "/"; `rules` are those of folders above."""

    path: Path
    base: str
    rules: Rules


def walk(root: Path, start: Path | None = None) -> Iterator[FoundFile | SkippedFile]:
    """Yield what lies under `start` (default: `root`), named relative to `root`.

    Sorted by name, the files of a folder before its subfolders. If a `.ragignore` at or below `root`, or a
    default, ignores `start` or a folder above it, that is all that is said. `root` itself is never ignored.
    """
    start = start or root
    folder = _Folder(root, "", ())
    for name in start.relative_to(root).parts:
        inner = folder.path / name
        rules = folder.rules + _rules(folder)
        is_folder = os.path.isdir(inner)
        if reason := reason_to_ignore(folder.base + name, is_folder, rules):
            yield SkippedFile(_shown(folder.base + name) + "/" * is_folder, reason)
            return
        if is_folder:
            folder = _Folder(inner, f"{folder.base}{name}/", rules)
    yield from _below(folder, os.path.realpath(root), only="" if folder.path == start else start.name)


def stamp(status: os.stat_result) -> str:
    """Return size, times and identity of a file as one string: "size:mtime_ns:ctime_ns:inode"."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"


def _below(start: _Folder, root: str, only: str) -> Iterator[FoundFile | SkippedFile]:
    """Yield what lies in a folder, or the one entry `only` of it. A stack, since folders can be very deep."""
    todo = [start]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(folder.path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield SkippedFile(_shown(folder.base) or "./", f"cannot be entered: {_words(error)}", keep=True)
            continue
        names = {entry.name for entry in entries}
        if folder is not start and not names.isdisjoint(INDEX_FILES):
            yield SkippedFile(folder.base, "an index of this program")
            continue
        rules, problem = read_rules(folder.path, folder.base) if NAME in names else ((), "")
        here = _Folder(folder.path, folder.base, folder.rules + rules)
        items = [_item(here, entry, root, problem) for entry in entries if only in ("", entry.name)]
        yield from (item for item in items if not isinstance(item, _Folder))
        todo += reversed([item for item in items if isinstance(item, _Folder)])


def _rules(folder: _Folder) -> Rules:
    """Return the rules of a folder above the start; what is wrong with them is said when that folder is walked."""
    return read_rules(folder.path, folder.base)[0] if os.path.lexists(folder.path / NAME) else ()


def _item(here: _Folder, entry: os.DirEntry[str], root: str, problem: str) -> FoundFile | SkippedFile | _Folder:
    """Decide on one entry of a folder; `problem` is what is wrong with the folder's `.ragignore`."""
    source = here.base + entry.name
    try:
        is_link = entry.is_symlink() or getattr(entry, "is_junction", bool)()  # junctions: Windows, Python >= 3.12
        if is_link and (reason := _bad_link(entry, root)):
            return SkippedFile(_shown(source), reason)
        is_folder = entry.is_dir()
        end = "/" * is_folder
        if _shown(source) != source:
            return SkippedFile(_shown(source) + end, "its name is not UTF-8: rename it")
        if entry.name == NAME and problem:
            return SkippedFile(source + end, problem)
        if reason := reason_to_ignore(source, is_folder and not is_link, here.rules):
            return SkippedFile(source + end, reason)
        if is_folder and is_link:
            return SkippedFile(source + end, "a symbolic link to a folder: what is in that is read where it lies")
        return _Folder(here.path / entry.name, source + end, here.rules) if is_folder else _file(source, here, entry)
    except OSError as error:
        gone = isinstance(error, FileNotFoundError)
        return SkippedFile(_shown(source), f"cannot be reached: {_words(error)}", keep=not gone)


def _file(source: str, here: _Folder, entry: os.DirEntry[str]) -> FoundFile | SkippedFile:
    """Decide on what is not a folder, by what can be told without opening it."""
    if not entry.is_file():
        mode = entry.stat().st_mode
        what = next((words for test, words in _SPECIAL if test(mode)), "something else")
        return SkippedFile(source, f"not a regular file: {what}")
    if loaders.kind_of(entry.name) is None:
        return SkippedFile(source, f"unsupported kind: {os.path.splitext(entry.name)[1].lower() or 'no suffix'}")
    status = entry.stat()
    if status.st_size > MAX_BYTES:
        return SkippedFile(source, f"too large: {status.st_size >> 20} MB, the limit is {MAX_BYTES >> 20} MB")
    return FoundFile(source, here.path / entry.name, status.st_size, stamp(status))


def _bad_link(entry: os.DirEntry[str], root: str) -> str:
    """Return why a link leads to nothing that may be read, "" if it leads into the root. Never looks outside."""
    if not Path(os.path.realpath(entry.path)).is_relative_to(root):
        return "a symbolic link that leads out of the folder"
    try:
        entry.stat()
    except FileNotFoundError:
        return "a symbolic link to nothing"
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return "a symbolic link that leads round in a circle"
    return ""


def _shown(source: str) -> str:
    r"""Return the source as text that can be stored: bytes that are not UTF-8 as `\\xe9`."""
    try:
        source.encode()
    except UnicodeEncodeError:
        return os.fsencode(source).decode("utf-8", "backslashreplace")
    return source


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
