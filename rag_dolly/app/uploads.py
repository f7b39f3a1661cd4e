"""Files given by a browser: checked, named by us, stored in the index's `uploads` folder, then ingested.

What the browser says of a file is not believed: the name must be of a kind that is known, the size is checked
against `MAX_BYTES`, and the name is rebuilt. A file of the same name replaces the earlier one. Ingestion runs in its
own thread, one at a time in a process; a file that cannot be read says why and the others go on. No Streamlit here.
"""

import logging
import os
import tempfile
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from ingest import loaders
from ingest.errors import RagDollyError
from ingest.report import Progress, Report
from rag_dolly.app.engine import Engine

MAX_BYTES = 50 * 1024 * 1024
FOLDER = "uploads"
State = Literal["waiting", "reading", "indexed", "partial", "refused", "failed"]

_MAX_NAME_BYTES = 180
_FORBIDDEN = set('<>:"/\\|?*')
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
_log = logging.getLogger(__name__)


@dataclass
class FileState:
    """What became of one file: `name` is ours, `reason` says why it was refused or failed, or what was not read."""

    name: str
    state: State = "waiting"
    reason: str = ""


@dataclass(eq=False)
class Run:
    """One upload: its files, how many are done, and `error` in one line if all of it failed.

    `sources` are the names in the index of the files that were looked at.
    """

    files: list[FileState] = field(default_factory=list)
    done: int = 0
    total: int = 0
    finished: bool = False
    sources: set[str] = field(default_factory=set)
    error: str = ""


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


def start(engine: Engine, files: Sequence[tuple[str, bytes]]) -> Run:
    """Store the files (name, content) that can be taken and ingest them in the background."""
    folder = engine.backend.index_dir / FOLDER
    run = Run()
    for given, data in files:
        state = FileState(safe_name(given))
        run.files.append(state)
        state.reason = refusal(state.name, len(data))
        if state.reason:
            state.state = "refused"
        else:
            _store(folder, state, data)
    if any(file.state == "waiting" for file in run.files):
        threading.Thread(target=_ingest, args=(engine, folder, run), name="rag-dolly-ingest", daemon=True).start()
    else:
        run.finished = True
    return run


def _store(folder: Path, state: FileState, data: bytes) -> None:
    try:
        save(folder, state.name, data)
    except OSError as error:
        state.state, state.reason = "failed", f"The file could not be stored ({error.strerror})."


def _ingest(engine: Engine, folder: Path, run: Run) -> None:
    """Ingest the uploads folder, follow its progress, and let the engine see the outcome."""
    try:
        with engine.ingesting:
            report = engine.backend.ingest([folder], lambda event: _follow(run, event))
        _conclude(run, report)
    except RagDollyError as error:
        run.error = str(error)
    except Exception as error:
        _log.exception("ingestion failed")
        run.error = f"The files could not be indexed ({type(error).__name__}). The terminal shows why."
    finally:
        engine.restart()
        run.finished = True


def _follow(run: Run, event: Progress) -> None:
    run.done, run.total = event.done, event.total
    run.sources.add(event.source)
    for file in _named(run, event.source):
        if event.stage == "read":
            file.state = "reading"
        elif event.stage == "stored":
            file.state = "indexed"
        elif event.stage == "failed":
            file.state = "failed"


def _conclude(run: Run, report: Report) -> None:
    """Give every file its end state and reason; a file that the report does not name is in the index.

    The report names what was read in part in the whole index, so only sources of this run count there.
    """
    for source, reason in [*report.failed, *report.skipped]:
        for file in _named(run, source):
            file.state, file.reason = "failed", reason
    for file in run.files:
        if file.state in ("waiting", "reading"):
            file.state = "indexed"
    for source, warning in report.partial:
        for file in _named(run, source) if source in run.sources else ():
            file.state, file.reason = "partial", f"{file.reason}; {warning}" if file.reason else warning


def _named(run: Run, source: str) -> list[FileState]:
    name = PurePosixPath(source).name
    return [file for file in run.files if file.name == name and file.state != "refused"]
