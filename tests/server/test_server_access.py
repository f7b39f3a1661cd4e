"""Who may ask: addresses, hosts, web pages of other origins, tokens."""

import pytest

from rag_dolly.access import checked_address
from rag_dolly.errors import BadSetting
from tests.server.running import chain_over, serving, user

ASKED = {"messages": [user("How tall is the lighthouse?")]}
TOKEN = "s3cret-token"


@pytest.fixture(scope="module")
def guarded(samples_index):
    with serving(chain_over(samples_index), token=TOKEN) as found:
        yield found


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_this_machine_needs_no_token(host):
    assert checked_address(host, None) in ("127.0.0.1", "::1", "127.8.8.8")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "8.8.8.8"])
def test_another_address_needs_one(host):
    with pytest.raises(BadSetting, match="give a --token") as error:
        checked_address(host, None)
    assert "\n" not in str(error.value)
    assert checked_address(host, TOKEN) == host


@pytest.mark.parametrize("token", ["", " ", "two words", "line\nend", "schlüssel"])
def test_a_token_that_no_header_can_hold_is_refused(token):
    with pytest.raises(BadSetting, match="The token"):
        checked_address("127.0.0.1", token)


@pytest.mark.parametrize("host", ["example.org", "", "127.0.0.1.evil.example", "0x7f000001"])
def test_a_host_is_an_address(host):
    with pytest.raises(BadSetting, match="expected an address"):
        checked_address(host, TOKEN)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]", "127.0.0.1@evil.example", "::1"]
)
def test_a_request_that_names_another_host_is_refused(served, host):
    with served.http() as client:
        reply = client.post("/v1/search", json={"query": "honey"}, headers={"host": host})
        assert reply.status_code == 400 and reply.json()["error"]["code"] == "bad_host"
        assert client.get("/healthz", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000"])
def test_a_request_that_names_this_machine_is_served(served, host):
    with served.http() as client:
        assert client.get("/healthz", headers={"host": host}).json() == {"status": "ok"}


def test_with_a_token_any_name_will_do_as_behind_a_reverse_proxy(guarded):
    with guarded.http(headers={"host": "rag.example", "authorization": f"Bearer {TOKEN}"}) as client:
        assert client.get("/v1/models").status_code == 200
        assert client.get("/v1/models", headers={"authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"origin": "http://x"}],
)
def test_a_request_from_a_web_page_is_refused_and_there_is_no_cors(served, headers):
    """A page may post text/plain to any address without asking; so the origin is looked at, not the type alone."""
    with served.http() as client:
        plain = headers | {"content-type": "text/plain"}
        reply = client.post("/v1/chat/completions", content=b'{"messages": []}', headers=plain)
        preflight = headers | {"access-control-request-method": "POST"}
        asked = client.options("/v1/chat/completions", headers=preflight)
    assert reply.status_code == asked.status_code == 403 and reply.json()["error"]["code"] == "bad_origin"
    for one in (reply, asked):
        assert not [name for name in one.headers if name.startswith("access-control")]


def test_an_origin_of_our_own_is_served(served):
    with served.http() as client:
        assert client.get("/v1/models", headers={"origin": served.url}).status_code == 200


@pytest.mark.parametrize(
    "given",
    [None, "", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer é"],
)
def test_a_wrong_token_is_refused(guarded, given):
    headers = {} if given is None else {"authorization": given.encode()}
    with guarded.http() as client:
        for method, path in (
            ("POST", "/v1/chat/completions"),
            ("GET", "/v1/models"),
            ("GET", "/metrics"),
            ("GET", "/"),
        ):
            reply = client.request(method, path, json=ASKED if method == "POST" else None, headers=headers)
            assert reply.status_code == 401 and reply.headers["www-authenticate"] == "Bearer"
            assert reply.json()["error"]["code"] == "invalid_api_key" and TOKEN not in reply.text
        assert client.get("/healthz", headers=headers).json() == {"status": "ok"}


def test_the_token_opens_everything(guarded):
    answer = guarded.openai(TOKEN).chat.completions.create(model="x", messages=ASKED["messages"])
    assert "42 metres" in answer.choices[0].message.content
    with guarded.http(headers={"authorization": f"bearer {TOKEN}"}) as client:
        assert client.get("/metrics").status_code == 200


def test_every_response_forbids_a_browser_everything(served):
    with served.http() as client:
        for reply in (client.get("/healthz"), client.get("/nowhere"), client.get("/healthz", headers={"host": "x"})):
            assert reply.headers["x-content-type-options"] == "nosniff" and reply.headers["cache-control"] == "no-store"
            assert reply.headers["content-security-policy"].startswith("default-src 'none'")
            assert reply.headers["content-type"] == "application/json" and "server" not in reply.headers
