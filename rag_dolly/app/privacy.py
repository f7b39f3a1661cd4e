"""Who else can open the page, and what leaves the machine that serves it."""

import ipaddress
from urllib.parse import urlsplit

import streamlit as st

from rag_dolly.app.engine import Engine

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def is_alone(engine: Engine) -> bool:
    """Whether the page is for this machine alone: it listens to no other, and no token lets others in by a proxy."""
    return not engine.is_shared and is_local(str(st.get_option("server.address") or ""))


def is_local(address: str) -> bool:
    """Whether only this machine reaches a page that listens on an address ("" for all)."""
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def what_leaves(model: str, is_shared: bool = False) -> str:
    """Return what leaves the machine, for a model setting: nothing, unless the model is on another host."""
    here = "the machine that serves this page" if is_shared else "this machine"
    host = urlsplit(model).hostname if model.startswith(("http://", "https://")) else None
    if host is None or host in _LOOPBACK:
        return f"Nothing leaves {here}" + (", but for what its visitors see" if is_shared else "")
    return f"Questions and passages are sent to the model at {host}. Documents stay on {here}"
