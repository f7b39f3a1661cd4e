"""The reply to a question: the whole answer as one object, or its pieces as events while they are made.

What goes wrong before the first passage is found, or within `BEGIN` seconds, is told by the status; later than that a
stream has begun, and its last event is the error.
"""

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.responses import Response

from rag_dolly.server.bodies import Asking
from rag_dolly.server.desk import Call, Desk
from rag_dolly.server.failures import Refused
from rag_dolly.server.replies import DONE, Event, EventReply, json_reply
from rag_dolly.server.shapes import Kind, Shape

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

BEGIN = 10.0
"""Seconds after which a stream begins though nothing was found yet: others wait in line, or the model is slow."""
SILENCE = 10.0
"""Seconds of silence after which a stream gets a comment, so that nothing on the way takes it for dead."""


class AnswerReply(Response):
    """Asks the question when the response is sent, and ends it when the client goes away."""

    def __init__(self, desk: Desk, asking: Asking, kind: Kind) -> None:
        super().__init__()
        self._desk = desk
        self._asking = asking
        self._kind: Kind = kind

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Send the answer. Raises `Refused` while nothing has been sent."""
        call = self._desk.ask(self._asking)
        shape = Shape(self._kind, call.max_tokens)
        async with self._desk.attended(call, receive):
            reply = await self._streamed(call, shape) if self._asking.stream else await self._whole(call, shape)
            await reply(scope, receive, send)

    async def _whole(self, call: Call, shape: Shape) -> Response:
        async for _ in self._texts(call):
            pass
        call.check()
        return json_reply(shape.whole(call.result))

    async def _streamed(self, call: Call, shape: Shape) -> Response:
        await call.begun(BEGIN)
        if call.ended and not call.result:
            call.check()
        return EventReply(self._events(call, shape))

    async def _events(self, call: Call, shape: Shape) -> AsyncIterator[Event]:
        is_open = False
        async for text in self._texts(call):
            if call.result and not is_open:
                is_open = True
                for chunk in shape.opening(call.result):
                    yield chunk
            yield shape.piece(call.result, text) if text else ""
        try:
            call.check()
        except Refused as refused:
            yield refused.body
            return
        for chunk in shape.closing(call.result, self._asking.include_usage):
            yield chunk
        yield DONE

    async def _texts(self, call: Call) -> AsyncIterator[str]:
        """Yield the call's texts, and note when the first came."""
        is_first = True
        async for text in call.texts(SILENCE):
            if text and is_first:
                self._desk.metrics.first_text.add(time.monotonic() - call.began)
                is_first = False
            yield text
