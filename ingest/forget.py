"""Taking documents out of the index for good: text, words and vectors, and what the file still holds of them."""

from collections.abc import Sequence
from pathlib import Path

from ingest import derived
from ingest.errors import IndexBusy, IndexMissing, NothingToIngest
from ingest.index import FILE
from ingest.store import Store
from ingest.writing import now, writing


def forget(sources: Sequence[str], index_dir: Path) -> list[Path]:
    """Remove documents by source; return the files that are still in their folders, to be indexed by the next run.

    Afterwards the index files hold nothing of them: rows are overwritten, the file is written anew, the log is
    emptied, and files derived from it are deleted and made anew. A file that was uploaded lies in the index folder and
    is deleted too. Raises `NothingToIngest` if a source is not in the index (then nothing is removed), `IndexMissing`,
    and `IndexBusy` if another process writes, or reads for so long that the log cannot be emptied.
    """
    if not (index_dir / FILE).exists():
        raise IndexMissing(f"No index in {index_dir}: there is nothing to forget.")
    with writing(index_dir):
        store = Store(index_dir / FILE)
        try:
            _check(store, sources, index_dir)
            if not derived.drop(store, index_dir):
                raise IndexBusy(
                    f"Nothing was removed: another process has {index_dir / derived.FOLDER} open; end it and try again."
                )
            left = _remove(store, sources, index_dir)
            store.set("updated", now())
            if not store.compact():
                raise IndexBusy(
                    f"{len(sources)} documents were removed, but another process is reading {index_dir}, so its log "
                    "still holds them until that process has ended."
                )
            derived.refresh(store, index_dir)
        finally:
            store.close()
    return left


def _check(store: Store, sources: Sequence[str], index_dir: Path) -> None:
    known = {row.source for row in store.documents()}
    unknown = [source for source in sources if source not in known]
    if unknown:
        raise NothingToIngest(f"No document {unknown[0]} in {index_dir}: give a source as `rag-dolly ls` shows it.")


def _remove(store: Store, sources: Sequence[str], index_dir: Path) -> list[Path]:
    left = []
    for source in sources:
        found = store.read_document(source)
        path = found.path if found else Path(source)
        store.delete_document(source)
        if not path.is_absolute():
            (index_dir / path).unlink(missing_ok=True)
        elif path.exists():
            left.append(path)
    store.clear_staged()
    return left
