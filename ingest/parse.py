"""Files to documents, each parsed in a worker process that can be killed: one file cannot hurt the run.

A worker is a fresh Python process (`python -P -m ingest.parse_worker`, so that no module is taken from the working
directory), limited to `MEMORY` bytes; it is killed when a file makes no progress for `SECONDS`, and replaced when it
dies. Requests and documents travel as JSON. Workers start with the first file that has to be parsed.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import ingest
from ingest import document_json
from ingest.errors import UnreadableFile
from ingest.passage import Document
from ingest.walk import MAX_BYTES

SECONDS = 120
MEMORY = 4 << 30
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document, and the sha256 and size in bytes of the content that it was read from."""

    document: Document
    sha256: str
    size: int


class Unparsed(UnreadableFile):
    """The reason why a file has no document."""


class Parsers:
    """A pool of worker processes. Use as a context; at its end all of them are gone, busy or not.

    `workers` is their number, `passwords` are tried on encrypted files.
    """

    def __init__(
        self, workers: int, passwords: Sequence[str] = (), seconds: int = SECONDS, memory: int = MEMORY
    ) -> None:
        self._limit = {"passwords": list(passwords), "most": MAX_BYTES, "seconds": seconds}
        self._seconds = seconds
        self._memory = memory
        self._ahead = 2 * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="rag-dolly-parse")
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: set[_Worker] = set()
        self._closed = False

    def __enter__(self) -> "Parsers":
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for worker in list(self._all):
            worker.kill()
        self._pool.shutdown(cancel_futures=True)
        for worker in list(self._all):
            worker.bury()

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield `work(item)` for each item, done in threads, as they come; few items are taken up ahead."""
        running: set[Future[Result]] = set()
        for item in items:
            running.add(self._pool.submit(work, item))
            if len(running) >= self._ahead:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)

    def parse(self, source: str, path: Path) -> Parsed:
        """Return the document in a file; safe to call from several threads. Raises `Unparsed`."""
        worker = self._take()
        try:
            head, body = worker.ask({"source": source, "path": str(path), **self._limit}, self._seconds)
        except BaseException:
            worker.kill()
            worker.bury()
            self._all.discard(worker)
            raise
        self._idle.put(worker)
        if "error" in head:
            raise Unparsed(head["error"])
        return Parsed(document_json.load(body), head["sha256"], head["size"])

    def _take(self) -> "_Worker":
        if self._closed:
            raise Unparsed("stopped before it was read")
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            worker = _Worker(self._memory)
            self._all.add(worker)
            return worker


class _Worker:
    def __init__(self, memory: int) -> None:
        home = str(Path(ingest.__file__).resolve().parents[1])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._memory = memory
        self._late = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingest.parse_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def ask(self, request: dict[str, Any], seconds: int) -> tuple[dict[str, Any], bytes]:
        """Return the head and the body of the reply. Raises `Unparsed` when the process died over it."""
        try:
            self._send({**request, "memory": self._memory})
            while (head := self._read_head(seconds)).get("tick"):
                pass
            return head, self._out.read(head.get("bytes", 0))
        except (OSError, ValueError) as error:
            raise Unparsed(self._epitaph(seconds)) from error

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def bury(self) -> None:
        """Wait for the end of the process and close what led to it."""
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()

    @property
    def _out(self) -> Any:
        return self._process.stdout

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _read_head(self, seconds: int) -> dict[str, Any]:
        timer = threading.Timer(seconds, self._kill_late)
        timer.start()
        try:
            head: dict[str, Any] = json.loads(self._out.readline())
            return head
        finally:
            timer.cancel()

    def _kill_late(self) -> None:
        self._late = True
        self._process.kill()

    def _epitaph(self, seconds: int) -> str:
        status = self._process.wait()
        if self._late:
            return f"took longer than {seconds} s without getting on: it was given up"
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        return f"its parser died over it ({name}): the file is broken, or needs more than {self._memory >> 20} MB"
