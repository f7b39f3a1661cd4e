"""One thread that drives a model, and the requests that wait for it, first come first served.

A model that is driven from one thread only needs no lock, and a captured CUDA graph can only be replayed by the thread
that captured it. Callers read their tokens from a queue and may leave at any time.
"""

import atexit
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from rag_dolly.generate.engine import Ended

_POLL = 0.05  # seconds between looks whether a waiting caller has left
_LEAVING = 30.0  # seconds that the end of the program waits for the step under way


class Request:
    """One caller's place: the worker puts tokens in, the caller reads them out."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._inbox: SimpleQueue[int | BaseException | None] = SimpleQueue()
        self._left = threading.Event()
        self._begun = threading.Event()
        self._done = threading.Event()

    def put(self, token: int) -> None:
        """Hand out a token."""
        self._inbox.put(token)

    def finish(self, error: BaseException | None = None) -> None:
        """Say that nothing more comes; an error is raised at the caller's."""
        self._done.set()
        self._inbox.put(error)

    def begin(self) -> bool:
        """Tell whether the caller is still there when its turn has come."""
        self._begun.set()
        return not self.is_over()

    def is_over(self) -> bool:
        """Tell whether the caller wants no more."""
        return self._left.is_set() or self._ended()

    def read(self) -> Iterator[int]:
        """Yield the tokens. Closed early, it returns when the worker has let go of the request."""
        try:
            while True:
                try:
                    item = self._inbox.get(timeout=_POLL if not self._begun.is_set() else None)
                except Empty:
                    if self._ended():
                        return
                    continue
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    return
                yield item
        finally:
            self._left.set()
            if self._begun.is_set():
                self._done.wait()


class Worker:
    """Runs one request after another in a thread that lives from the first request to the end of the program."""

    def __init__(self, name: str = "rag-dolly-generate") -> None:
        self._name = name
        self._line: SimpleQueue[tuple[Request, Callable[[], Iterator[int]]] | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def stream(self, make: Callable[[], Iterator[int]], ended: Ended) -> Iterator[int]:
        """Yield what the iterator that `make` returns yields; it is made and driven in the worker's thread."""
        request = Request(lambda: ended() or self._closed.is_set())
        with self._guard:
            if self._thread is None:
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._line.put((request, make))
        yield from request.read()

    def close(self) -> None:
        """End the request under way and the thread."""
        self._closed.set()
        self._line.put(None)
        atexit.unregister(self.close)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_LEAVING)

    def _run(self) -> None:
        while (job := self._line.get()) is not None:
            request, make = job
            error: BaseException | None = None
            try:
                if request.begin():
                    _drive(request, make())
            except BaseException as raised:
                error = raised
            request.finish(error)


def _drive(request: Request, tokens: Iterator[int]) -> None:
    for token in tokens:
        request.put(token)
        if request.is_over():
            break
    close = getattr(tokens, "close", None)
    if close is not None:
        close()
