"""What Prometheus reads: the text format, and that it counts what happened."""

import re

import pytest

from rag_dolly.server.metrics import SECONDS, Histogram, Metrics
from tests.fakes import ScriptedPipeline
from tests.server.running import FACT, QUESTION, chain_over, serving

LINE = re.compile(r'(rag_dolly_[a-z_]+)(?:\{[a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*\})? [0-9.e+]+')
HEAD = re.compile(r"# (HELP|TYPE) (rag_dolly_[a-z_]+) (.+)")


def test_the_text_is_what_prometheus_reads(samples_index):
    with serving(chain_over(samples_index, ScriptedPipeline(FACT))) as served:
        served.ask(QUESTION)
        with served.http() as client:
            client.get("/healthz")
            client.get("/%22%0Anowhere")
            reply = client.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8" and reply.text.endswith("\n")
    kinds, seen = {}, set()
    for line in reply.text.splitlines():
        if head := HEAD.fullmatch(line):
            kinds |= {head[2]: head[3]} if head[1] == "TYPE" else {}
            continue
        name = LINE.fullmatch(line)[1]
        family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in kinds else name
        assert family in kinds and line not in seen
        assert (kinds[family] == "histogram") == (family != name)
        seen.add(line)
    assert {"counter", "gauge", "histogram"} == set(kinds.values())


def test_what_happened_is_counted(samples_index):
    pipeline = ScriptedPipeline(FACT)
    with serving(chain_over(samples_index, pipeline)) as served:
        before = served.metrics()
        served.ask(QUESTION)
        served.ask(QUESTION, stream=True)
        served.ask("Which stock exchange opened in Lisbon in 1769?")
        served.ask(QUESTION, top_k=0)
        with served.http() as client:
            client.get("/nowhere/at/all")
        found = served.metrics()
    assert before["rag_dolly_index_passages"] == samples_index.passage_count > 0
    assert before["rag_dolly_index_documents"] == 3
    assert found["rag_dolly_queue_waiting"] == found["rag_dolly_queue_running"] == 0
    assert found['rag_dolly_requests_total{path="/v1/chat/completions",status="200"}'] == 3
    assert found['rag_dolly_requests_total{path="/v1/chat/completions",status="400"}'] == 1
    assert found['rag_dolly_requests_total{path="other",status="404"}'] == 1
    assert found['rag_dolly_answers_total{mode="generated"}'] == 2
    assert found['rag_dolly_answers_total{mode="abstained"}'] == 1
    assert found['rag_dolly_tokens_total{kind="answer"}'] == 2 * len(FACT.split())
    assert found['rag_dolly_tokens_total{kind="prompt"}'] == sum(len(prompt.split()) for prompt in pipeline.prompts)
    assert found["rag_dolly_first_token_seconds_count"] == 3
    assert found["rag_dolly_first_token_seconds_sum"] > 0
    assert found['rag_dolly_request_seconds_bucket{path="/v1/chat/completions",le="+Inf"}'] == 4


@pytest.mark.parametrize("seconds", [0.0, 0.005, 0.0051, 1.0, 119.9, 120.0, 1e9])
def test_a_duration_falls_into_the_first_bucket_that_holds_it(seconds):
    histogram = Histogram()
    histogram.add(seconds)
    (at,) = [n for n, count in enumerate(histogram.counts) if count]
    assert all(end < seconds for end in SECONDS[:at]) and all(end >= seconds for end in SECONDS[at:])


def test_buckets_are_cumulative():
    counted = Metrics()
    for seconds in (0.001, 0.3, 500.0):
        counted.served("/healthz", 200, seconds)
    lines = dict(line.rsplit(" ", 1) for line in counted.text({}).splitlines() if "request_seconds" in line)
    values = [int(value) for name, value in lines.items() if "_bucket" in name]
    assert values == sorted(values) and (values[0], values[-2], values[-1]) == (1, 2, 3)
    assert lines['rag_dolly_request_seconds_sum{path="/healthz"}'] == "500.301000"
