"""Serves the page on this machine: Streamlit's own server inside an ASGI app with stricter manners.

Every response carries a content security policy that forbids the browser any request to another host; requests
that name another host (DNS rebinding) or come from another origin are refused; only
loopback addresses are served; telemetry is off.
Limits: no accounts and no token, so everybody with an account on this machine can reach the page.
"""

import importlib.util
import ipaddress
import logging
import socket
import sys
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag_dolly.app import resources, theme
from rag_dolly.app.engine import Engine
from rag_dolly.errors import BadSetting, RagDollyError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rag_dolly.settings import Settings

HOSTS = ["localhost", "127.0.0.1", "[::1]", "::1"]
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws://localhost:* ws://127.0.0.1:*; "
        "worker-src 'self' blob:; frame-src 'self' blob:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def run(settings: "Settings", port: int, host: str = "127.0.0.1") -> None:
    """Serve the page for these settings until interrupted.

    Raises `BadSetting` for a host that is not loopback, `RagDollyError` for a port that is taken.
    """
    listen(Engine(resources.LocalBackend(settings)), port, host)


def listen(engine: Engine, port: int, host: str = "127.0.0.1") -> None:
    """Serve the page with this engine; the rest as `run`."""
    address = _loopback(host)
    _claim(address, port)
    resources.install(engine)
    engine.start()
    _app(f"http://{_named(address)}:{port}").run(config=options(address, port))


def options(address: str, port: int) -> dict[str, Any]:
    """Return all Streamlit options to serve with."""
    own = {"server.address": address, "server.port": port, "logger.hideWelcomeMessage": True, "logger.level": "warning"}
    return theme.SERVER | theme.LOOK | own


class SecureHeaders:
    """ASGI middleware that adds `HEADERS` to every HTTP response."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, and the response back with the headers."""

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                theirs = [pair for pair in message.get("headers", []) if pair[0].decode().lower() not in HEADERS]
                message["headers"] = [*theirs, *ours]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class OwnOrigin:
    """ASGI middleware that refuses what another origin's page asks, before Streamlit sees it.

    To compare such an origin Streamlit would ask a server on the internet for this machine's address.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on if it names no origin or one of this machine."""
        origins = [value.decode("latin-1") for name, value in scope.get("headers", []) if name == b"origin"]
        if all(_is_own(origin) for origin in origins):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            from starlette.responses import PlainTextResponse

            await PlainTextResponse("Another origin", status_code=403)(scope, receive, send)


def _is_own(origin: str) -> bool:
    try:
        return urlsplit(origin).hostname in HOSTS
    except ValueError:
        return False


def _app(url: str) -> Any:
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    @asynccontextmanager
    async def announce(_: Any) -> AsyncIterator[None]:
        sys.stdout.write(f"rag-dolly is at {url}\n")
        sys.stdout.flush()
        yield

    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno >= logging.WARNING)
    trusted = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    middleware = [Middleware(SecureHeaders), trusted, Middleware(OwnOrigin)]
    return st.App(_script(), lifespan=announce, middleware=middleware)


def _script() -> Path:
    spec = importlib.util.find_spec("streamlit_app")
    if spec is None or spec.origin is None:
        raise RagDollyError("The module streamlit_app is not installed: install rag-dolly again, as a whole.")
    return Path(spec.origin)


def _loopback(host: str) -> str:
    """Return the loopback address of a host name; refuse all others."""
    try:
        address = "127.0.0.1" if host == "localhost" else host
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise BadSetting(
        f"The page is served to this machine only, expected --host 127.0.0.1, found '{host}': "
        "use an SSH tunnel to reach it from elsewhere."
    )


def _named(address: str) -> str:
    return f"[{address}]" if ":" in address else address


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
