"""What stands before Streamlit: what names this machine or shows the token passes, all else is refused.

`OwnOrigin` refuses what names another host or comes from another origin's page. `TokenGate` shows nobody page, files
or web socket before the token was given: in the form of `sign_in.py`, for a cookie with a session of `door.py`, or as
`Authorization: Bearer TOKEN`. One path is open to all and tells only that the server answers: `/healthz`.
"""

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from rag_dolly.access import bearer, is_own_origin, names_this_machine
from rag_dolly.app.entry.door import LIFETIME, PERIOD, Door
from rag_dolly.app.entry.sign_in import SIGN_IN, SIGN_OUT, onward_page, sign_in_page, sign_out_page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALIVE = "/healthz"
_MOST_BYTES = 16_384
_PATIENCE = 10.0
_LOCAL_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")
_NOT_IN = "Not signed in: reload this page to sign in.\nPrograms send `Authorization: Bearer TOKEN`."
_WRONG = "That is not the token."
_TOO_OFTEN = "Too many wrong tokens. Wait a minute, then try again."


class OwnOrigin:
    """ASGI middleware that refuses what names another host than this machine, or comes from another origin's page.

    `address` is the loopback address listened on, None where requests may name any host. To compare an origin with this
    machine Streamlit would ask a server on the internet for this machine's address, so none but our own reaches it.
    """

    def __init__(self, app: "ASGIApp", address: str | None) -> None:
        self._app = app
        self._address = address

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = HTTPConnection(scope).headers
        host = headers.get("host", "")
        if self._address is not None and not names_this_machine(host, self._address):
            await _refuse(400, "Another host", scope, receive, send)
        elif not all(is_own_origin(origin, host) for origin in headers.getlist("origin")) or (
            scope.get("method", "GET") not in ("GET", "HEAD") and headers.get("sec-fetch-site") == "cross-site"
        ):
            await _refuse(403, "Another origin", scope, receive, send)
        else:
            await self._app(scope, receive, send)


class TokenGate:
    """ASGI middleware that passes on only requests of who has shown the token; the cookie has the name `cookie`."""

    def __init__(self, app: "ASGIApp", door: Door, cookie: str) -> None:
        self._app = app
        self._door = door
        self._cookie = cookie

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, or answer it here."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] == ALIVE):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        session = request.cookies.get(self._cookie, "")
        if scope["type"] == "http" and scope["path"] in (SIGN_IN, SIGN_OUT):
            reply = await self._reply(Request(scope, receive), session)
            reply.headers["cache-control"] = "no-store"
            await reply(scope, receive, send)
        elif self._door.knows(session):
            await self._app(scope, self._while_known(session, receive, send), send)
        else:
            await self._without_session(request, receive, send)

    async def _without_session(self, request: HTTPConnection, receive: "Receive", send: "Send") -> None:
        given = bearer(request.headers.get("authorization", ""))
        status = 401 if given is None else self._door.try_token(given, _address(request))
        if status == 200:
            await self._app(request.scope, receive, send)
        elif status == 401 and _wants_page(request):
            reply = HTMLResponse(onward_page(_wanted(request)), 401, {"cache-control": "no-store"})
            await reply(request.scope, receive, send)
        else:
            await _refuse(status, _TOO_OFTEN if status == 429 else _NOT_IN, request.scope, receive, send)

    async def _reply(self, request: Request, session: str) -> Response:
        """Return what is shown at the paths for signing in and out."""
        known = self._door.knows(session)
        if request.method == "POST":
            return await self._sign_in(request) if request.scope["path"] == SIGN_IN else self._sign_out(session)
        if request.scope["path"] == SIGN_OUT:
            return HTMLResponse(sign_out_page()) if known else RedirectResponse(SIGN_IN, 303)
        onward = _local(request.query_params.get("next", ""))
        return RedirectResponse(onward, 303) if known else HTMLResponse(sign_in_page(onward))

    async def _sign_in(self, request: Request) -> Response:
        fields = await _fields(request)
        onward = _local(fields.get("next", ""))
        status = self._door.try_token(fields.get("token", "").strip(), _address(request))
        if status == 200:
            reply: Response = RedirectResponse(onward, 303)
            session, secure = self._door.begin(), _is_encrypted(request)
            reply.set_cookie(self._cookie, session, LIFETIME, secure=secure, httponly=True, samesite="strict")
            return reply
        headers = {"retry-after": str(PERIOD)} if status == 429 else {}
        return HTMLResponse(sign_in_page(onward, _TOO_OFTEN if status == 429 else _WRONG), status, headers)

    def _sign_out(self, session: str) -> Response:
        self._door.end(session)
        reply = RedirectResponse(SIGN_IN, 303)
        reply.delete_cookie(self._cookie, httponly=True, samesite="strict")
        return reply

    def _while_known(self, session: str, receive: "Receive", send: "Send") -> "Receive":
        """Return a `receive` that ends a web socket at the first message after the session has ended."""

        async def receive_while_known() -> "Message":
            message = await receive()
            if message["type"] != "websocket.receive" or self._door.knows(session):
                return message
            await send({"type": "websocket.close", "code": 1008})
            return {"type": "websocket.disconnect", "code": 1008}

        return receive_while_known


async def _refuse(status: int, line: str, scope: "Scope", receive: "Receive", send: "Send") -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = {"www-authenticate": "Bearer"} if status == 401 else {"retry-after": str(PERIOD)} if status == 429 else {}
    await JSONResponse(line, status, headers)(scope, receive, send)  # which Streamlit's script in the browser can show


async def _fields(request: Request) -> dict[str, str]:
    """Return the fields of a form that was posted; none if it is too long or too slow."""
    body = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            async for piece in request.stream():
                body += piece
                if len(body) > _MOST_BYTES:
                    return {}
        return dict(parse_qsl(body.decode("latin-1"), max_num_fields=8))
    except (ClientDisconnect, TimeoutError, ValueError):
        return {}


def _wants_page(request: HTTPConnection) -> bool:
    return request.scope.get("method") == "GET" and "text/html" in request.headers.get("accept", "")


def _is_encrypted(request: HTTPConnection) -> bool:
    """Whether the browser sent the request over TLS, which a proxy may have taken off."""
    return request.scope["scheme"] == "https" or request.headers.get("origin", "").lower().startswith("https:")


def _wanted(request: HTTPConnection) -> str:
    """Return the path and query that a request asks for."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def _local(address: str) -> str:
    """Return a path to go on to; "/" for what is none of this server."""
    return address if _LOCAL_PATH.fullmatch(address) else "/"


def _address(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""
