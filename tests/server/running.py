"""A real server on a free port in a thread of the test's process, and clients of it."""

import contextlib
import socket
import threading
import time
from functools import partial

import httpx
import openai

from rag_dolly.chain import RagChain
from rag_dolly.evidence import find_evidence
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.server.desk import Desk
from rag_dolly.server.serve import Server

QUESTION = "How many kilograms of honey does a hive need to survive the winter?"
FACT = "A hive needs 15 kilograms of honey to survive the winter in central Europe."


def chain_over(index, pipeline=None, **limits):
    return RagChain(index, partial(find_evidence, HybridRetriever(index)), lambda: pipeline, **limits)


class Served:
    """A running server: its address, its desk, and clients of it."""

    def __init__(self, desk, port, server, thread):
        self.desk, self.port, self.server, self.thread = desk, port, server, thread
        self.url = f"http://127.0.0.1:{port}"

    def http(self, **options):
        return httpx.Client(base_url=self.url, timeout=120, **options)

    def openai(self, key="none"):
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=120)

    def ask(self, question, **fields):
        with self.http() as client:
            return client.post("/v1/chat/completions", json={"messages": [user(question)], **fields})

    def metrics(self):
        with self.http() as client:
            lines = client.get("/metrics").text.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def user(text):
    return {"role": "user", "content": text}


@contextlib.contextmanager
def serving(chain, token=None, open_again=None, **queue):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        desk = Desk(chain, open_again or (lambda: chain), **queue)
        server = Server(desk, "127.0.0.1", port, token)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield Served(desk, port, server, thread)
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)
