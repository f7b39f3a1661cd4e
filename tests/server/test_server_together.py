"""Several clients at once, clients that go away, a full line, a stop: one engine, and nobody is left waiting."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from ingest.errors import RagDollyError
from rag_dolly.errors import OutOfMemory, ServerFailed
from tests.fakes import ScriptedPipeline
from tests.server.running import FACT, QUESTION, chain_over, serving, until, user


class Gated(ScriptedPipeline):
    """Says its first sentence, then waits for `go` before every word."""

    def __init__(self):
        super().__init__(f"{FACT} The old" + " queen leaves" * 200)
        self.go = threading.Semaphore(0)
        self.on_word = lambda n: n < 15 or self.go.acquire(timeout=120)


@pytest.fixture
def pipeline():
    return Gated()


@pytest.fixture
def gated(samples_index, pipeline):
    with serving(chain_over(samples_index, pipeline), together=2, capacity=2) as found:
        yield found
        pipeline.go.release(10_000)


def leaving(served, stream=True):
    """Ask over a bare socket, which the test closes."""
    body = json.dumps({"messages": [user(QUESTION)], "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    client = socket.create_connection(("127.0.0.1", served.port), timeout=120)
    client.sendall(head.encode() + body)
    return client


def state(served):
    return served.desk.queue.length


def test_a_client_that_leaves_a_stream_ends_the_model(gated, pipeline):
    client = leaving(gated)
    seen = b""
    while FACT.encode() not in seen:
        seen += client.recv(4000)
    client.close()
    until(lambda: not gated.desk._calls)
    pipeline.go.release()
    until(lambda: pipeline.is_closed)
    assert pipeline.spoken <= 17
    until(lambda: gated.metrics()['rag_dolly_answers_total{mode="cancelled"}'] == 1)
    assert state(gated) == (0, 0)


def test_a_client_that_leaves_before_the_answer_ends_the_model(gated, pipeline):
    client = leaving(gated, stream=False)
    until(lambda: pipeline.spoken >= 15)
    client.close()
    until(lambda: not gated.desk._calls)
    pipeline.go.release()
    until(lambda: pipeline.is_closed)
    assert pipeline.spoken <= 17
    assert gated.metrics()['rag_dolly_requests_total{path="/v1/chat/completions",status="499"}'] == 1


def test_a_client_of_openai_that_closes_its_stream_ends_the_model(gated, pipeline):
    stream = gated.openai().chat.completions.create(model="x", messages=[user(QUESTION)], stream=True)
    next(chunk for chunk in stream if chunk.choices[0].delta.content)
    stream.close()
    until(lambda: not gated.desk._calls)
    pipeline.go.release()
    until(lambda: pipeline.is_closed)
    assert pipeline.spoken <= 17


def test_a_full_line_is_told_and_who_waits_may_leave(gated, pipeline):
    clients = [leaving(gated) for _ in range(2)]
    until(lambda: state(gated) == (0, 2))
    waiting = [leaving(gated) for _ in range(2)]
    until(lambda: state(gated) == (2, 2))
    for stream in (False, True):
        refused = gated.ask(QUESTION, stream=stream)
        assert refused.status_code == 503 and refused.headers["retry-after"] == "5"
        assert (
            refused.json()["error"]["code"] == "overloaded" and "waiting already" in refused.json()["error"]["message"]
        )
    assert gated.metrics()["rag_dolly_queue_waiting"] == 2
    for client in waiting:
        client.close()
    until(lambda: state(gated) == (0, 2))
    with gated.http() as client:
        assert client.get("/healthz").status_code == 200
        assert client.post("/v1/search", json={"query": "honey"}).json()["hits"]
    for client in clients:
        client.close()


def test_several_at_once_get_their_own_answers(samples_index):
    asked = {
        "How tall is the lighthouse of Marrow Point?": "42 metres",
        "At how many degrees is green tea brewed?": "75 degrees",
        QUESTION: "15 kilograms",
        "Who built the lighthouse of Marrow Point?": "Ada Finch",
    }
    with serving(chain_over(samples_index), together=4) as served, ThreadPoolExecutor(12) as pool:
        questions = list(asked) * 3
        for question, reply in zip(questions, pool.map(served.ask, questions), strict=True):
            assert asked[question] in reply.json()["choices"][0]["message"]["content"]


def test_at_the_stop_clients_are_told_and_the_server_ends(samples_index, pipeline):
    with serving(chain_over(samples_index, pipeline), together=1) as served, ThreadPoolExecutor(3) as pool:
        stream = pool.submit(served.ask, QUESTION, stream=True)
        until(lambda: sum(served.desk.metrics.first_text.counts))
        waiting = pool.submit(served.ask, QUESTION)
        until(lambda: state(served) == (1, 1))
        served.server.should_exit = True
        served.thread.join(60)
        assert not served.thread.is_alive()
        assert waiting.result().status_code == 503 and waiting.result().json()["error"]["code"] == "stopping"
        events = stream.result().text.strip().split("\n\n")
        assert FACT in events[1] and json.loads(events[-1][6:])["error"]["code"] == "stopping"
        pipeline.go.release(10)
        until(lambda: pipeline.is_closed)


class Failing(ScriptedPipeline):
    def __init__(self, error, after):
        super().__init__(f"{FACT} And more words.")
        self.error, self.after = error, after
        self.on_word = self.fail

    def fail(self, n):
        if n == self.after:
            raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code", "line"),
    [
        (OutOfMemory("The model does not fit: take a smaller one."), 503, "out_of_memory", "take a smaller one"),
        (ServerFailed("The model server broke off."), 502, "model_server_failed", "broke off"),
        (RagDollyError("No\nluck."), 500, "failed", "No luck."),
        (ValueError("/home/somebody/secret"), 500, "failed", "could not be made (ValueError)"),
    ],
)
def test_a_failure_is_one_line(samples_index, error, status, code, line):
    with serving(chain_over(samples_index, Failing(error, 3))) as served:
        failed = served.ask(QUESTION)
        assert failed.status_code == status and failed.json()["error"]["code"] == code
        assert line in failed.json()["error"]["message"] and "secret" not in failed.text
        assert served.metrics()['rag_dolly_answers_total{mode="failed"}'] == 1


def test_a_failure_in_the_middle_of_a_stream_is_its_last_event(samples_index):
    heard = []
    with serving(chain_over(samples_index, Failing(ServerFailed("The model server broke off."), 16))) as served:
        stream = served.openai().chat.completions.create(model="x", messages=[user(QUESTION)], stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            for chunk in stream:
                heard.append(chunk.choices[0].delta.content or "")
    assert "".join(heard) == f"{FACT} [1]"
