"""The endpoints, and what stands around them: who may ask, what is counted, what is said of a failure."""

import time
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.errors import RagDollyError
from rag_dolly.server import bodies, metrics, shapes
from rag_dolly.server.access import Guard
from rag_dolly.server.answering import AnswerReply
from rag_dolly.server.desk import Desk
from rag_dolly.server.failures import UNEXPECTED, Refused, refusal
from rag_dolly.server.replies import error_reply, json_reply

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def build(desk: Desk, address: str, token: str | None) -> Starlette:
    """Return the ASGI application of a desk that listens on this address; `token` None asks for none."""
    routes = [
        Route("/v1/chat/completions", _chat, methods=["POST"]),
        Route("/v1/completions", _completions, methods=["POST"]),
        Route("/v1/search", _search, methods=["POST"]),
        Route("/v1/models", _models),
        Route("/v1/models/{name:path}", _model),
        Route("/healthz", _health),
        Route("/metrics", _metrics),
    ]
    paths = {route.path for route in routes}
    middleware = [Middleware(_Counted, desk=desk, paths=paths), Middleware(Guard, address=address, token=token)]
    handlers: dict[Any, Any] = {
        Refused: lambda _, error: error_reply(error),
        RagDollyError: lambda _, error: error_reply(refusal(error)),
        HTTPException: lambda request, error: error_reply(_unknown(request, error)),
        Exception: lambda _, __: error_reply(Refused(500, UNEXPECTED, "failed")),
    }
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    app.state.desk, app.state.started = desk, int(time.time())
    app.router.redirect_slashes = False
    return app


async def _chat(request: Request) -> Response:
    asking = bodies.read_chat(await bodies.read_object(request))
    return AnswerReply(_desk(request), asking, "chat")


async def _completions(request: Request) -> Response:
    asking = bodies.read_completion(await bodies.read_object(request))
    return AnswerReply(_desk(request), asking, "text")


async def _search(request: Request) -> Response:
    asking = bodies.read_search(await bodies.read_object(request))
    return json_reply({"hits": await _desk(request).search(asking)})


async def _models(request: Request) -> Response:
    return json_reply({"object": "list", "data": [await _card(request)]})


async def _model(request: Request) -> Response:
    if request.path_params["name"] != shapes.MODEL:
        raise Refused(404, f"There is one model here: {shapes.MODEL}.", "model_not_found", "model")
    return json_reply(await _card(request))


async def _health(request: Request) -> Response:
    """Say whether questions can be answered: the index can be read and searched; the model was loaded before."""
    try:
        await run_in_threadpool(_desk(request).gauges)
    except RagDollyError as error:
        raise Refused(503, "The index cannot be read.", "index_unreadable") from error
    return json_reply({"status": "ok"})


async def _metrics(request: Request) -> Response:
    desk = _desk(request)
    gauges = await run_in_threadpool(desk.gauges)
    return Response(desk.metrics.text(gauges), media_type=metrics.MEDIA_TYPE)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _card(request: Request) -> dict[str, Any]:
    return shapes.model_card(request.app.state.started, await run_in_threadpool(_desk(request).about))


def _unknown(request: Request, error: HTTPException) -> Refused:
    """Return what is said of a path or a method that is not there."""
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return Refused(405, f"{request.url.path} is not asked so: use {allowed}.", "bad_method", headers=error.headers)
    return Refused(error.status_code, "There is nothing at this path.", "not_found", headers=error.headers)


class _Counted:
    """ASGI middleware that counts requests by path and status, with their duration."""

    def __init__(self, app: "ASGIApp", desk: Desk, paths: set[str]) -> None:
        self._app = app
        self._desk = desk
        self._paths = paths

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def counting(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, counting)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._desk.metrics.served(path, status, time.monotonic() - began)
