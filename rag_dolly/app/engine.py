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

from ingest.database import Database
from ingest.errors import IndexMissing, RagDollyError
from ingest.records import DocumentRow, StoredDocument
from ingest.report import OnProgress, Report
from rag_dolly.jobs import TOGETHER, JobQueue, Stop
from rag_dolly.plain_chat import plain_pieces
from rag_dolly.types import Pipeline, Reranker

State = Literal["opening", "missing", "loading", "ready", "failed"]

_log = logging.getLogger(__name__)


class OpenIndex(Protocol):
    """What the page reads of an index."""

    @property
    def passage_count(self) -> int:
        """Return how many passages the index holds."""

    @property
    def database(self) -> Database:
        """Return the open file, for `ingest.listing` to look through."""

    def documents(self) -> Sequence[DocumentRow]:
        """Return a row for every file that was looked at."""

    def read_document(self, source: str) -> StoredDocument | None:
        """Return the document of that name, None if there is none."""

    def headings(self, limit: int) -> Sequence[str]:
        """Return distinct titles of sections."""


class Chain(Protocol):
    """What the page asks of the chain."""

    index: Any

    def warm(self) -> Pipeline | None:
        """Load the model and return it, None where there is none."""

    def stream(self, input: Mapping[str, Any], *, stop: Stop) -> Iterator[Mapping[str, Any]]:
        """Yield pieces of an answer that add up."""


class Backend(Protocol):
    """Where the chain comes from. `model` is the setting."""

    model: str
    max_tokens: int
    keeps_conversations: bool
    index_dir: Path

    def open_chain(self, tell: Callable[[str], None]) -> Any:
        """Return a `Chain`; raise `IndexMissing` where there is no index yet.

        `tell` gets a line on what is being loaded and why, then and later.
        """

    def load_model(self, tell: Callable[[str], None]) -> Pipeline | None:
        """Load the language model, which the chain has too; None where there is none. Raises `ModelNotFound`."""

    def open_reranker(self, embedder: Any) -> Reranker | None:
        """Return what orders passages once more, None where the settings name nothing. Raises `ModelNotFound`."""

    def ingest(self, paths: Sequence[Path], on_progress: OnProgress) -> Report:
        """Put files into the index, creating it where there is none."""

    def read_again(self, within: str, anew: bool, on_progress: OnProgress) -> Report:
        """Read a document or a folder ("" for all) again; with `anew` also what has not changed."""

    def forget(self, sources: Sequence[str]) -> Sequence[Path]:
        """Take documents out of the index for good; return the files that are still in their folders."""

    def examine(self) -> Mapping[str, Any]:
        """Return sections of facts as `rag_dolly.doctor.examine` does. Takes seconds."""

    def settings(self) -> Sequence[tuple[str, str, str, str]]:
        """Return (name, value, where it was set, what it is about) of every setting."""


class Engine:
    """The one shared object of a process; `state` is all that a page needs to decide what to show.

    "opening": the index is being opened; "missing": there is none yet; "loading": the index is open and the
    model is loading; "ready"; "failed": `error` says in one line what stands in the way, `problem` is what was raised.
    `note` is the last line the chain had to say about its model; `run` is what is being done to the index now.
    `has_model` is whether there is a language model, None while that is not known. `is_shared` is whether the page asks
    for a token, so that people of other machines may have come in.
    """

    def __init__(self, backend: Backend, together: int = TOGETHER) -> None:
        self.backend = backend
        self.state: State = "opening"
        self.error = ""
        self.problem: Exception | None = None
        self.note = ""
        self.is_shared = False
        self.chain: Chain | None = None
        self.has_model = False if backend.model == "none" else None
        self.queue = JobQueue(self._stream, self.wait_ready, together=together)
        self.ingesting = threading.Lock()
        self.run: Any = None
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
            self.state, self.error, self.problem = "opening", "", None
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
            self.has_model = self.chain.warm() is not None
            self.state = "ready"
        except IndexMissing:
            self.state = "missing"
        except RagDollyError as error:
            self.error, self.problem, self.state = str(error), error, "failed"
        except MemoryError as error:
            self.error, self.problem, self.state = "Memory ran out while the model was loading.", error, "failed"
        except Exception as error:
            _log.exception("opening the chain failed")
            self.error = f"Loading failed ({type(error).__name__}). The terminal shows why."
            self.problem, self.state = error, "failed"
        finally:
            self._settled.set()

    def _tell(self, line: str) -> None:
        self.note = line

    def _plain(self, question: Mapping[str, Any], stop: Stop) -> Iterator[Mapping[str, Any]]:
        """Yield the answer of the model alone, which needs no index."""
        pipeline = self.chain.warm() if self.chain is not None else self.backend.load_model(self._tell)
        self.has_model = pipeline is not None
        yield from plain_pieces(pipeline, question["question"], question["chat_history"], self.backend.max_tokens, stop)

    def _stream(self, question: Mapping[str, Any], stop: Stop) -> Iterator[Mapping[str, Any]]:
        if question.get("plain"):
            return self._plain(question, stop)
        if self.chain is None:
            raise IndexMissing("There are no documents yet. Add some on the Library page.")
        return self.chain.stream(question, stop=stop)
