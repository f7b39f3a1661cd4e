"""The reader that comes with the package, loaded once for a process."""

from threading import Lock

from rag_dolly.reader.read import SpanReader
from rag_dolly.reader.weights import about, shipped

_loading = Lock()
_loaded: list[SpanReader] = []


def open_shipped() -> SpanReader | None:
    """Return the reader; None where the package has none. Whoever comes while it loads waits for it."""
    with _loading:
        if not _loaded and about(shipped()):
            _loaded.append(SpanReader())
        return _loaded[0] if _loaded else None
