"""The folder is the truth: compare it with the index, read what is new, forget what is gone.

A file that stands as it stood (size, times, inode) is not opened; one whose content is in the index already, under
this name or another, is not parsed again, and no text is embedded twice. Files are parsed in worker processes while
passages are embedded. Each document is stored in one transaction, so an interrupted run leaves an index that is
complete up to the last stored document, and the next run finishes the rest.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from ingest import chunk, derived, loaders
from ingest.calibrate import calibrate
from ingest.embed import GROUP, Embedder
from ingest.errors import NothingToIngest, UnreadableFile
from ingest.index import FILE
from ingest.parse import Parsed, Parsers
from ingest.passage import Document
from ingest.report import OnProgress, Progress, Report, Stage
from ingest.roots import Scope, drop_absorbed, find_scope, known_roots, root_id
from ingest.store import FileFacts, Known, Store
from ingest.vectorize import Row, rows_of, vectors_for
from ingest.walk import FoundFile, SkippedFile, walk
from ingest.writing import claim, now, writing

Plan = list[tuple[Scope, list[FoundFile | SkippedFile]]]
READ_WITH = f"loaders {loaders.VERSION}, chunker {chunk.VERSION}"
"""Documents that were read with another version are read again."""
_NO_OCR = ", no OCR"
"""Stands behind that for those of which pages are missing that OCR could read; they are read again once it can."""


@dataclass(frozen=True, slots=True)
class _Task:
    """A file that may have to be read: its name in the index, and what the index knows of it."""

    root: int
    source: str
    file: FoundFile
    known: Known | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of looking at a file: `reason` why it cannot be read, or `document`, or neither: it is unchanged."""

    task: _Task
    facts: FileFacts
    document: Document | None = None
    rows: Sequence[Row] = ()
    reason: str = ""


@dataclass(slots=True)
class _Run:
    """The state of one run."""

    store: Store
    embedder: Embedder
    on_progress: OnProgress
    total: int = 0
    done: int = 0
    stored: int = 0
    report: Report = field(default_factory=Report)
    waiting: list[_Outcome] = field(default_factory=list)

    def tell(self, stage: Stage, source: str = "") -> None:
        self.on_progress(Progress(stage, source, self.done, self.total, self.stored))

    def end(self, stage: Stage, source: str) -> None:
        self.done += 1
        self.tell(stage, source)


def ingest_paths(
    paths: Sequence[Path],
    index_dir: Path,
    embedder: Embedder,
    on_progress: OnProgress = lambda _: None,
    *,
    workers: int | None = None,
    passwords: Sequence[str] = (),
    retry_failed: bool = True,
) -> Report:
    """Bring the index in `index_dir` up to date with these files and folders, creating it if need be.

    `workers` is the number of parser processes (default: one for each core, at most 8); `passwords` are tried on
    encrypted files; with `retry_failed` off, a file that could not be read and has not changed is not tried again.
    Raises `NothingToIngest` (a path is missing, or nothing in it can be indexed and nothing was before),
    `IndexBusy` (another process is writing) and `IndexMismatch` (made by another embedder); then the index is as
    it was. Files that cannot be read are in the report, not raised.
    """
    began = time.monotonic()
    for path in paths:
        find_scope(path, [], index_dir)
    with writing(index_dir):
        store = Store(index_dir / FILE, create=True) if (index_dir / FILE).exists() else None
        try:
            plan = _plan(paths, known_roots(store, index_dir) if store else [], index_dir)
            store = store or Store(index_dir / FILE, create=True)
            claim(store, embedder, index_dir)
            run = _Run(store, embedder, on_progress)
            with Parsers(workers or min(os.cpu_count() or 1, 8), passwords) as parsers:
                _bring_up_to_date(run, plan, index_dir, parsers, retry_failed)
        finally:
            if store:
                store.close()
    run.report.seconds = time.monotonic() - began
    return run.report


def _plan(paths: Sequence[Path], known: list[tuple[Path, str]], index_dir: Path) -> Plan:
    """Return what lies under each path. Nothing is written yet, so that a mistake leaves the index as it was."""
    plan: Plan = []
    roots = {root for root, _ in known}
    for path in sorted(paths, key=lambda path: len(path.resolve().parts)):
        scope = find_scope(path, known, index_dir)
        items = list(walk(scope.root, scope.start))
        if scope.root not in roots and not any(isinstance(item, FoundFile) for item in items):
            raise NothingToIngest(_nothing(path, items))
        if scope.root not in {root for root, _ in known}:
            known = [*known, (scope.root, scope.prefix)]
        plan.append((scope, items))
    return plan


def _bring_up_to_date(run: _Run, plan: Plan, index_dir: Path, parsers: Parsers, retry_failed: bool) -> None:
    tasks: dict[str, _Task] = {}
    gone: dict[str, Known] = {}
    for scope, items in plan:
        root = root_id(run.store, index_dir, scope)
        known = {source: entry for source, entry in run.store.known(root).items() if scope.covers(source)}
        for item in items:
            source = scope.source(item.source)
            if isinstance(item, FoundFile):
                tasks[source] = _Task(root, source, item, known.pop(source, None))
            else:
                _skip(run, root, source, item, known)
        gone |= known
    run.total = len(tasks)
    run.tell("found")
    work = [task for task in tasks.values() if not _is_settled(run, task, retry_failed)]
    for outcome in parsers.each(lambda task: _look(run, task, parsers), work):
        _take(run, outcome)
    _flush(run)
    for source, entry in gone.items():  # last, so that a renamed file finds what was read and embedded
        run.store.delete_document(source)
        run.report.deleted += entry.state == "indexed"
    drop_absorbed(run.store, index_dir)
    run.store.clear_staged()
    run.store.set("updated", now())
    derived.refresh(run.store, index_dir)
    calibrate(run.store, index_dir, run.embedder)
    _conclude(run.report, run.store)


