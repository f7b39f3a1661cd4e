"""The process that parses: reads file after file until its input ends. Started by `ingest.parse`.

A request is a line of JSON; a reply is a line of JSON with "bytes", the length of the document that follows it
(`document_json`), or with "error". Lines with "tick" say that a long file gets on. No parser's output reaches the
terminal: what C libraries print goes nowhere. If the process that started this one is gone, a file that hangs ends
with the alarm, everything else with the end of the input.
"""

import hashlib
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ingest import document_json, loaders
from ingest.errors import UnreadableFile
from ingest.loaders.reading import Reading


def main() -> None:
    """Serve requests from standard input on what was standard output."""
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _limit_memory(request["memory"])
        _alarm(request["seconds"])
        _answer(request, replies)
        _alarm(0)


def _answer(request: dict[str, Any], replies: BinaryIO) -> None:
    body = b""
    head: dict[str, Any] = {}
    try:
        with Path(request["path"]).open("rb") as file:
            data = file.read(request["most"] + 1)
        if len(data) > request["most"]:
            raise UnreadableFile(f"grew beyond the limit of {request['most'] >> 20} MB while it was read")
        head = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        reading = Reading(tuple(request["passwords"]), tick=lambda: _tick(request["seconds"], replies))
        body = document_json.dump(loaders.load(request["source"], data, reading))
        head["bytes"] = len(body)
    except UnreadableFile as error:
        head["error"] = str(error)
    except OSError as error:
        head["error"] = f"cannot be read: {error.strerror or error}"
    except MemoryError:
        head["error"] = "needs more memory than one file may have"
        body = b""
    except RecursionError:
        head["error"] = "broken: nested too deeply"
    _write(replies, head, body)


def _tick(seconds: int, replies: BinaryIO) -> None:
    _alarm(seconds)
    _write(replies, {"tick": True})


def _write(replies: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    replies.write(json.dumps(head).encode() + b"\n" + body)
    replies.flush()


def _alarm(seconds: int) -> None:
    """Let the system end this process after so many seconds and a few more, whatever it is doing; 0 calls that off."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds + 5 if seconds else 0)


def _limit_memory(count: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # no such limits on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (count, count))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
