"""The search structures of a large index as files beside it, so that opening it does not mean making them.

They are derived: the index file alone is the truth, and says, in one value of `meta`, which generation of files
belongs to it, up to which passage and removal they go, and the hash of each. A generation is a folder, written under
another name, flushed, renamed, and only then named in the index; older ones are deleted afterwards, so that a reader
that has them open goes on. Files that are missing, cut short or changed are not used.
"""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ingest import postings, vectors
from ingest.postings import MADE_WITH
from ingest.rows import Rows
from ingest.snapshot import Part, Snapshot, catch_up, make, read_part, read_whole
from ingest.store import Store

FOLDER = "derived"
KEY = "derived"
FROM = 50_000
"""From how many passages on there are derived files."""
_STALE = 0.15
"""They are written anew when more than this part of them is new or gone."""
_ARRAYS = ("ids", "lengths", "terms", "offsets", "postings")


def open_snapshot(store: Store, index_dir: Path, dimension: int) -> Snapshot:
    """Return the search structures as they are now, from the derived files if these are sound.

    To be called inside `store.reading()`.
    """
    made = _made(store)
    part = _load(index_dir, made, dimension) if _fits(store, made) else None
    if part:
        base = make([part], store, dimension, made["last"], made["removed"])
        if now := catch_up(base, store):
            return now
    return read_whole(store, dimension)


def refresh(store: Store, index_dir: Path) -> None:
    """Write the derived files if the index is large and has none, or has changed much since. For writers only."""
    made = _made(store)
    if _is_due(store, made):
        if store.counts()["passages"] >= FROM:
            _write(store, index_dir, int(made.get("generation", 0)) + 1)
        else:
            store.set(KEY, "")
    _sweep(store, index_dir)
    store.prune_removals(int(_made(store).get("removed", store.removals()[1])))


def drop(store: Store, index_dir: Path) -> bool:
    """Delete the derived files; whether none is left, as none can be while a system protects open ones. For writers."""
    if store.get(KEY):
        store.set(KEY, "")
    _sweep(store, index_dir)
    return not (index_dir / FOLDER).exists()


def _made(store: Store) -> dict[str, Any]:
    """Return what the index says of its derived files, {} if it has none."""
    try:
        made = json.loads(store.get(KEY) or "{}")
    except ValueError:
        return {}
    return made if isinstance(made, dict) else {}


def _fits(store: Store, made: dict[str, Any]) -> bool:
    """Whether files are of this embedder, and of terms as this version makes them."""
    return (made.get("embedder"), made.get("made_with")) == (store.get("embedder"), _made_with(store))


def _made_with(store: Store) -> str:
    return f"{store.get('terms')}; {MADE_WITH}"


def _is_due(store: Store, made: dict[str, Any]) -> bool:
    """Whether files are to be written, or there are some that no longer help."""
    last = store.last_passage()
    if not _fits(store, made):
        return bool(made) or last >= FROM
    gone = sum(end - first + 1 for first, end in store.removed_since(made["removed"]))
    return bool(last - made["last"] + gone > _STALE * made["passages"])


def _write(store: Store, index_dir: Path, generation: int) -> None:
    folder = index_dir / FOLDER / str(generation)
    under_way = folder.with_suffix(".tmp")
    for left in (folder, under_way):
        shutil.rmtree(left, ignore_errors=True)
    with store.reading():
        removed, last = store.removals()[1], store.last_passage()
        part = read_part(store, 0, store.dimension())
    if part is None:
        return
    if part.vectors.flat.ntotal >= vectors.CLUSTERED_FROM:
        part = part._replace(vectors=vectors.cluster(part.vectors))
    under_way.mkdir(parents=True)
    names = vectors.write(part.vectors, under_way)
    arrays: list[Any] = [part.rows.ids, part.rows.lengths, *part.words]
    for name, array in zip(_ARRAYS, arrays, strict=True):
        np.save(under_way / f"{name}.npy", array, allow_pickle=False)
        names.append(f"{name}.npy")
    files = {name: [_sha256(under_way / name), _stamp(under_way / name)] for name in names}
    for name in names:
        _flush(under_way / name)
    _flush(under_way)
    under_way.rename(folder)
    _flush(folder.parent)
    made = {"generation": generation, "last": last, "removed": removed, "passages": len(part.rows), "files": files}
    store.set(KEY, json.dumps(made | {"embedder": store.get("embedder"), "made_with": _made_with(store)}))


def _load(index_dir: Path, made: dict[str, Any], dimension: int) -> Part | None:
    """Return the segment in the files of a generation, None unless they are as they were written."""
    folder = index_dir / FOLDER / str(int(made["generation"]))
    try:
        if not all(_is_as_written(folder / name, *written) for name, written in made["files"].items()):
            return None
        ids, lengths, *words = (_open_array(folder / f"{name}.npy") for name in _ARRAYS)
        rows, segment = Rows(ids, lengths), postings.Segment(*words)
        return Part(rows, segment, vectors.read(folder, made["files"], len(rows), dimension), fixed=True)
    except (OSError, ValueError):
        return None


def _open_array(path: Path) -> Any:
    """Return an array mapped into memory; what is written to it (lengths of removed rows) stays in memory."""
    return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))


def _is_as_written(path: Path, sha256: str, stamp: list[int]) -> bool:
    """Whether a file is what it was; it is read only if its size or time differ, as after copying an index."""
    return _stamp(path) == stamp or (path.stat().st_size == stamp[0] and _sha256(path) == sha256)


def _stamp(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Have the system write a file or folder to disk; folders cannot be asked for that everywhere."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(store: Store, index_dir: Path) -> None:
    """Delete generations that the index does not name."""
    folder, current = index_dir / FOLDER, str(_made(store).get("generation", ""))
    for left in folder.iterdir() if folder.is_dir() else ():
        if left.name != current:
            shutil.rmtree(left, ignore_errors=True)
    if not current and folder.is_dir():
        with suppress(OSError):  # what another program has open cannot be deleted everywhere; the next run tries again
            folder.rmdir()
