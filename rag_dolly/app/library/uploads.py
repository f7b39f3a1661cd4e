"""Files given by a browser: checked, named by us, stored in the index's `uploads` folder, then ingested.

What the browser says of a file is not believed: the name must be of a kind that is known, the size is checked
against `MAX_BYTES`, and the name is rebuilt. A file of the same name replaces the earlier one. They are
ingested as a run (`runs.py`); a file that cannot be read says why and the others go on. No Streamlit here.
"""

import os
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from ingest import loaders
from ingest.report import Progress, Report
from rag_dolly.app.engine import Engine
from rag_dolly.app.library.runs import Run, begin

MAX_BYTES = 50 * 1024 * 1024
FOLDER = "uploads"
State = Literal["waiting", "reading", "indexed", "partial", "refused", "failed"]

_MAX_NAME_BYTES = 180
_FORBIDDEN = set('<>:"/\\|?*')
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
_STATES: dict[str, State] = {"read": "reading", "stored": "indexed", "failed": "failed"}


@dataclass
class FileState:
    """What became of one file: `name` is ours, `reason` says why it was refused or failed, or what was not read."""

    name: str
    state: State = "waiting"
    reason: str = ""


@dataclass(eq=False)
class Upload(Run):
    """One upload: its files and what became of each.

    `sources` are the names in the index of the files that were looked at.
    """

    files: list[FileState] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)

    def follow(self, event: Progress) -> None:
        """Note what became of a file."""
        super().follow(event)
        self.sources.add(event.source)
        for file in self._named(event.source):
            if event.stage != "found":
                file.state = _STATES[event.stage]

    def conclude(self, report: Report) -> None:
        """Give every file its end state and reason; a file that the report does not name is in the index.

        The report names what was read in part in the whole index, so only sources of this run count there.
        """
        super().conclude(report)
        for source, reason in [*report.failed, *report.skipped]:
            for file in self._named(source):
                file.state, file.reason = "failed", reason
        for file in self.files:
            if file.state in ("waiting", "reading"):
                file.state = "indexed"
        for source, warning in report.partial:
            for file in self._named(source) if source in self.sources else ():
                file.state, file.reason = "partial", f"{file.reason}; {warning}" if file.reason else warning

    def _named(self, source: str) -> list[FileState]:
        name = PurePosixPath(source).name
        return [file for file in self.files if file.name == name and file.state != "refused"]


def safe_name(name: str) -> str:
    """Return a plain file name made from what a browser sent: no folders, no control or format characters."""
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join("_" if char in _FORBIDDEN else char for char in base if unicodedata.category(char)[0] != "C")
    path = PurePosixPath(kept.strip(" .") or "document")
    stem, suffix = path.stem, path.suffix.lower()
    if stem.lower() in _RESERVED:
        stem = f"_{stem}"
    room = _MAX_NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + suffix


def refusal(name: str, size: int) -> str:
    """Return why a file is not taken, "" if it is.

    Kinds that are known and cannot be read (.doc) are taken: ingestion says what to do with them.
    """
    if loaders.kind_of(name) is None:
        return f"Files of this kind ({PurePosixPath(name).suffix.lower() or 'no suffix'}) cannot be read."
    if size == 0:
        return "The file is empty."
    if size > MAX_BYTES:
        return f"The file is larger than {MAX_BYTES // 1024 // 1024} MB."
    return ""


def save(folder: Path, name: str, data: bytes) -> Path:
    """Write a file under its safe name, whole or not at all, and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".upload-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        target = folder / name
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def start(engine: Engine, files: Sequence[tuple[str, bytes]]) -> Upload:
    """Store the files (name, content) that can be taken and ingest them in the background."""
    folder = engine.backend.index_dir / FOLDER
    run = Upload(f"Adding {len(files)} {'file' if len(files) == 1 else 'files'}")
    for given, data in files:
        state = FileState(safe_name(given))
        run.files.append(state)
        state.reason = refusal(state.name, len(data))
        if state.reason:
            state.state = "refused"
        else:
            _store(folder, state, data)
    if any(file.state == "waiting" for file in run.files):
        begin(engine, run, lambda tell: engine.backend.ingest([folder], tell))
    else:
        run.phase = "ended"
    return run


def _store(folder: Path, state: FileState, data: bytes) -> None:
    try:
        save(folder, state.name, data)
    except OSError as error:
        state.state, state.reason = "failed", f"The file could not be stored ({error.strerror})."
