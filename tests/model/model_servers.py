"""Servers for the tests of `generate/remote.py`: `transformers serve` with tiny models, and one that misbehaves.

The real one finds its models in a hub cache made here, so that it lists them and serves them by name. The other is a
few lines of HTTP that do as a test says, for what no healthy server does.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tiny_models import save

from rag_dolly.generate.remote import RemotePipeline
from rag_dolly.generate.remote_http import Patience

QUICK = Patience(connect=2.0, silence=5.0, pauses=(0.01, 0.01, 0.01), longest_pause=2.0)
_COMMIT = "0" * 40


def put_into_cache(hub: Path, name: str, model: Any, tokenizer: Any) -> Path:
    """Save a model as the hub client would have fetched it; return its directory."""
    folder = hub / ("models--" + name.replace("/", "--"))
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(_COMMIT, "utf-8")
    return save(folder / "snapshots" / _COMMIT, model, tokenizer)


@contextmanager
def transformers_serve(home: Path) -> Iterator[str]:
    """Run `transformers serve` in a process of its own over the cache `home/hub`; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE"):
        environment.pop(name, None)
    start = "import torch; torch.set_num_threads(1); from transformers.cli.transformers import main; main()"
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", start, "serve", *options], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_healthy(process, f"http://127.0.0.1:{port}/health", home / "serve.log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait()


def _wait_until_healthy(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("transformers serve did not start: " + log.read_text("utf-8", "replace")[-2000:])


class Exchange:
    """One request, and the means to answer it as no healthy server would."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        self.path = handler.path
        self.headers = handler.headers
        self.body = body
        self._handler = handler

    def json(self, answer: Any, status: int = 200, **headers: str) -> None:
        self._head(status, {"Content-Type": "application/json", **headers})
        self.send(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def events(self, *texts: str, end: bool = True) -> None:
        """Stream a piece of text in each event; with `end` also the usage and the end mark."""
        self.begin()
        for text in texts:
            self.event({"choices": [self.choice(text)]})
        if end:
            self.event({"choices": [{**self.choice(""), "finish_reason": "stop"}]})
            self.event({"choices": [], "usage": {"completion_tokens": 2 * len(texts)}})
            self.send(b"data: [DONE]\n\n")

    def choice(self, text: str) -> dict[str, Any]:
        return {"delta": {"content": text}} if "chat" in self.path else {"text": text}

    def begin(self, **headers: str) -> None:
        self._head(200, {"Content-Type": "text/event-stream", **headers})

    def event(self, event: Any) -> None:
        self.send(b"data: " + json.dumps(event).encode() + b"\n\n")

    def send(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def wait_for_leaving(self, seconds: float) -> bool:
        """Wait until the client has closed the connection; tell whether it did."""
        readable, _, _ = select.select([self._handler.connection], [], [], seconds)
        return bool(readable) and self._handler.connection.recv(1) == b""

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()


class ScriptedServer:
    """Answers each path as `on` says; what is asked is in `asked`. One model, "tiny-dolly", unless told otherwise."""

    def __init__(self) -> None:
        self.on: dict[str, Callable[[Exchange], None]] = {
            "/v1/models": lambda exchange: exchange.json({"data": [{"id": "tiny-dolly"}]}),
            "/v1/completions": lambda exchange: exchange.events("Yes"),
        }
        self.asked: list[Exchange] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.root = f"http://127.0.0.1:{self._http.server_port}"
        self.address = f"{self.root}/v1"

    def has(self, *ids: str, **fields: Any) -> None:
        self.on["/v1/models"] = lambda exchange: exchange.json({"data": [{"id": name, **fields} for name in ids]})

    def to(self, path: str) -> list[Exchange]:
        return [exchange for exchange in self.asked if exchange.path == path]

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                exchange = Exchange(self, json.loads(self.rfile.read(size)) if size else None)
                outer.asked.append(exchange)
                outer.on.get(self.path, lambda x: x.json({"error": {"message": "Not Found"}}, 404))(exchange)

            do_GET = do_POST = answer

            def log_message(self, *_: object) -> None: ...

        return Handler


def open_remote(server: ScriptedServer, **options: Any) -> RemotePipeline:
    return RemotePipeline.open(server.address, patience=QUICK, offline=True, **options)


def answer(pipeline: RemotePipeline, max_tokens: int = 20) -> str:
    return "".join(pipeline.stream(pipeline.render("Why?", ["Because."]), max_tokens, lambda: False))
