"""Many callers decoded together: transformers' continuous batching behind the `Engine` seam.

One thread runs the model. Each of its steps takes one token for every running answer and, with the room left in the
step, the next piece of the prompts that wait, in the order they came: nobody who runs is stopped by a newcomer, and
nobody waits for another's answer to end. The keys and values live in pages; full pages with equal beginnings are
shared, also with answers that have ended, as long as there is room. The thread starts with the first request and ends
with `close`, with the program, or with an error, which all callers then get; the next request starts a new one.

The model itself is never changed, so it may decode elsewhere at the same time; see `paged_manager`.
"""

import itertools
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from rag_dolly.generate.checkpoint import out_of_memory
from rag_dolly.generate.engine import Ended
from rag_dolly.generate.paged_attention import NAME
from rag_dolly.generate.paged_manager import best_attention, start_manager

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_HARD_STOP = 2  # transformers' word for: end after the present step
_POLL = 0.05  # seconds between two looks at `ended` while no token comes


class ContinuousBatcher:
    """An `Engine` for callers in any number of threads, decoded together."""

    def __init__(
        self,
        model: "PreTrainedModel",
        stop_ids: frozenset[int],
        window: int,
        *,
        share: float = 0.8,
        name: str = "the language model",
    ) -> None:
        """Take the model; nothing is allocated or started.

        `window` is the most tokens a prompt and its answer have together. The pages take at most `share` (0 to 1) of
        the memory that is free at the first request. `name` is what `OutOfMemory` calls the model.
        """
        self._model = model
        self._stop_ids = sorted(stop_ids)
        self._window = window
        self._share = share
        self._name = name
        self._attention = best_attention(model)
        self._guard = threading.Lock()
        self._session: _Session | None = None
        self._closed = False

    def tokens(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> Iterator[int]:
        """Yield the answer's token ids; see `Engine.tokens`. `ended` is called from other threads too, never long."""
        if max_tokens < 1:
            return
        request = self._submit(prompt, max_tokens, ended)
        if request is None:
            return
        try:
            yield from self._received(request)
        finally:
            request.leave()

    def batch(self, prompts: Sequence[Sequence[int]], max_tokens: Sequence[int]) -> list[list[int]]:
        """Return the answers; see `Engine.batch`. They are decoded beside those of other callers."""
        requests: list[_Request | None] = []
        try:
            for prompt, limit in zip(prompts, max_tokens, strict=True):
                requests.append(self._submit(prompt, limit, _never) if limit > 0 else None)
            return [list(self._received(request)) if request else [] for request in requests]
        finally:
            for request in filter(None, requests):
                request.leave()

    def describe(self) -> str:
        """Return "continuous batching" and the attention it uses."""
        return f"continuous batching, {'paged attention' if self._attention == NAME else self._attention}"

    def close(self) -> None:
        """End all requests, whose iterators end, and the thread."""
        with self._guard:
            self._closed = True
            session, self._session = self._session, None
        if session is not None:
            session.stop()

    def _submit(self, prompt: Sequence[int], max_tokens: int, ended: Ended) -> "_Request | None":
        """Hand a request to the thread, started if need be; None if it had ended before."""
        while not ended() and threading.main_thread().is_alive():
            if not self._guard.acquire(timeout=_POLL):  # another caller is starting the thread
                continue
            try:
                if request := self._begin(list(prompt), max_tokens, ended):
                    return request
            finally:
                self._guard.release()
        return None

    def _begin(self, prompt: list[int], max_tokens: int, ended: Ended) -> "_Request | None":
        """Hand a request to the thread, or to a new one; None if the present one is just ending."""
        if self._closed:
            raise RuntimeError("ContinuousBatcher: expected an open engine, this one was closed; make another")
        if self._session is None or not self._session.open:
            self._session = None  # before its successor asks for memory
            with self._explained():
                manager = start_manager(self._model, self._attention, self._stop_ids, self._window, self._share)
            self._session = _Session(manager)
        return self._session.add(prompt, max_tokens, ended)

    def _received(self, request: "_Request") -> Iterator[int]:
        with self._explained():
            yield from request.tokens()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise `OutOfMemory` for an error whose reason was memory, and let go of what the error holds of it."""
        import torch

        try:
            yield
        except Exception as error:
            short = isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
            if not short:
                raise
            traceback.clear_frames(error.__traceback__)
            raise out_of_memory(self._name, self._model) from error


class _Request:
    """One caller. The decoding thread calls `put`, the caller `tokens` and `leave`."""

    def __init__(self, key: str, ended: Ended, leave: Callable[[], None]) -> None:
        self.key = key
        self.leave = leave
        self._ended = ended
        self._sent = 0
        self._inbox: SimpleQueue[int | Exception | None] = SimpleQueue()

    def put(self, tokens: list[int], finished: bool) -> bool:
        """Take all tokens so far; return whether the caller still wants more."""
        for token in tokens[self._sent :]:
            self._inbox.put(token)
        self._sent = len(tokens)
        try:
            finished = finished or self._ended()
        except Exception as error:  # the caller's own: it is raised there, and nobody else is hurt
            self.end(error)
            return False
        if finished:
            self.end(None)
        return not finished

    def end(self, error: Exception | None) -> None:
        """Let `tokens` end, or raise."""
        self._inbox.put(error)

    def tokens(self) -> Iterator[int]:
        while (item := self._next()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def _next(self) -> int | Exception | None:
        while True:
            try:
                return self._inbox.get(timeout=_POLL)
            except Empty:
                if self._ended():
                    return None


class _Router:
    """What transformers' manager hands tokens and errors to, in its own thread: brings them to the requests."""

    def __init__(self, manager: Any) -> None:
        self.requests: dict[str, _Request] = {}
        self._manager = manager

    def deliver(self, output: Any) -> None:
        request = self.requests.get(output.request_id)
        if request is None or not request.put(output.generated_tokens, output.is_finished()):
            self.requests.pop(output.request_id, None)
            if not output.is_finished():
                self._manager.cancel_request(output.request_id)

    def deliver_batch(self, outputs: list[Any]) -> None:
        for output in outputs:
            self.deliver(output)

    def fail_and_deliver(self, state: Any, error: Exception) -> None:
        """End the one request; if the whole thread is ending, `_Session` ends them all once its memory is free."""
        goes_on = self._manager.background_thread_status.can_accept_new_requests() is None
        if goes_on and (request := self.requests.pop(state.request_id, None)):
            request.end(error)


class _Session:
    """One run of the manager's thread, from its start to its end, and a second thread that waits for the latter."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        router = manager.output_router = manager.batch_processor.output_router = _Router(manager)
        self._requests = router.requests
        self._numbers = itertools.count()
        self._guard = threading.Lock()
        self._stopping = False
        self.open = True
        self._watcher = threading.Thread(target=self._watch, name="rag-dolly-batcher-watch")
        try:
            manager.start()
            self._thread: threading.Thread = manager._generation_thread
            self._thread.name = "rag-dolly-batcher"
            self._watcher.start()
        except BaseException:  # Ctrl-C, just here
            manager.background_thread_status.request_stop(_HARD_STOP, 0)
            raise

    def add(self, prompt: list[int], max_tokens: int, ended: Ended) -> _Request | None:
        """Begin a request; None if the thread is ending: then there will be another session soon."""
        key = f"request-{next(self._numbers)}"
        request = _Request(key, ended, lambda: self._drop(key))
        with self._guard:
            if not self.open:
                return None
            self._requests[key] = request
        if self._manager.add_request(prompt, key, max_new_tokens=max_tokens, streaming=True) is None:
            self._requests.pop(key, None)
            self._watcher.join()
            return None
        return request

    def stop(self) -> None:
        """End the thread after its present step, and all requests."""
        self._stopping = True
        self._manager.background_thread_status.request_stop(_HARD_STOP, 0)
        self._manager._wake_up_loop.set()
        self._watcher.join()

    def _drop(self, key: str) -> None:
        """Return when nothing of a request is left; at once if it has been answered."""
        self._requests.pop(key, None)
        while self._thread.is_alive() and self._holds(key):
            self._manager.cancel_request(key)  # again, as one that overtakes its request is lost
            time.sleep(0.002)

    def _holds(self, key: str) -> bool:
        processor = self._manager.batch_processor
        if processor is None:
            return False
        coming = any(state.request_id == key for state in list(self._manager.input_queue.queue))
        return coming or key in processor.scheduler.active_requests or key in processor.scheduler.waiting_requests

    def _watch(self) -> None:
        """Wait for the end of the thread, or of the program, and clear up. Not a daemon: the program waits for it."""
        while self._thread.is_alive() and threading.main_thread().is_alive():
            self._thread.join(0.2)
        self._stopping = self._stopping or self._thread.is_alive()
        try:
            self._manager.stop(hard_stop=True)  # waits for the thread, and frees the pages
        except Exception as failed:  # a CUDA error may repeat itself here; the first one is told below
            self._manager.background_thread_status.record_fatal_error(failed)
        error = self._manager.background_thread_status.fatal_error
        if error is not None:
            traceback.clear_frames(error.__traceback__)  # they hold the pages too
        with self._guard:
            self.open = False
            requests = list(self._requests.values())
            self._requests.clear()
        for request in requests:
            request.end(None if self._stopping else error or RuntimeError("the decoding thread ended, no reason given"))


def _never() -> bool:
    return False
