"""What one process shares between all its pages: the chain, its loading, the queue of questions, ingestion.

An `Engine` opens the chain and warms its model in a background thread, so that the first visitor sees a page at
once. `Backend` is the seam: `resources.py` puts the real chain behind it, tests put a fake. Nothing here touches
Streamlit. Limits: one chain per engine; ingestion runs one at a time.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from ingest.errors import IndexMissing, RagDollyError
from ingest.records import DocumentRow, StoredDocument
from ingest.report import OnProgress, Report
from rag_dolly.app.jobs import JobQueue, Stop

TOGETHER = 8
"""Questions answered at a time: the language model serves them together where it can, else in turn."""

State = Literal["opening", "missing", "loading", "ready", "failed"]

_log = logging.getLogger(__name__)


class OpenIndex(Protocol):
    """What the page reads of an index."""

    @property
    def passage_count(self) -> int:
        """Return how many passages the index holds."""

    def documents(self) -> Sequence[DocumentRow]:
        """Return a row for every file that was looked at."""

    def read_document(self, source: str) -> StoredDocument | None:
        """Return the document of that name, None if there is none."""

    def headings(self, limit: int) -> Sequence[str]:
        """Return distinct titles of sections."""


class Chain(Protocol):
    """What the page asks of the chain."""

    index: Any

    def warm(self) -> None:
        """Load the model."""

    def stream(self, input: Mapping[str, Any], *, stop: Stop) -> Iterator[Mapping[str, Any]]:
        """Yield pieces of an answer that add up."""


class Backend(Protocol):
    """Where the chain comes from. `model` is the setting."""

    model: str
    index_dir: Path

    def open_chain(self, tell: Callable[[str], None]) -> Any:
        """Return a `Chain`; raise `IndexMissing` where there is no index yet.

        `tell` gets a line on what is being loaded and why, then and later.
        """

    def ingest(self, paths: Sequence[Path], on_progress: OnProgress) -> Report:
        """Put files into the index, creating it where there is none."""


class Engine:
    """The one shared object of a process; `state` is all that a page needs to decide what to show.

    "opening": the index is being opened; "missing": there is none yet; "loading": the index is open and the
    model is loading; "ready"; "failed": `error` says in one line what stands in the way. `note` is the last
    line the chain had to say about its model.
    """

    def __init__(self, backend: Backend, together: int = TOGETHER) -> None:
        self.backend = backend
        self.state: State = "opening"
        self.error = ""
        self.note = ""
        self.chain: Chain | None = None
        self.queue = JobQueue(self._stream, self.wait_ready, together=together)
        self.ingesting = threading.Lock()
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._started = False

    @property
    def index(self) -> OpenIndex | None:
        """Return the open index, None before it is open or where there is none."""
        return self.chain.index if self.chain is not None else None

    def start(self) -> None:
        """Begin to open and load, once; later calls do nothing."""
        with self._lock:
            if self._started:
                return
            self._started = True
            self._settled.clear()
            self.state, self.error = "opening", ""
        threading.Thread(target=self._load, name="rag-dolly-load", daemon=True).start()

    def restart(self) -> None:
        """Try again after "missing" or "failed"; a loading or loaded engine is left alone."""
        with self._lock:
            if self.state not in ("missing", "failed"):
                return
            self._started = False
            self.chain = None
        self.start()

    def wait_ready(self, stop: Stop) -> None:
        """Block until questions can be answered, or `stop()`; raise what stands in the way."""
        while not self._settled.wait(timeout=0.1):
            if stop():
                return
        if self.state == "missing":
            raise IndexMissing("There are no documents yet. Add some on the Library page.")
        if self.state == "failed":
            raise RagDollyError(self.error)

    def _load(self) -> None:
        try:
            self.chain = self.backend.open_chain(self._tell)
            self.state = "loading"
            self.chain.warm()
            self.state = "ready"
        except IndexMissing:
            self.state = "missing"
        except RagDollyError as error:
            self.error, self.state = str(error), "failed"
        except Exception as error:
            _log.exception("opening the chain failed")
            self.error = f"Loading failed ({type(error).__name__}). The terminal shows why."
            self.state = "failed"
        finally:
            self._settled.set()

    def _tell(self, line: str) -> None:
        self.note = line

    def _stream(self, question: Mapping[str, Any], stop: Stop) -> Iterator[Mapping[str, Any]]:
        if self.chain is None:
            raise IndexMissing("There are no documents yet. Add some on the Library page.")
        return self.chain.stream(question, stop=stop)
