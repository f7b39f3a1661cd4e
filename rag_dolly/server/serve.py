"""Serves the API: the port is taken, the model loaded, then requests are listened for, until Ctrl-C.

So whoever is answered at all is answered by a loaded model, and what cannot be opened or loaded ends the command with
its line. At Ctrl-C answers under way end within a token, their clients being told, and the command ends.
"""

import logging
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import uvicorn

from rag_dolly import show
from rag_dolly.access import checked_address, in_url
from rag_dolly.chain import RagChain
from rag_dolly.errors import RagDollyError
from rag_dolly.server.app import build
from rag_dolly.server.desk import Desk

if TYPE_CHECKING:
    from rag_dolly.settings import Settings

GRACE = 10
"""Seconds that responses under way may take to end once the server stops."""


def run(settings: "Settings", host: str, port: int, token: str | None) -> None:
    """Serve the index and model of these settings until interrupted.

    Raises `BadSetting` for a host that needs a token, `RagDollyError` for a port that is taken, and what opening the
    index and loading the model raise.
    """
    address = checked_address(host, token)
    with _bound(address, port) as listener:
        chain = RagChain.from_settings(settings, show.note)
        chain.warm()
        again = partial(RagChain.from_settings, settings, load=chain.warm)
        if token is not None:
            show.note("Requests must carry the token. They are not encrypted: see docs/serve.md.")
        with suppress(KeyboardInterrupt):
            Server(Desk(chain, again), address, port, token).run(sockets=[listener])


class Server(uvicorn.Server):
    """Uvicorn with our application: says where it listens, and ends answers under way when it stops."""

    def __init__(self, desk: Desk, address: str, port: int, token: str | None) -> None:
        self._desk = desk
        self._url = f"http://{in_url(address)}:{port}"
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        super().__init__(
            uvicorn.Config(
                build(desk, address, token),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say where."""
        await super().startup(sockets)
        sys.stdout.write(f"rag-dolly serves {self._url}/v1\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End answers under way, then stop listening."""
        self._desk.close()
        await super().shutdown(sockets)


def _bound(address: str, port: int) -> socket.socket:
    """Return a socket with the port. Raises `RagDollyError` if it cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise RagDollyError(
            f"Port {port} of {address} cannot be used ({reason}): choose another with --port."
        ) from error
    return listener
