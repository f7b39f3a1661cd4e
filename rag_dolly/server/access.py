"""Who may ask: the address that is listened on, the host a request names, the page it comes from, its token.

Without a token only this machine is served, and only requests that name it (DNS rebinding). Requests that a web page of
another origin made are refused always; there is no CORS. Limits: one token for all, no TLS (a reverse proxy or an SSH
tunnel gives that), no limit to how often a wrong token may be tried.
"""

import hmac
import ipaddress
import re
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import BadSetting
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
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@/\s]+)(?::\d{1,5})?", re.IGNORECASE)


def checked_address(host: str, token: str | None) -> str:
    """Return the address to listen on. Raises `BadSetting` if it is none, or not loopback and there is no token."""
    if token is not None and not re.fullmatch(r"[!-~]+", token):
        raise BadSetting("The token is empty or has a character that a header cannot hold: use letters and digits.")
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
    except ValueError as error:
        line = f"--host is '{host}': expected an address of this machine, such as 127.0.0.1 or 0.0.0.0."
        raise BadSetting(line) from error
    if not address.is_loopback and token is None:
        raise BadSetting(
            f"--host {host} is reached from other machines: give a --token (or RAG_DOLLY_TOKEN) that requests must "
            "carry, or listen on 127.0.0.1."
        )
    return str(address)


class Guard:
    """ASGI middleware: raises `Refused` for who may not ask, and adds `HEADERS` to every response.

    `address` is the one listened on; `token` is None where none is needed.
    """

    def __init__(self, app: "ASGIApp", address: str, token: str | None) -> None:
        self._app = app
        self._token = token
        self._is_local = ipaddress.ip_address(address).is_loopback
        self._hosts = {*_LOCAL, f"[{address}]" if ":" in address else address}

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass on a request that may be served."""

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                theirs = [
                    pair for pair in message.get("headers", []) if pair[0].decode("latin-1").lower() not in HEADERS
                ]
                message["headers"] = [*theirs, *ours]
            await send(message)

        if scope["type"] == "http" and (refused := self._refusal(scope)):
            from rag_dolly.server.replies import error_reply

            await error_reply(refused)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _refusal(self, scope: "Scope") -> Refused | None:
        given = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = given.get(b"host", "")
        if self._is_local and _host(host) not in self._hosts:
            return Refused(400, "The header Host names another machine than this one.", "bad_host")
        if given.get(b"origin", f"http://{host}") != f"http://{host}" or given.get(b"sec-fetch-site") == "cross-site":
            return Refused(403, "Requests that a web page makes are not served.", "bad_origin")
        if self._token is None or scope["path"] in OPEN:
            return None
        scheme, _, token = given.get(b"authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(token.strip(), self._token):
            return None
        line = "The token is missing or wrong: send the header `Authorization: Bearer TOKEN`."
        return Refused(401, line, "invalid_api_key", headers={"www-authenticate": "Bearer"})


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _host(header: str) -> str:
    """Return the host that a header names, lowered, without its port; "" for one that is none."""
    found = _HOST.fullmatch(header)
    return found[1].lower() if found else ""
