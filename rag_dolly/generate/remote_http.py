"""HTTP to a model server: JSON requests, and streams of events that can be broken off at any moment.

Nothing but the address given is ever asked: redirects are not followed and proxies of the environment not used.
A request is tried again, after a pause, when the server could not be reached or says that it is busy, and never once
an event of its stream has arrived. Every failure is a `ServerFailed` with one line that says what to do.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import ServerFailed
from rag_dolly.generate.remote_address import KEY_VARIABLE, authorization, checked, is_loopback

if TYPE_CHECKING:
    import httpx2

_BUSY = (429, 502, 503, 504)
_POLL = 0.05  # seconds between two looks at whether the reader has left
_LEAVE = 2.0  # seconds that a reader who leaves waits for the connection to be closed
_LONGEST_LINE = 1 << 20
_LONGEST_MESSAGE = 300

Event = dict[str, Any]
Ended = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for, in seconds.

    `connect` is for a connection; `silence` for the first token, which on a processor can take minutes, and between
    tokens; `pauses` come before each new try, longer if the server asks for more, but not beyond `longest_pause`.
    """

    connect: float = 5.0
    silence: float = 300.0
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0)
    longest_pause: float = 30.0


class Refused(ServerFailed):
    """The server answered, with another status than 200; `text` is what it said.

    `pause` is how many seconds it asks to wait, None if the same request would be refused again.
    """

    def __init__(self, line: str, status: int, text: str, pause: float | None = None) -> None:
        super().__init__(line)
        self.status = status
        self.text = text
        self.pause = pause


