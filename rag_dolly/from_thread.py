"""A generator that runs in a thread, for who waits for its pieces without blocking an event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from typing import Any


async def from_thread(
    pieces: Callable[[], Iterator[dict[str, Any]]], left: threading.Event
) -> AsyncIterator[dict[str, Any]]:
    """Run a generator in a thread and yield what it yields; sets `left` when the consumer goes away."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def put(kind: str, value: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody listens any more
            loop.call_soon_threadsafe(queue.put_nowait, (kind, value))

    def work() -> None:
        try:
            for piece in pieces():
                put("piece", piece)
            put("end", None)
        except BaseException as error:
            put("error", error)

    threading.Thread(target=copy_context().run, args=(work,), daemon=True).start()
    try:
        while True:
            kind, value = await queue.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        left.set()
