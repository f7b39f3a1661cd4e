"""Serves the page: Streamlit's own server inside an ASGI app with stricter manners.

Every response carries a content security policy that forbids the browser any request to another host; requests
that name another host (DNS rebinding) or come from another origin are refused; telemetry is off. Without a token only
loopback addresses are served; with one, nothing is shown to who has not signed in with it (`gate.py`).
Limits: no accounts and no TLS; without a token everybody with an account on this machine can reach the page.
"""

import importlib.util
import ipaddress
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_dolly.access import checked_address, in_url, with_headers
from rag_dolly.app import resources
from rag_dolly.app.engine import Engine
from rag_dolly.app.entry import theme
from rag_dolly.app.entry.sign_in import COOKIE
from rag_dolly.errors import RagDollyError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rag_dolly.settings import Settings

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
        "worker-src 'self' blob:; frame-src 'self' blob:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",  # with no-referrer a form would be posted with the origin "null"
    "x-content-type-options": "nosniff",
}


def run(settings: "Settings", port: int, host: str = "127.0.0.1", token: str | None = None) -> None:
    """Serve the page for these settings until interrupted.

    Raises `BadSetting` for a host that needs a token, `RagDollyError` for a port that is taken.
    """
    listen(Engine(resources.LocalBackend(settings)), port, host, token)


def listen(engine: Engine, port: int, host: str = "127.0.0.1", token: str | None = None) -> None:
    """Serve the page with this engine; the rest as `run`."""
    address = checked_address(host, token)
    _claim(address, port)
    engine.is_shared = token is not None
    resources.install(engine)
    engine.start()
    _app(address, port, token).run(config=options(address, port, token is not None))


def options(address: str, port: int, has_token: bool = False) -> dict[str, Any]:
    """Return all Streamlit options to serve with; where a token is asked for, any name of this machine will do."""
    own = {"server.address": address, "server.port": port, "logger.hideWelcomeMessage": True, "logger.level": "warning"}
    hosts = [] if has_token else list(dict.fromkeys([*theme.SERVER["server.allowedHosts"], address]))
    return theme.SERVER | theme.LOOK | own | {"server.allowedHosts": hosts}


class SecureHeaders:
    """ASGI middleware that adds `HEADERS` to every HTTP response."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, and the response back with the headers."""
        await self._app(scope, receive, with_headers(send, HEADERS))


def _app(address: str, port: int, token: str | None) -> Any:
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from rag_dolly.app.entry.door import Door
    from rag_dolly.app.entry.gate import ALIVE, OwnOrigin, TokenGate

    @asynccontextmanager
    async def announce(_: Any) -> AsyncIterator[None]:
        sys.stdout.write(_where(address, port) + "\n")
        sys.stdout.flush()
        yield

    async def alive(_: "Request") -> PlainTextResponse:
        return PlainTextResponse("ok")

    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno >= logging.WARNING)
    middleware = [Middleware(SecureHeaders), Middleware(OwnOrigin, address=None if token else address)]
    if token:
        middleware.append(Middleware(TokenGate, door=Door(token), cookie=f"{COOKIE}{port}"))
    return st.App(_script(), lifespan=announce, routes=[Route(ALIVE, alive)], middleware=middleware)


def _where(address: str, port: int) -> str:
    """Return the line that says where the page is."""
    found = ipaddress.ip_address(address)
    near = str(found) if not found.is_unspecified else "::1" if found.version == 6 else "127.0.0.1"
    line = f"rag-dolly is at http://{in_url(near)}:{port}"
    if found.is_unspecified:
        line += " and at the other addresses of this machine"
    if not found.is_loopback:
        line += "; the connection is not encrypted, see docs/page.md"
    return line


def _script() -> Path:
    spec = importlib.util.find_spec("streamlit_app")
    if spec is None or spec.origin is None:
        raise RagDollyError("The module streamlit_app is not installed: install rag-dolly again, as a whole.")
    return Path(spec.origin)


def _claim(address: str, port: int) -> None:
    """Raise `RagDollyError` if the port cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RagDollyError(f"Port {port} cannot be used ({reason}): choose another with --port.") from error
