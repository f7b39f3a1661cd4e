"""`rag-dolly serve` as a user meets it: a process, its output, its exit code."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from ingest.sync import ingest_paths
from tests.conftest import SAMPLES

START = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom rag_dolly.cli import main; main()"
)
HEAVY = ("starlette", "uvicorn", "numpy", "langchain_core", "streamlit", "pydantic")


@pytest.fixture(scope="module")
def made(tmp_path_factory, bundled):
    place = tmp_path_factory.mktemp("command") / "index"
    ingest_paths([SAMPLES], place, bundled)
    return place


@pytest.fixture
def start(tmp_path):
    """Start the command in its own process; it is ended with the test."""
    running = []

    def run(*arguments, **environment):
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", START, "serve", "--model", "none", *map(str, arguments)],
                cwd=tmp_path, env={**os.environ, **environment}, text=True, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        )  # fmt: skip
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_it_says_where_it_serves_and_ctrl_c_ends_it(start, made):
    port = free_port()
    process = start("--port", port, "--index", made, RAG_DOLLY_TOKEN="t")
    assert process.stdout.readline() == f"rag-dolly serves http://127.0.0.1:{port}/v1\n"
    asked = {"messages": [{"role": "user", "content": "How tall is the lighthouse?"}]}
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    assert httpx.post(url, json=asked, timeout=300).status_code == 401
    assert "42 metres" in httpx.post(url, json=asked, headers={"authorization": "Bearer t"}, timeout=300).text
    process.send_signal(signal.SIGINT)
    out, messages = process.communicate(timeout=300)
    assert process.returncode == 0 and out == ""
    assert messages.splitlines()[0] == "Model: none (as asked for)" and "Traceback" not in messages


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("--host", "0.0.0.0"), 2, "give a --token"),
        (("--host", "example.org", "--token", "t"), 2, "expected an address"),
        (("--token", ""), 2, "The token is empty"),
        (("--index", "nowhere"), 1, "No index in nowhere"),
        (("--top-k", "0"), 2, "top-k"),
    ],
)
def test_what_cannot_be_served_is_one_line(start, made, arguments, code, line):
    process = start("--port", free_port(), *(() if "--index" in arguments else ("--index", made)), *arguments)
    out, messages = process.communicate(timeout=300)
    assert (process.returncode, out) == (code, "") and line in messages
    assert len(messages.splitlines()) == 1 and messages.startswith("rag-dolly: ")


def test_a_port_that_is_taken_is_one_line(start, made):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("--port", taken.getsockname()[1], "--index", made)
        _, messages = process.communicate(timeout=300)
    assert process.returncode == 1 and "choose another with --port" in messages and len(messages.splitlines()) == 1


def test_the_command_line_loads_nothing_of_the_server():
    script = f"import sys, rag_dolly.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
    unwanted = "import sys, rag_dolly.server.serve; print('streamlit' in sys.modules, 'torch' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", unwanted], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "False"]
