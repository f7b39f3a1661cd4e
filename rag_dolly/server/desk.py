"""The desk that all requests come to: one chain, one queue, and a `Call` for each question under way.

Answers are made in the threads of `rag_dolly.jobs.JobQueue`, as for the page; a call tells the event loop when
there is news. A question whose client goes away is withdrawn. Limits: a model that is inside one long step ends after
it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from ingest.filters import as_filters
from rag_dolly.chain import RagChain
from rag_dolly.jobs import CAPACITY, TOGETHER, Job, JobQueue, Stop
from rag_dolly.server.bodies import Asking
from rag_dolly.server.current import CurrentChain
from rag_dolly.server.failures import Refused, refusal, stopping
from rag_dolly.server.metrics import Metrics
from rag_dolly.types import hit_json

if TYPE_CHECKING:
    from starlette.types import Receive

SEARCHES = 4
"""Searches at a time; more wait for their turn."""


@dataclass(eq=False)
class Call(Job):
    """A question of one request. Made in the event loop, which hears of every change; `gone`: nobody waits for it."""

    top_k: int = 5
    max_tokens: int = 256
    gone: bool = False
    began: float = field(default_factory=time.monotonic)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def asked(self) -> dict[str, Any]:
        """Return what the chain is asked."""
        return {**super().asked, "explain": False, "top_k": self.top_k, "max_tokens": self.max_tokens}

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self.finished or self.cancelled.is_set()

    def changed(self) -> None:
        """Wake who waits for this call."""
        with suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self.woken.set)

    async def begun(self, seconds: float) -> None:
        """Wait until passages were found or the call has ended, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.result and not self.ended:
                    self.woken.clear()
                    if not self.result and not self.ended:
                        await self.woken.wait()

    async def texts(self, seconds: float) -> AsyncIterator[str]:
        """Yield the text of the answer as it comes, "" whenever so many seconds bring none, until the call ended."""
        given = 0
        while True:
            self.woken.clear()
            ended = self.ended
            text = self.result.get("answer", "")
            if len(text) > given:
                yield text[given:]
                given = len(text)
            if ended:
                return
            try:
                await asyncio.wait_for(self.woken.wait(), seconds)
            except TimeoutError:
                yield ""

    def check(self) -> None:
        """Raise `Refused` unless the answer is whole."""
        if self.state == "failed":
            raise refusal(self.failure) if self.failure else Refused(500, self.error, "failed")
        if self.state != "done":
            raise Refused(499, "The client went away.", "client_gone") if self.gone else stopping()


class Desk:
    """Takes questions for one chain, whose model should be loaded.

    `gauges` and `about` read the index and may block; all else is for the thread of the event loop.
    """

    def __init__(
        self, chain: RagChain, open_again: Callable[[], RagChain], together: int = TOGETHER, capacity: int = CAPACITY
    ) -> None:
        self.chain = CurrentChain(chain, open_again)
        self._limits = chain.retriever.k, chain.llm.max_tokens
        self.metrics = Metrics()
        self.queue = JobQueue(self._stream, lambda stop: None, capacity, together)
        self._calls: set[Call] = set()
        self._is_closing = False
        self._searches = asyncio.Semaphore(SEARCHES)

    def ask(self, asking: Asking) -> Call:
        """Put a question in line. Raises `Refused` if no more are taken."""
        if self._is_closing:
            raise stopping()
        limits = asking.top_k or self._limits[0], asking.max_tokens or self._limits[1]
        call = Call(asking.question, asking.history, filter=asking.filter, top_k=limits[0], max_tokens=limits[1])
        self.queue.submit(call)
        return call

    @asynccontextmanager
    async def attended(self, call: Call, receive: "Receive") -> AsyncIterator[None]:
        """Withdraw the call when the client goes away, when the desk closes, and at the end."""
        self._calls.add(call)
        watch = asyncio.create_task(self._watch(call, receive))
        try:
            yield
        finally:
            watch.cancel()
            self._calls.discard(call)
            self.queue.withdraw(call)
            self._count(call)

    async def search(self, asking: Asking) -> list[dict[str, Any]]:
        """Return the hits as JSON has them. Raises as `find_evidence`."""
        filters = as_filters(asking.filter)
        given = {"filters": filters} if filters else {}
        async with self._searches:
            chain = await run_in_threadpool(self.chain)
            hits = await run_in_threadpool(chain.retriever.search, asking.question, asking.top_k, **given)
        return [hit_json(hit) for hit in hits]

    def close(self) -> None:
        """End all calls and take no more."""
        self._is_closing = True
        for call in list(self._calls):
            self.queue.withdraw(call)

    def gauges(self) -> dict[str, tuple[str, float]]:
        """Return what is measured when it is asked for; reads the index."""
        waiting, running = self.queue.length
        counts = self.chain().index.counts()
        return {
            "queue_waiting": ("Questions that wait for their turn.", waiting),
            "queue_running": ("Questions that are being answered.", running),
            "index_passages": ("Passages in the index.", counts["passages"]),
            "index_documents": ("Documents in the index.", counts["documents"]),
        }

    def about(self) -> dict[str, Any]:
        """Return what answers: language model, its window in tokens (0 for none), embedder."""
        chain = self.chain()
        pipeline = chain.warm()
        name, window = (pipeline.name, pipeline.window) if pipeline else ("none", 0)
        embedder = chain.index.embedder.identity.name
        return {"language_model": name, "context_window": window, "embedder": embedder}

    def _stream(self, asked: Mapping[str, Any], stop: Stop) -> Iterator[Mapping[str, Any]]:
        """Answer with the same index, search and model, within the limits of this question."""
        return self.chain().stream(dict(asked), stop=stop)

    async def _watch(self, call: Call, receive: "Receive") -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        call.gone = True
        self.queue.withdraw(call)

    def _count(self, call: Call) -> None:
        if call.state == "done":
            used = call.result["usage"]
            self.metrics.answered(call.result["mode"], used["prompt_tokens"], used["answer_tokens"])
        else:
            self.metrics.answered("failed" if call.state == "failed" else "cancelled")