def _skip(run: _Run, root: int, source: str, item: SkippedFile, known: dict[str, Known]) -> None:
    """Note what is passed over. What could not be looked at is not taken for gone, nor what lies below it."""
    run.report.skipped.append((source, item.reason))
    below = source.removesuffix("./") if source.endswith("/") else None
    if item.keep:
        kept = [name for name in known if name == source or (below is not None and name.startswith(below))]
        if [known.pop(name) for name in kept]:
            return
    before = known.pop(source, None)
    if before is None or (before.state, before.reason) != ("skipped", item.reason):
        run.store.put_failure(root, source, FileFacts(), "", "skipped", item.reason)


def _is_settled(run: _Run, task: _Task, retry_failed: bool) -> bool:
    """Whether a file need not be opened: it stands as it stood when this version read it."""
    known = task.known
    if known is None or known.stamp != task.file.stamp or not _is_current(known):
        return False
    if known.state == "indexed":
        run.report.unchanged += 1
        run.end("stored", task.source)
        return True
    if known.state == "failed" and not retry_failed:
        run.report.failed.append((task.source, known.reason))
        run.end("failed", task.source)
        return True
    return False


def _look(run: _Run, task: _Task, parsers: Parsers) -> _Outcome:
    """Find out what a file holds: nothing new, what was read before under some name, or what a parser reads."""
    facts = FileFacts(size=task.file.size, stamp=_settled_stamp(task.file), read_with=READ_WITH)
    try:
        facts = facts._replace(sha256=_sha256(task.file.path))
        known = task.known
        if known and known.state == "indexed" and known.sha256 == facts.sha256 and _is_current(known):
            return _Outcome(task, facts)
        document = _read_before(run.store, task.source, facts.sha256)
        if document is None:
            parsed: Parsed = parsers.parse(task.source, task.file.path)
            document, facts = parsed.document, facts._replace(sha256=parsed.sha256, size=parsed.size)
            if any("install Tesseract" in warning for warning in document.warnings):
                facts = facts._replace(read_with=READ_WITH + _NO_OCR)
        return _Outcome(task, facts, document, rows_of(document, run.embedder))
    except UnreadableFile as error:
        return _Outcome(task, facts, reason=str(error))
    except OSError as error:
        return _Outcome(task, facts, reason=f"cannot be read: {error.strerror or error}")


def _is_current(known: Known) -> bool:
    """Whether reading a file again would give what the index has of it."""
    if known.read_with != READ_WITH + _NO_OCR:
        return known.read_with == READ_WITH
    from ingest.loaders import pdf_ocr

    return not pdf_ocr.available()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settled_stamp(file: FoundFile) -> str:
    """Return the file's stamp, one that no file has if it was written just now: it may be again at the same time."""
    written = max(int(part) for part in file.stamp.split(":")[1:3])
    return file.stamp if time.time_ns() - written > 2_000_000_000 else f"{file.stamp}:new"


def _read_before(store: Store, source: str, sha256: str) -> Document | None:
    """Return what was read from the same content under another name, with this name."""
    name = PurePosixPath(source)
    found = store.parsed(sha256, READ_WITH, name.suffix.lower())
    if found is None:
        return None
    before = PurePosixPath(found.source)
    title = {before.stem: name.stem, before.name: name.name}.get(found.title, found.title)
    return replace(found, source=source, title=title)


def _take(run: _Run, outcome: _Outcome) -> None:
    """Store what is known of a file now, or put its passages in line to be embedded."""
    task = outcome.task
    if outcome.reason:
        kind = loaders.kind_of(task.source) or ""
        run.store.put_failure(task.root, task.source, outcome.facts, kind, "failed", outcome.reason)
        run.report.failed.append((task.source, outcome.reason))
        run.end("failed", task.source)
    elif outcome.document is None:
        run.store.restamp(task.source, outcome.facts.stamp)
        run.report.unchanged += 1
        run.end("stored", task.source)
    else:
        run.tell("read", task.source)
        run.waiting.append(outcome)
        if sum(len(item.rows) for item in run.waiting) >= GROUP:
            _flush(run)


def _flush(run: _Run) -> None:
    """Embed what is waiting, store it document by document."""
    vectors = vectors_for(run.store, run.embedder, [row for item in run.waiting for row in item.rows])
    for item in run.waiting:
        assert item.document
        rows = [(row.passage, row.digest, vectors[row.digest]) for row in item.rows]
        run.store.put_document(item.task.root, item.document, item.facts, rows)
        was_indexed = item.task.known is not None and item.task.known.state == "indexed"
        run.report.updated += was_indexed
        run.report.added += not was_indexed
        run.stored += len(rows)
        run.end("stored", item.task.source)
    run.waiting.clear()


def _conclude(report: Report, store: Store) -> None:
    report.failed.sort()
    report.passages = store.counts()["passages"]
    for row in store.documents():
        if row.state == "indexed" and row.reason:
            report.partial += [(row.source, line) for line in row.reason.split("\n")]


def _nothing(path: Path, items: list[FoundFile | SkippedFile]) -> str:
    first = next((item for item in items if isinstance(item, SkippedFile)), None)
    found = f" Found {len(items)} that are passed over, such as {first.source}: {first.reason}." if first else ""
    return f"Nothing to index in {path}: expected documents ({loaders.examples()}).{found}"
