"""Who may ask over HTTP, page and API alike: the address listened on, and host, origin and token of a request.

Without a token only this machine is served, and only requests that name it (DNS rebinding). Where a token is asked for,
any name will do, such as that of a reverse proxy: a name alone opens nothing then. What a web page of another origin
asks is refused always. Limits: one token for all, no TLS (a reverse proxy or an SSH tunnel gives that).
"""

import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from rag_dolly.errors import BadSetting

_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
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


def in_url(address: str) -> str:
    """Return an address as a URL and the header Host name it."""
    return f"[{address}]" if ":" in address else address


def names_this_machine(host: str, address: str) -> bool:
    """Whether a header Host names this machine, which listens on a loopback address."""
    found = _HOST.fullmatch(host)
    return found is not None and found[1].lower() in (*_LOCAL, in_url(address))


def is_own_origin(origin: str, host: str) -> bool:
    """Whether a header Origin names the host that the request names; a proxy may have taken off TLS."""
    return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())


def bearer(authorization: str) -> str | None:
    """Return the token that a header Authorization carries, None if it carries none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def is_token(given: str, token: str) -> bool:
    """Compare in a time that tells nothing of the token."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def with_headers(send: _Send, headers: Mapping[str, str]) -> _Send:
    """Return an ASGI `send` that puts these headers on every response, in place of those that have the same name."""

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            ours = [(name.encode(), value.encode()) for name, value in headers.items()]
            theirs = [pair for pair in message.get("headers", []) if pair[0].decode("latin-1").lower() not in headers]
            message["headers"] = [*theirs, *ours]
        await send(message)

    return send_with_headers
