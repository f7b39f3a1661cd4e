"""Serves the real page for the browser tests: `page_server.py PORT INDEX MODEL`.

With the model "fake" the chain is the one of `page_fakes.py`, which can be slow and hostile on demand ("fake-kept"
keeps conversations, "fake-token" is served to all addresses and asks for `TOKEN`), with "state-NAME" it is in that
state of `fake_states.py`; else the real chain answers from the index, with "none" by quoting.
"""

import ipaddress
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "app"), str(Path(__file__).parents[2])]

TOKEN = "open-sesame"


def stay_here(index):
    """Let every attempt to reach another host fail, and be noted in the index folder."""

    def hook(event, args):
        if event not in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
            return
        address = args[0] if event == "socket.getaddrinfo" else args[1]
        host = address[0] if isinstance(address, tuple) else address
        if host in (None, "", "localhost") or (event != "socket.getaddrinfo" and not isinstance(address, tuple)):
            return  # this machine, or a local socket
        try:
            is_here = ipaddress.ip_address(str(host)).is_loopback
        except ValueError:
            is_here = False
        if not is_here:
            with (Path(index) / "off-host.txt").open("a") as notes:
                notes.write(f"{event} {host}\n")
            raise PermissionError(f"{host} is another host")

    sys.addaudithook(hook)


def main(port, index, model):
    stay_here(index)
    from rag_dolly.app.entry import serve

    if model in ("fake", "fake-kept", "fake-token"):
        from page_fakes import GUIDE, HOSTILE, FakeBackend

        from rag_dolly.app.engine import Engine

        texts = {"garden.md": GUIDE, "hostile <b>.md": f"# Hostile {HOSTILE[:30]}\n\n{HOSTILE}\n"}
        backend = FakeBackend(index, texts, pause=0.15)
        backend.keeps_conversations = model == "fake-kept"
        way = ("0.0.0.0", TOKEN) if model == "fake-token" else ()
        serve.listen(Engine(backend, together=1), int(port), *way)
    elif model.startswith("state-"):
        from fake_states import backend

        from rag_dolly.app.engine import Engine

        serve.listen(Engine(backend(model.removeprefix("state-"), index), together=1), int(port))
    else:
        from rag_dolly.settings import load_settings

        serve.run(load_settings(index=index, model=model), int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
