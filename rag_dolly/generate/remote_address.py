"""Which address a model server may have, and which key it gets. The key comes from the environment and nowhere else."""

import ipaddress
import os
from typing import TYPE_CHECKING

from rag_dolly.errors import BadSetting

if TYPE_CHECKING:
    import httpx2

KEY_VARIABLE = "RAG_DOLLY_API_KEY"
_OPENAI_VARIABLE = "OPENAI_API_KEY"
_OPENAI_HOST = "api.openai.com"


def checked(address: str, offline: bool) -> "httpx2.URL":
    """Return the address given to --model. Raises `BadSetting`, also for another machine when `offline`."""
    import httpx2

    wrong = BadSetting(f"--model {address}: expected the address of a server, like http://127.0.0.1:8000/v1")
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, ValueError):
        raise wrong from None
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or " " in address:
        raise wrong
    if url.userinfo:
        raise BadSetting(f"--model: an address with a password in it is not taken; put a key into {KEY_VARIABLE}")
    if offline and not is_loopback(url.host):
        raise BadSetting(
            f"--model {address} is on another machine, and --offline sends nothing off this one: leave --offline out, "
            "or name a server on 127.0.0.1"
        )
    return url


def is_loopback(host: str) -> bool:
    """Tell whether a host, a name or an address, is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def authorization(host: str) -> dict[str, str]:
    """Return the header with the key of the environment, if there is one. Raises `BadSetting`.

    That is RAG_DOLLY_API_KEY, and OPENAI_API_KEY for OpenAI's own host alone: no other host gets that one.
    """
    name = KEY_VARIABLE
    key = os.environ.get(name, "").strip()
    if not key and host == _OPENAI_HOST:
        name = _OPENAI_VARIABLE
        key = os.environ.get(name, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise BadSetting(f"{name} holds something that cannot be a key: expected printable ASCII without spaces")
    return {"Authorization": f"Bearer {key}"} if key else {}
