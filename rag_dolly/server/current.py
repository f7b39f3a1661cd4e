"""The chain over the index as it is on disk now.

What others write into the index is seen by the index itself. Where the index folder was deleted and made anew, an open
file would go on to show what was deleted: so it is looked at which file stands there, and the new one is opened.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from ingest.errors import IndexMissing
from ingest.index import FILE
from rag_dolly.chain import RagChain


class CurrentChain:
    """Calling it gives the chain; safe to share between threads. `open_again` opens it anew, with the loaded model."""

    def __init__(self, chain: RagChain, open_again: Callable[[], RagChain]) -> None:
        self._chain = chain
        self._open_again = open_again
        self._file = _file(chain.index.folder)
        self._lock = threading.Lock()

    def __call__(self) -> RagChain:
        """Return the chain. Raises `IndexMissing` if there is no index now, and what opening a new one raises."""
        with self._lock:
            now = _file(self._chain.index.folder)
            if now != self._file:
                self._chain = self._open_again()
                self._file = now
            return self._chain


def _file(folder: Path) -> tuple[int, int]:
    """Return which file the index is. Raises `IndexMissing`."""
    try:
        found = (folder / FILE).stat()
    except OSError as error:
        raise IndexMissing("The index is gone: make it again with `rag-dolly ingest FOLDER`.") from error
    return found.st_dev, found.st_ino