class Server:
    """A server with an OpenAI-compatible interface at `base` ("http://host/v1"); `root` is the address without "/v1".

    Safe to share between threads.
    """

    def __init__(self, address: str, *, offline: bool = False, patience: Patience | None = None) -> None:
        """Take the address; nothing is asked yet. Raises `BadSetting`, also for another machine when `offline`."""
        import httpx2

        self._patience = patience or Patience()
        url = checked(address, offline)
        self.base = str(url).rstrip("/") if url.path.strip("/") else f"{str(url).rstrip('/')}/v1"
        self.root = self.base.removesuffix("/v1")
        self.is_local = is_loopback(url.host)
        self.is_encrypted = url.scheme == "https"
        self._options: dict[str, Any] = {
            "headers": {"User-Agent": "rag-dolly", "Accept-Encoding": "identity", **authorization(url.host)},
            "timeout": httpx2.Timeout(self._patience.silence, connect=self._patience.connect),
            "verify": httpx2.create_ssl_context(),
            "follow_redirects": False,
            "trust_env": False,
        }
        self._client = httpx2.Client(**self._options)

    def ask(self, url: str, body: Event | None = None) -> Any:
        """Return the JSON that a GET, or with a `body` a POST, is answered with. Raises `ServerFailed`."""
        import httpx2

        for pause in (*self._patience.pauses, None):
            try:
                response = self._client.request("GET" if body is None else "POST", url, json=body)
                self._check(response)
                return response.json()
            except ValueError as error:
                raise Refused(f"{self._called} answered {url} with something that is not JSON", 200, "") from error
            except (httpx2.TransportError, Refused) as error:
                time.sleep(self._wait(error, pause))
        raise AssertionError("the last try returns or raises")

    def try_ask(self, url: str, body: Event | None = None) -> Event:
        """Return the JSON object that is answered, {} where the server has none at `url`. Raises `ServerFailed`."""
        try:
            answer = self.ask(url, body)
        except Refused:
            return {}
        return answer if isinstance(answer, dict) else {}

    def events(self, url: str, body: Event, ended: Ended) -> Iterator[Event]:
        """Yield the events that a POST is answered with, up to "[DONE]" or the end of the stream.

        The connection is closed within a moment after `ended()` turns true and when the iterator is closed, also
        while nothing has arrived yet. Raises `ServerFailed`.
        """
        inbox: SimpleQueue[Event | BaseException | None] = SimpleQueue()
        closed = threading.Event()

        def work() -> None:
            try:
                asyncio.run(_until(self._read(url, body, inbox.put), lambda: closed.is_set() or ended()))
                inbox.put(None)
            except BaseException as error:
                inbox.put(error)

        worker = threading.Thread(target=work, name="rag-dolly-remote", daemon=True)
        worker.start()
        try:
            while (item := inbox.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            closed.set()
            worker.join(_LEAVE)

    async def _read(self, url: str, body: Event, put: Callable[[Event], None]) -> None:
        import httpx2

        begun = False
        async with httpx2.AsyncClient(**self._options) as client:
            for pause in (*self._patience.pauses, None):
                try:
                    async with client.stream("POST", url, json=body) as response:
                        if response.status_code != 200:
                            await response.aread()
                        self._check(response)
                        async for event in self._parsed(response):
                            begun = True
                            put(event)
                    return
                except (httpx2.TransportError, Refused) as error:
                    if begun:
                        raise self.broke_off(error) from error
                    await asyncio.sleep(self._wait(error, pause))

    async def _parsed(self, response: "httpx2.Response") -> AsyncIterator[Event]:
        kind = response.headers.get("content-type", "nothing")
        if not kind.startswith("text/event-stream"):
            raise ServerFailed(
                f"{self._called}: expected a stream of events, found {one_line(kind)}; check the address"
            )
        async for line in _lines(response.aiter_bytes()):
            data = line.removeprefix(b"data:").strip()
            if not line.startswith(b"data:") or not data:
                continue
            if data == b"[DONE]":
                return
            try:
                event = json.loads(data)
            except ValueError as error:
                raise ServerFailed(f"{self._called} sent an event that is not JSON: {one_line(data)}") from error
            if not isinstance(event, dict):
                raise ServerFailed(f"{self._called} sent an event that is not an object: {one_line(data)}")
            if event.get("error"):
                raise ServerFailed(f"{self._called} gave up: {_message(event)}")
            yield event

    def broke_off(self, cause: object = "") -> ServerFailed:
        """Return the error to raise when a stream ended before the answer did."""
        why = f" ({one_line(cause)})" if str(cause) else ""
        return ServerFailed(f"{self._called} broke off in the middle of an answer{why}; look into its log, ask again")

    @property
    def _called(self) -> str:
        return f"model server {self.base}"

    def _check(self, response: "httpx2.Response") -> None:
        """Raise `Refused` for all but status 200; the body has been read then."""
        status = response.status_code
        if status == 200:
            return
        said = _message(_json_or_text(response))
        if status in (401, 403):
            sent = "refuses the key" if "Authorization" in self._options["headers"] else "wants a key"
            raise Refused(f"{self._called} {sent} ({status}): set {KEY_VARIABLE} to one it accepts", status, said)
        if 300 <= status < 400:
            where = one_line(response.headers.get("location", "nowhere"))
            raise Refused(
                f"{self._called} redirects to {where}, which is not followed: give the right address to --model",
                status,
                said,
            )
        pause = _retry_after(response) if status in _BUSY else None
        raise Refused(f"{self._called} answered {status}: {said or response.reason_phrase}", status, said, pause)

    def _wait(self, error: "httpx2.TransportError | Refused", pause: float | None) -> float:
        """Return how many seconds to wait before the next try; raise where there is to be none."""
        if isinstance(error, Refused):
            if pause is None or error.pause is None or error.pause > self._patience.longest_pause:
                raise error
            return max(pause, error.pause)
        import httpx2

        if isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout):
            raise ServerFailed(f"{self._called} sent nothing for {self._patience.silence:g} seconds") from error
        if pause is None:
            why = one_line(error) or type(error).__name__
            raise ServerFailed(
                f"{self._called} cannot be reached ({why}): start it, or check the address given to --model"
            ) from error
        return pause


async def _until(reading: Coroutine[Any, Any, None], ended: Ended) -> None:
    """Run `reading` to its end, or cancel it once `ended()` is true."""
    task = asyncio.ensure_future(reading)
    while not (await asyncio.wait([task], timeout=_POLL))[0]:
        if ended():
            task.cancel()
            await asyncio.wait([task])
            return
    task.result()


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield lines of bytes, however they were cut into packets; a line is text only when it is whole."""
    held = b""
    async for chunk in chunks:
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
        if len(held) > _LONGEST_LINE:
            raise ServerFailed(f"a model server sent a line of more than {_LONGEST_LINE} bytes, which is no event")
    if held:
        yield held


def _retry_after(response: "httpx2.Response") -> float:
    """Return the seconds that a busy server asks to wait; 0 where it says none, or a date."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0


def _json_or_text(response: "httpx2.Response") -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def _message(answer: Any) -> str:
    """Return in one line what a server says went wrong; each has a form of its own."""
    while isinstance(answer, dict):
        answer = next((answer[key] for key in ("error", "message", "detail") if answer.get(key)), "")
    return one_line(answer)


def one_line(what: object) -> str:
    """Return what a server sent as one printable line of bounded length."""
    text = what.decode("utf-8", "replace") if isinstance(what, bytes) else str(what)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]} ..."
