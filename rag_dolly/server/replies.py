"""Responses: an object as JSON, a refusal as JSON, an answer as a stream of server-sent events."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from rag_dolly.server.failures import Refused
from rag_dolly.server.json_text import dump

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Event = Mapping[str, Any] | str
"""An object to send, or a text to send as it is; "" is a comment that keeps the connection alive."""
DONE = "[DONE]"


def json_reply(value: Mapping[str, Any]) -> Response:
    """Return a response with an object."""
    return Response(dump(value) + b"\n", media_type="application/json")


def error_reply(refused: Refused) -> Response:
    """Return a response that says why a request is not served."""
    return Response(dump(refused.body) + b"\n", refused.status, headers=refused.headers, media_type="application/json")


def event_text(event: Event) -> bytes:
    """Return an event as the stream has it."""
    if isinstance(event, str):
        return f"data: {event}\n\n".encode() if event else b": waiting\n\n"
    return b"data: " + dump(event) + b"\n\n"


class EventReply(Response):
    """A stream of events, each sent when it is there."""

    def __init__(self, events: AsyncIterator[Event]) -> None:
        super().__init__(media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Send the events; the iterator is closed at the end, whatever the end is."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._events) as events:  # type: ignore[type-var]
            async for event in events:
                await send({"type": "http.response.body", "body": event_text(event), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
