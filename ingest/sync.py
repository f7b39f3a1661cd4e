"""The folder is the truth: compare it with the index, read what is new, forget what is gone.

Files are compared by content. Each document is stored in one transaction, so an interrupted run leaves an index
that is complete up to the last stored document, and the next run finishes the rest. Passages whose text is already
in the index keep their vectors; nothing is embedded twice.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ingest import chunk, loaders
from ingest.embed import Embedder
from ingest.errors import NothingToIngest, UnreadableFile
from ingest.index import FILE
from ingest.passage import Document, Passage
from ingest.report import OnProgress, Progress, Report, Stage
from ingest.roots import Scope, drop_absorbed, find_scope, known_roots, root_id
from ingest.store import Store
from ingest.walk import FoundFile, SkippedFile, walk
from ingest.writing import claim, now, writing

Plan = list[tuple[Scope, list[FoundFile | SkippedFile]]]
GROUP = 256
"""Passages embedded together: enough for batches of like length, few enough to commit every few seconds."""


@dataclass(slots=True)
class _Waiting:
    """A document that is cut into passages and waits for their vectors."""

    root: int
    document: Document
    sha256: str
    size: int
    passages: list[tuple[Passage, str, str]]
    is_new: bool


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
    waiting: list[_Waiting] = field(default_factory=list)

    def tell(self, stage: Stage, source: str = "") -> None:
        self.on_progress(Progress(stage, source, self.done, self.total, self.stored))


def ingest_paths(
    paths: Sequence[Path], index_dir: Path, embedder: Embedder, on_progress: OnProgress = lambda _: None
) -> Report:
    """Bring the index in `index_dir` up to date with these files and folders, creating it if need be.

    Raises `NothingToIngest` (a path is missing, or nothing in it can be indexed and nothing was before),
    `IndexBusy` (another process is writing) and `IndexMismatch` (made by another embedder); then the index is as
    it was. Files that cannot be read are in the report, not raised.
    """
    began = time.monotonic()
    for path in paths:
        find_scope(path, [], index_dir)
    with writing(index_dir):
        store = Store(index_dir / FILE) if (index_dir / FILE).exists() else None
        try:
            plan = _plan(paths, known_roots(store, index_dir) if store else [], index_dir)
            store = store or Store(index_dir / FILE, create=True)
            claim(store, embedder, index_dir)
            run = _Run(store, embedder, on_progress)
            _bring_up_to_date(run, plan, index_dir)
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


def _bring_up_to_date(run: _Run, plan: Plan, index_dir: Path) -> None:
    work: dict[str, tuple[int, FoundFile, str]] = {}
    gone: dict[str, tuple[str, str]] = {}
    for scope, items in plan:
        root = root_id(run.store, index_dir, scope)
        known = {source: entry for source, entry in run.store.known(root).items() if scope.covers(source)}
        for item in items:
            source = scope.source(item.source)
            sha, state = known.pop(source, ("", ""))
            if isinstance(item, FoundFile):
                work[source] = (root, item, sha if state == "indexed" else "")
            else:
                _skip(run, root, source, item.reason, already=state == "skipped")
        gone |= known
    run.total = len(work)
    run.tell("found")
    for source, (root, item, sha) in work.items():
        _read(run, root, source, item, sha)
    _flush(run)
    _forget(run, gone)  # last, so that a renamed file finds the vectors it had
    drop_absorbed(run.store, index_dir)
    run.store.set("updated", now())
    run.report.passages = run.store.counts()["passages"]


def _skip(run: _Run, root: int, source: str, reason: str, already: bool) -> None:
    run.report.skipped.append((source, reason))
    if not already:
        run.store.put_failure(root, source, "", 0, "", "skipped", reason)


def _forget(run: _Run, gone: dict[str, tuple[str, str]]) -> None:
    for source, (_, state) in gone.items():
        run.store.delete_document(source)
        run.report.deleted += state == "indexed"


def _read(run: _Run, root: int, source: str, item: FoundFile, known_sha: str) -> None:
    """Read one file if its content changed, and put its passages in line to be embedded."""
    try:
        data = item.path.read_bytes()
    except OSError as error:
        _fail(run, root, source, "", 0, error.strerror or str(error))
        return
    sha = hashlib.sha256(data).hexdigest()
    if sha == known_sha:
        run.report.unchanged += 1
        run.done += 1
        run.tell("stored", source)
        return
    try:
        document = loaders.load(source, data)
        passages = _passages(document, run.embedder)
    except UnreadableFile as error:
        _fail(run, root, source, sha, len(data), str(error))
        return
    run.tell("read", source)
    run.waiting.append(_Waiting(root, document, sha, len(data), passages, is_new=not known_sha))
    if sum(len(item.passages) for item in run.waiting) >= GROUP:
        _flush(run)


def _passages(document: Document, embedder: Embedder) -> list[tuple[Passage, str, str]]:
    """Return (passage, text to embed, hash of that text) for each passage of a document."""
    rows = []
    for passage in chunk.chunk(document, embedder.token_spans, min(embedder.max_tokens, chunk.PASSAGE_TOKENS - 2)):
        text = chunk.embedding_text(document.title, passage)
        rows.append((passage, text, hashlib.sha256(text.encode()).hexdigest()))
    if not rows:
        raise UnreadableFile("no text was found in it")
    return rows


def _flush(run: _Run) -> None:
    """Embed what is waiting, store it document by document."""
    texts = {digest: text for item in run.waiting for _, text, digest in item.passages}
    vectors = run.store.vectors_by_hash(texts)
    missing = [digest for digest in texts if digest not in vectors]
    made = run.embedder.embed_passages([texts[digest] for digest in missing])
    vectors.update(zip(missing, (row.astype(np.float16).tobytes() for row in made), strict=True))
    for item in run.waiting:
        rows = [(passage, digest, vectors[digest]) for passage, _, digest in item.passages]
        run.store.put_document(item.root, item.document, item.sha256, item.size, rows)
        run.report.added += item.is_new
        run.report.updated += not item.is_new
        run.stored += len(rows)
        run.done += 1
        run.tell("stored", item.document.source)
    run.waiting.clear()


def _fail(run: _Run, root: int, source: str, sha: str, size: int, reason: str) -> None:
    run.store.put_failure(root, source, sha, size, loaders.kind_of(source) or "", "failed", reason)
    run.report.failed.append((source, reason))
    run.done += 1
    run.tell("failed", source)


def _nothing(path: Path, items: list[FoundFile | SkippedFile]) -> str:
    other = f" {len(items)} files of other kinds were passed over." if items else ""
    return f"Nothing to index in {path}: expected files ending in {' '.join(sorted(loaders.SUFFIXES))}.{other}"
