"""What is refused: bodies too large, too slow, no JSON or not understood. Always one line of JSON, no traceback."""

import asyncio
import json
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from ingest.errors import RagDollyError
from rag_dolly.answer import MAX_QUESTION
from rag_dolly.server import bodies
from rag_dolly.server.failures import Refused
from tests.fakes import ScriptedPipeline
from tests.server.running import chain_over, serving, user

CHAT, TEXT, SEARCH = "/v1/chat/completions", "/v1/completions", "/v1/search"
ME = [user("How tall is the lighthouse?")]


def post(served, path, content):
    with served.http() as client:
        return client.post(path, content=content if isinstance(content, bytes) else json.dumps(content).encode())


def check_error(reply, status, code=None, param=None):
    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (status, param), reply.text
    assert code in (None, error["code"]) and set(reply.json()) == {"error"}
    assert set(error) == {"message", "type", "param", "code"}
    assert (
        error["message"] and "\n" not in error["message"] and "Traceback" not in reply.text and ".py" not in reply.text
    )
    assert error["type"] == ("invalid_request_error" if status < 500 else "server_error")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b"[]", b"7", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"1" * 6000],
    ids=range(11),
)
@pytest.mark.parametrize("path", [CHAT, TEXT, SEARCH])
def test_a_body_that_is_no_object_of_json(served, path, body):
    check_error(post(served, path, body), 400, "invalid_json")


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (CHAT, {}, "messages"),
        (CHAT, {"messages": "x"}, "messages"),
        (CHAT, {"messages": []}, "messages"),
        (CHAT, {"messages": [{"role": "system", "content": "x"}]}, "messages"),
        (CHAT, {"messages": [*ME, {"role": "assistant", "content": "x"}]}, "messages"),
        (CHAT, {"messages": ["x"]}, "messages"),
        (CHAT, {"messages": [{"role": "tool", "content": "x"}]}, "messages"),
        (CHAT, {"messages": [{"role": ["user"], "content": "x"}]}, "messages"),
        (CHAT, {"messages": [{"role": "user"}]}, "messages"),
        (CHAT, {"messages": [{"role": "user", "content": 7}]}, "messages"),
        (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]}, "messages"),
        (CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]}, "messages"),
        (CHAT, {"messages": ME, "stream": "yes"}, "stream"),
        (CHAT, {"messages": ME, "stream_options": 7}, "stream_options"),
        (CHAT, {"messages": ME, "max_tokens": 0}, "max_tokens"),
        (CHAT, {"messages": ME, "max_tokens": 10**9}, "max_tokens"),
        (CHAT, {"messages": ME, "max_tokens": "10"}, "max_tokens"),
        (CHAT, {"messages": ME, "max_completion_tokens": 1.5}, "max_completion_tokens"),
        (CHAT, {"messages": ME, "top_k": 0}, "top_k"),
        (CHAT, {"messages": ME, "top_k": 101}, "top_k"),
        (CHAT, {"messages": ME, "top_k": True}, "top_k"),
        (CHAT, {"messages": ME, "filter": 7}, "filter"),
        (CHAT, {"messages": ME, "n": 2}, "n"),
        (CHAT, {"messages": ME, "stop": ["x"]}, "stop"),
        (CHAT, {"messages": ME, "tools": [{"type": "function"}]}, "tools"),
        (CHAT, {"messages": ME, "response_format": {"type": "json_object"}}, "response_format"),
        (CHAT, {"messages": ME, "logprobs": True}, "logprobs"),
        (TEXT, {}, "prompt"),
        (TEXT, {"prompt": 7}, "prompt"),
        (TEXT, {"prompt": [1, 2]}, "prompt"),
        (TEXT, {"prompt": ["a", "b"]}, "prompt"),
        (TEXT, {"prompt": []}, "prompt"),
        (TEXT, {"prompt": "a", "echo": True}, "echo"),
        (SEARCH, {}, "query"),
        (SEARCH, {"query": 7}, "query"),
        (SEARCH, {"query": "honey", "top_k": 1001}, "top_k"),
    ],
)
def test_a_field_that_is_not_understood_is_named(served, path, body, param):
    check_error(post(served, path, body), 400, param=param)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"filter": "kind:"}, "bad_filter"),
        ({"filter": "colour:red"}, "bad_filter"),
        ({"filter": "kind:pdf"}, "bad_filter"),
        ({"filter": ["folder:nowhere", "kind:html"]}, "bad_filter"),
        ({"text": " \n "}, "empty_question"),
        ({"text": "x" * (MAX_QUESTION + 1)}, "question_too_long"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_asked(served, fields, code, stream):
    text = fields.get("text", "How tall is the lighthouse?")
    check_error(post(served, CHAT, {"messages": [user(text)], "stream": stream, **fields}), 400, code)
    check_error(post(served, TEXT, {"prompt": text, "stream": stream, **fields}), 400, code)
    check_error(post(served, SEARCH, {"query": text, **fields}), 400, code)


def test_a_question_beyond_the_models_window(samples_index):
    with serving(chain_over(samples_index, ScriptedPipeline("x", window=40))) as served:
        for stream in (False, True):
            body = {"messages": [user("why " * 100)], "stream": stream}
            check_error(post(served, CHAT, body), 400, "question_too_long")


def test_fields_that_change_nothing_here_are_passed_over(served):
    usual = {"temperature": 0.7, "top_p": 1, "seed": 1, "user": "me", "presence_penalty": 0, "logit_bias": None}
    empty = {"n": 1, "stop": None, "tools": [], "stream": None, "filter": None, "top_k": None, "max_tokens": None}
    reply = post(served, CHAT, {"messages": ME, **usual, **empty, "response_format": {"type": "text"}, "future": 1})
    assert reply.status_code == 200 and "42 metres" in reply.text


@pytest.mark.parametrize(
    "text", ["\x00 honey \x07", "\ud800 honey", "\u202e honey \u2028", "🐝" * 500, "' OR 1=1 --", '"']
)
def test_any_text_can_be_asked(served, text):
    assert post(served, CHAT, {"messages": [user(text)]}).status_code == 200
    assert post(served, SEARCH, {"query": text}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", CHAT, 405), ("DELETE", SEARCH, 405), ("POST", "/healthz", 405), ("GET", "/", 404), ("GET", "/docs", 404),
     ("GET", "/v1/chat/completions/", 404), ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404), ("OPTIONS", CHAT, 405)],
)  # fmt: skip
def test_paths_and_methods_that_are_not_there(served, method, path, status):
    with served.http() as client:
        reply = client.request(method, path)
    check_error(reply, status)
    assert status != 405 or reply.headers["allow"]


