"""Which server, model and key the remote pipeline uses, and what it must not send to whom."""

from collections.abc import Iterator

import pytest
from model_servers import QUICK, ScriptedServer, answer, open_remote

from rag_dolly.errors import BadSetting, ModelNotFound, ServerFailed
from rag_dolly.generate.remote import RemotePipeline

ANSWER = "/v1/completions"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def test_the_only_model_is_taken_and_others_are_named(server):
    assert open_remote(server).name == "tiny-dolly"
    server.has("first", "second-dolly:latest")
    assert open_remote(server, served_model="second-dolly").name == "second-dolly:latest"
    with pytest.raises(
        ModelNotFound, match=r"several models \(first, second-dolly:latest\): name one with --served-model"
    ):
        open_remote(server)
    with pytest.raises(ModelNotFound, match=r"no model third: it has first, second-dolly:latest"):
        open_remote(server, served_model="third")


def test_a_server_that_lists_nothing_needs_a_name(server):
    server.on["/v1/models"] = lambda x: x.json({}, 404)
    with pytest.raises(ModelNotFound, match="lists no model"):
        open_remote(server)
    assert open_remote(server, served_model="my-dolly").name == "my-dolly"
    server.on[ANSWER] = lambda x: x.json({"error": {"message": "The model `my-dolly` does not exist."}}, 404)
    with pytest.raises(ModelNotFound, match=r"my-dolly does not answer: .*does not exist"):
        open_remote(server, served_model="my-dolly")


def test_the_address_may_leave_out_v1(server):
    assert RemotePipeline.open(server.root, patience=QUICK).name == "tiny-dolly"
    assert server.to("/v1/models")


@pytest.mark.parametrize(("status", "key", "said"), [(401, "", "wants a key"), (403, "wrong", "refuses the key")])
def test_a_refused_key_is_said_and_not_shown(server, monkeypatch, status, key, said):
    monkeypatch.setenv("RAG_DOLLY_API_KEY", key)
    server.on["/v1/models"] = lambda x: x.json({"error": "no"}, status)
    with pytest.raises(ServerFailed, match=rf"{said} \({status}\): set RAG_DOLLY_API_KEY") as raised:
        open_remote(server)
    assert "wrong" not in str(raised.value)
    assert len(server.asked) == 1


def test_the_key_is_sent_and_that_of_openai_is_not(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "for-another")
    monkeypatch.delenv("RAG_DOLLY_API_KEY", raising=False)
    answer(open_remote(server))
    assert all(exchange.headers["Authorization"] is None for exchange in server.asked)
    monkeypatch.setenv("RAG_DOLLY_API_KEY", " ours\n")
    server.asked.clear()
    answer(open_remote(server))
    assert {exchange.headers["Authorization"] for exchange in server.asked} == {"Bearer ours"}


def test_a_key_that_cannot_be_one_is_said(server, monkeypatch):
    monkeypatch.setenv("RAG_DOLLY_API_KEY", "two words")
    with pytest.raises(BadSetting, match="RAG_DOLLY_API_KEY") as raised:
        open_remote(server)
    assert "two words" not in str(raised.value)


def test_a_redirect_is_not_followed(server, monkeypatch):
    monkeypatch.setenv("RAG_DOLLY_API_KEY", "secret")
    with ScriptedServer() as other:
        server.on["/v1/models"] = lambda x: x.json({}, 307, Location=f"{other.address}/models")
        with pytest.raises(ServerFailed, match=f"redirects to {other.address}/models, which is not followed"):
            open_remote(server)
        assert not other.asked


def test_no_proxy_of_the_environment_is_used(server, monkeypatch):
    with ScriptedServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.root)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert answer(open_remote(server)) == "Yes"
        assert not proxy.asked


@pytest.mark.parametrize("address", ["http://example.org/v1", "https://10.0.0.7:8000", "http://0.0.0.0:8000/v1"])
def test_offline_no_other_machine_is_asked(address, network_events):
    with pytest.raises(BadSetting, match="--offline sends nothing off this one"):
        RemotePipeline.open(address, offline=True)
    assert network_events == []


@pytest.mark.parametrize(
    "address", ["http://", "http://a b/v1", "http://me:pw@127.0.0.1/v1", "http://127.0.0.1/v1?a=b"]
)
def test_an_address_that_is_none_is_said(address, network_events):
    with pytest.raises(BadSetting) as raised:
        RemotePipeline.open(address)
    assert "pw" not in str(raised.value)
    assert network_events == []
