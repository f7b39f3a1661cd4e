"""Who has shown the token of the page: sessions in memory, and how often an address may try.

A session is a random value, good for twelve hours and gone when the server stops; the token itself is never handed out.
An address that showed ten wrong tokens within a minute must wait, and is then not let in with the right one either;
who is in stays in, and other addresses are not held up. Limit: who has many addresses has as many times ten tries.
"""

import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus

from rag_dolly.access import is_token

LIFETIME = 12 * 60 * 60
"""Seconds that a session is good for."""
TRIES = 10
"""Wrong tokens that an address may show within `PERIOD` seconds."""
PERIOD = 60
_REMEMBERED = 10_000
"""Wrong tries that are remembered, of all addresses together."""


class Door:
    """What opens the page. `now` gives the time in seconds."""

    def __init__(self, token: str, now: Callable[[], float] = time.time) -> None:
        self._token = token
        self._now = now
        self._ends: dict[str, float] = {}
        self._wrong: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)

    def try_token(self, given: str, address: str) -> HTTPStatus:
        """Return OK for the token, UNAUTHORIZED for another, TOO_MANY_REQUESTS if this address has to wait."""
        now, network = self._now(), _network(address)
        recent = sum(1 for at, other in self._wrong if other == network and now - at < PERIOD)
        if recent >= TRIES:
            return HTTPStatus.TOO_MANY_REQUESTS
        if is_token(given, self._token):
            return HTTPStatus.OK
        self._wrong.append((now, network))
        return HTTPStatus.UNAUTHORIZED

    def begin(self) -> str:
        """Return a new session."""
        now = self._now()
        self._ends = {session: end for session, end in self._ends.items() if end > now}
        session = secrets.token_urlsafe(32)
        self._ends[session] = now + LIFETIME
        return session

    def knows(self, session: str) -> bool:
        """Whether a session is good now."""
        return self._ends.get(session, 0) > self._now()

    def end(self, session: str) -> None:
        """End a session."""
        self._ends.pop(session, None)


def _network(address: str) -> str:
    """Return what stands for everybody who has this address: of IPv6 its first half, which one network has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or int(found) >> 64)
