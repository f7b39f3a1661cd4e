"""One writer at a time, and only into an index of the same embedder."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.embed import Embedder
from ingest.errors import IndexBusy, NothingToIngest
from ingest.index import FILE, check_identity
from ingest.store import Store


@contextmanager
def writing(index_dir: Path) -> Iterator[None]:
    """Hold the index for writing. A folder that was made for it and stayed empty is taken away again."""
    made = not index_dir.exists()
    try:
        index_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NothingToIngest(f"The index folder {index_dir} cannot be made: {error.strerror}.") from error
    lock = FileLock(index_dir / "writer.lock", timeout=0)
    try:
        with lock:
            yield
    except Timeout as error:
        raise IndexBusy(
            f"The index in {index_dir} is being written by another process: wait for it, then run again."
        ) from error
    finally:
        if made and not (index_dir / FILE).exists():
            (index_dir / "writer.lock").unlink(missing_ok=True)
            index_dir.rmdir()


def claim(store: Store, embedder: Embedder, index_dir: Path) -> None:
    """Check that the index is this embedder's, or make it so if it is new; bring its terms to this version."""
    check_identity(store, embedder, index_dir)
    store.renew_terms()
    if not store.get("embedder"):
        store.set("created", now())
        set_embedder(store, embedder)


def set_embedder(store: Store, embedder: Embedder) -> None:
    """Note which embedder made what is in the index."""
    with store.transaction():
        store.set("embedder_name", embedder.identity.name)
        store.set("embedder", embedder.identity.fingerprint())


def now() -> str:
    """Return the time as it is stored: ISO 8601, UTC, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
