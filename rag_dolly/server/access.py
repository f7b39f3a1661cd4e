"""Who may ask the API: stands before every endpoint and holds to what `rag_dolly/access.py` says.

There is no CORS. Limit: how often a wrong token may be tried is not limited.
"""

from typing import TYPE_CHECKING

from rag_dolly.access import bearer, is_own_origin, is_token, names_this_machine, with_headers
from rag_dolly.server.failures import Refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = ("/healthz",)
"""Paths that are served without the token: they tell nothing but whether the server answers."""
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Guard:
    """ASGI middleware: refuses who may not ask, and adds `HEADERS` to every response.

    `address` is the one listened on; `token` is None where none is needed.
    """

    def __init__(self, app: "ASGIApp", address: str, token: str | None) -> None:
        self._app = app
        self._address = address
        self._token = token

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass on a request that may be served."""
        send = with_headers(send, HEADERS)
        if scope["type"] == "http" and (refused := self._refusal(scope)):
            from rag_dolly.server.replies import error_reply

            await error_reply(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: "Scope") -> Refused | None:
        given = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = given.get(b"host", ""), given.get(b"origin")
        if self._token is None and not names_this_machine(host, self._address):
            return Refused(400, "The header Host names another machine than this one.", "bad_host")
        if (origin is not None and not is_own_origin(origin, host)) or given.get(b"sec-fetch-site") == "cross-site":
            return Refused(403, "Requests that a web page makes are not served.", "bad_origin")
        if self._token is None or scope["path"] in OPEN:
            return None
        if is_token(bearer(given.get(b"authorization", "")) or "", self._token):
            return None
        line = "The token is missing or wrong: send the header `Authorization: Bearer TOKEN`."
        return Refused(401, line, "invalid_api_key", headers={"www-authenticate": "Bearer"})
