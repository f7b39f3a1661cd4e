"""The remote pipeline against servers that are busy, refuse, break off, hang or send nonsense."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from model_servers import QUICK, Exchange, ScriptedServer, answer, open_remote

from rag_dolly.errors import ServerFailed
from rag_dolly.generate.remote import RemotePipeline

ANSWER = "/v1/completions"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def never() -> bool:
    return False


def one_after_another(*steps):
    """Answer the first request by the first step, and so on; the last step serves all that follow."""
    left = list(steps)
    return lambda exchange: (left.pop(0) if len(left) > 1 else left[0])(exchange)


def busy(exchange: Exchange) -> None:
    exchange.json({"error": {"message": "Loading model"}}, 503)


# ---- trying again


def test_a_busy_server_is_asked_again(server):
    pipeline = open_remote(server)
    server.on[ANSWER] = one_after_another(busy, busy, lambda x: x.events("Yes", " indeed."))
    assert answer(pipeline) == "Yes indeed."
    assert len(server.to(ANSWER)) == 1 + 3


def test_a_server_that_stays_busy_is_given_up(server):
    pipeline = open_remote(server)
    server.on[ANSWER] = busy
    with pytest.raises(ServerFailed, match=r"^model server .* answered 503: Loading model$"):
        answer(pipeline)
    assert len(server.to(ANSWER)) == 1 + 4


def test_a_server_may_say_how_long_to_wait(server):
    pipeline = open_remote(server)
    server.on[ANSWER] = one_after_another(lambda x: x.json({}, 429, Retry_After="1"), lambda x: x.events("Yes"))
    began = time.monotonic()
    assert answer(pipeline) == "Yes"
    assert 1.0 <= time.monotonic() - began < 5.0


def test_a_wait_without_prospect_is_refused(server):
    pipeline = open_remote(server)
    server.on[ANSWER] = lambda x: x.json({}, 429, Retry_After="3600")
    with pytest.raises(ServerFailed, match="429"):
        answer(pipeline)
    assert len(server.to(ANSWER)) == 1 + 1


def test_a_connection_that_drops_before_the_answer_is_made_again(server):
    pipeline = open_remote(server)
    server.on[ANSWER] = one_after_another(lambda x: None, lambda x: x.events("Yes"))
    assert answer(pipeline) == "Yes"


# ---- answers that go wrong


def cut(exchange: Exchange) -> None:
    exchange.events("Yes,", " and", end=False)


def cut_by_the_network(exchange: Exchange) -> None:
    exchange.begin(Content_Length="5000")
    exchange.event({"choices": [exchange.choice("Yes,")]})


def half_an_event(exchange: Exchange) -> None:
    exchange.events("Yes,", end=False)
    exchange.send(b'data: {"choices": [{"te')


def an_error_within(exchange: Exchange) -> None:
    exchange.events("Yes,", end=False)
    exchange.event({"error": {"message": "engine\n\x1b[31mdead"}})


def no_stream(exchange: Exchange) -> None:
    exchange.json({"choices": [{"text": "Yes"}]})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (cut, "broke off in the middle"),
        (cut_by_the_network, r"broke off in the middle of an answer \(.+\); look into its log"),
        (half_an_event, "not JSON"),
        (an_error_within, r"gave up: engine \[31mdead"),
        (no_stream, "expected a stream of events, found application/json"),
        (lambda x: x.json({"detail": "no\nway"}, 418), "answered 418: no way"),
        (lambda x: (x.begin(), x.send(b"data: 42\n\n")), "not an object"),
        (lambda x: (x.begin(), x.send(b"data: " + b"x" * (1 << 21))), "which is no event"),
    ],
)
def test_an_answer_that_goes_wrong_is_one_line_and_not_begun_again(server, fault, said):
    pipeline = open_remote(server)
    server.on[ANSWER] = fault
    with pytest.raises(ServerFailed, match=said) as raised:
        answer(pipeline)
    assert str(raised.value).isprintable()
    assert len(server.to(ANSWER)) == 1 + 1


def test_what_came_before_a_break_was_given_out(server):
    pipeline = open_remote(server)
    server.on[ANSWER] = cut
    pieces = pipeline.stream(pipeline.render("Why?", []), 20, never)
    assert next(pieces) == "Yes,"
    with pytest.raises(ServerFailed):
        list(pieces)


def test_an_event_may_come_in_any_number_of_packets(server):
    text = "Für 5 €:\u2028 ja\x0b😀"

    def in_bytes(exchange: Exchange) -> None:
        exchange.begin()
        event = json.dumps({"choices": [{"text": text}]}, ensure_ascii=False).encode()
        end = b'data: {"choices": [{"text": "", "finish_reason": "stop"}]}'
        for byte in b": a comment\r\nevent: x\r\ndata:" + event + b"\r\n\r\n" + end:
            exchange.send(bytes([byte]))

    pipeline = open_remote(server)
    server.on[ANSWER] = in_bytes
    assert answer(pipeline) == text


@pytest.mark.parametrize(
    ("texts", "given"),
    [
        ([" Yes", ".\n\n#", "## ", "End", "### Instruction:"], "Yes."),
        (["Yes ### E", "ager"], "Yes ### Eager"),
        (["### End", "Yes"], ""),
        ([" \n", "Yes. ", "\ufffd", " "], "Yes."),
        (["Yes.<|endof", "text|>No"], "Yes."),
    ],
)
def test_the_end_mark_is_found_wherever_it_is_cut(server, texts, given):
    pipeline = open_remote(server)
    server.on[ANSWER] = lambda x: x.events(*texts)
    assert answer(pipeline) == given


# ---- leaving


@pytest.mark.parametrize("before", [(), ("Yes,",)])
@pytest.mark.parametrize("leave", ["close", "stop"])
def test_the_server_sees_that_the_reader_has_left(server, before, leave):
    seen, left, arrived = threading.Event(), threading.Event(), threading.Event()

    def hang(exchange: Exchange) -> None:
        if before:
            exchange.events(*before, end=False)
        arrived.set()
        if exchange.wait_for_leaving(5):
            seen.set()

    pipeline = open_remote(server)
    server.on[ANSWER] = hang
    pieces = pipeline.stream(pipeline.render("Why?", []), 20, left.is_set)
    with ThreadPoolExecutor(1) as pool:
        if before:
            assert next(pieces) == "Yes,"
        if leave == "close" and before:
            pieces.close()
        else:  # a generator that waits cannot be closed by another thread
            rest = pool.submit(list, pieces)
            assert arrived.wait(5)
            left.set()
            assert rest.result(2) == []
        assert seen.wait(1)


def test_silence_has_an_end(server):
    pipeline = RemotePipeline.open(server.address, patience=type(QUICK)(silence=0.3, pauses=()))
    server.on[ANSWER] = lambda x: x.wait_for_leaving(5)
    with pytest.raises(ServerFailed, match=r"sent nothing for 0\.3 seconds"):
        answer(pipeline)


def test_a_server_that_is_away_is_said(server):
    with pytest.raises(
        ServerFailed, match=r"^model server http://127\.0\.0\.1:9/v1 cannot be reached \(.+\): start it"
    ):
        RemotePipeline.open("http://127.0.0.1:9/v1", patience=QUICK)


# ---- several at once


def test_a_batch_is_sent_together(server):
    together, most, lock = 0, 0, threading.Lock()

    def slow(exchange: Exchange) -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        time.sleep(0.1)
        with lock:
            together -= 1
        exchange.events(exchange.body["prompt"].split("\n")[3])

    pipeline = open_remote(server)
    server.on[ANSWER] = slow
    prompts = [pipeline.render(f"Question {n}", []) for n in range(20)]
    assert pipeline.batch(prompts, 9) == [f"Question {n}" for n in range(20)]
    assert 1 < most <= 8


def test_a_batch_that_fails_ends_as_a_whole(server):
    ended = []

    def first_fails(exchange: Exchange) -> None:
        if "Question 0" in exchange.body["prompt"]:
            exchange.json({"error": "no"}, 500)
        else:
            ended.append(exchange.wait_for_leaving(5))

    pipeline = open_remote(server)
    server.on[ANSWER] = first_fails
    began = time.monotonic()
    with pytest.raises(ServerFailed, match="500: no"):
        pipeline.batch([pipeline.render(f"Question {n}", []) for n in range(4)], 9)
    assert time.monotonic() - began < 3
    assert all(ended)
