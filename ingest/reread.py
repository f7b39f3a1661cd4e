"""Reading again what is in the index: one document, a folder, or all folders.

With `anew`, also files that have not changed are opened and parsed again; without, only what is new or changed is.
"""

from collections.abc import Sequence
from pathlib import Path

from ingest.embed import Embedder
from ingest.errors import IndexMissing, NothingToIngest
from ingest.index import FILE
from ingest.report import OnProgress, Report
from ingest.store import Store
from ingest.sync import ingest_paths
from ingest.texts import FOLDER as TEXTS
from ingest.writing import writing


def reread(
    within: str,
    index_dir: Path,
    embedder: Embedder,
    on_progress: OnProgress = lambda _: None,
    *,
    anew: bool = False,
    passwords: Sequence[str] = (),
) -> Report:
    """Bring the document `within`, or all below the folder of that name ("" for all folders), up to date.

    Raises as `ingest.sync.ingest_paths`, `IndexMissing` without an index, and `NothingToIngest` if nothing of that name
    is on this machine any more.
    """
    paths = paths_of(within, index_dir)
    if anew:
        _forget_reading(within, index_dir)
    return ingest_paths(paths, index_dir, embedder, on_progress, passwords=passwords)


def paths_of(within: str, index_dir: Path) -> list[Path]:
    """Return where a document or folder of the index is: for "" the ingested folders that are still there.

    Raises `IndexMissing`, and `NothingToIngest` if there is no such file or folder now.
    """
    if not (index_dir / FILE).exists():
        raise IndexMissing(f"No index in {index_dir}: make one with `rag-dolly ingest FOLDER --index {index_dir}`.")
    store = Store(index_dir / FILE)
    try:
        roots = [(index_dir / path, prefix) for _, path, prefix in store.roots() if path != TEXTS]
    finally:
        store.close()
    if not within:
        found = [path for path, _ in roots]
    else:
        matching = [(path, prefix) for path, prefix in roots if f"{within}/".startswith(prefix)]
        nearest = max(matching, key=lambda root: len(root[1]), default=None)
        found = [nearest[0] / within.removeprefix(nearest[1].rstrip("/")).lstrip("/")] if nearest else []
    there = [path for path in found if path.exists()]
    if not there:
        raise NothingToIngest(
            f"Nothing to read again: {found[0] if found else within or 'no folder'} is not on this machine any more. "
            "Put it back, or forget it."
        )
    return there


def _forget_reading(within: str, index_dir: Path) -> None:
    """Let every document that is meant count as read by an older version, so that it is read again."""
    with writing(index_dir):
        store = Store(index_dir / FILE)
        try:
            store.mark_unread(within)
        finally:
            store.close()