def test_a_body_that_says_it_is_too_large_is_not_read(served):
    body = json.dumps({"messages": [user("x" * 3_000_000)]}).encode()
    check_error(post(served, CHAT, body), 413, "too_large")


def test_a_body_that_turns_out_too_large(served):
    def parts():
        yield b'{"messages": ['
        for _ in range(30):
            yield b" " * 100_000

    with served.http() as client:
        check_error(client.post(CHAT, content=parts()), 413, "too_large")


async def test_a_body_that_does_not_come():
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive():
        return parts.pop() if parts else await asyncio.Event().wait()

    with pytest.raises(Refused, match="did not come") as refused:
        await bodies.read_object(Request({"type": "http", "headers": []}, receive), patience=0.05)
    assert refused.value.status == 408


@pytest.mark.parametrize("raw", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 70_000])
def test_what_is_no_http_ends_the_connection_alone(served, raw):
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as wild:
        wild.sendall(raw)
        assert b"Traceback" not in wild.recv(4000)
    assert post(served, SEARCH, {"query": "honey"}).status_code == 200


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "type"]), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["messages", "prompt", "query", "filter", "top_k", "max_tokens", "stream", "stream_options", "n"]
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES))
def test_whatever_json_says_it_is_understood_or_refused(body):
    for read in (bodies.read_chat, bodies.read_completion, bodies.read_search):
        try:
            asking = read(body)
        except (Refused, RagDollyError) as error:
            assert "\n" not in str(error)
        else:
            assert asking.question.strip()
