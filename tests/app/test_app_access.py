"""Who gets to see the page: what names this machine, or, where there is a token, who has shown it."""

import os
import re
import subprocess
import sys

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from rag_dolly.app.entry.door import LIFETIME, PERIOD, TRIES, Door
from rag_dolly.app.entry.gate import OwnOrigin, TokenGate

TOKEN = "open-sesame"
HOST = "rag.example:8501"
PAGE = {"accept": "text/html,application/xhtml+xml"}
PATHS = ["/", "/library", "/static/js/index.js", "/media/a.png", "/_stcore/health", "/_stcore/upload_file/a/b"]


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gated(clock):
    """The gates in front of an app that shows "secret", and answers what a web socket says."""

    async def echo(websocket):
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text("secret " + text)

    methods = ["GET", "POST", "PUT", "DELETE"]
    routes = [
        Route("/healthz", lambda _: PlainTextResponse("ok")),
        WebSocketRoute("/_stcore/stream", echo),
        Route("/{path:path}", lambda _: PlainTextResponse("secret"), methods=methods),
    ]
    gates = [Middleware(OwnOrigin, address=None), Middleware(TokenGate, door=Door(TOKEN, clock), cookie="rag_dolly")]
    return Starlette(routes=routes, middleware=gates)


@pytest.fixture
def browser(gated):
    """Return a function that gives a browser of its own, at an address of its own."""
    return lambda address="192.0.2.7", scheme="http": TestClient(
        gated, f"{scheme}://{HOST}", client=(address, 50_000), follow_redirects=False
    )


def sign_in(client, token=TOKEN, onward="/", **headers):
    origin = str(client.base_url).rstrip("/")
    return client.post("/sign-in", data={"token": token, "next": onward}, headers={"origin": origin} | headers)


def stream(client, **headers):
    return client.websocket_connect(f"ws://{HOST}/_stcore/stream", headers={"origin": f"http://{HOST}"} | headers)


def test_the_command_says_what_to_do_without_a_token(tmp_path):
    command = [sys.executable, "-c", "from rag_dolly.cli import main; main()", "app", "--host", "0.0.0.0"]
    environment = {name: value for name, value in os.environ.items() if name != "RAG_DOLLY_TOKEN"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(
        r"rag-dolly: --host 0\.0\.0\.0 is reached .* give a --token \(or RAG_DOLLY_TOKEN\).*\n", done.stderr
    )


def test_a_stranger_sees_nothing_but_that_the_server_answers(browser):
    client = browser()
    for path in PATHS:
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
            reply = client.request(method, path)
            assert reply.status_code == 401 and reply.headers["www-authenticate"] == "Bearer", (method, path)
            assert "secret" not in reply.text and TOKEN not in reply.text
    for cookie in ("x", TOKEN):
        with pytest.raises(WebSocketDisconnect), stream(client, cookie=f"rag_dolly={cookie}"):
            pass
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/healthz"):
        pass
    assert client.get("/healthz").text == "ok"


def test_a_link_leads_through_the_form_to_the_place(browser):
    client, link = browser(), "/library?doc=a%20%26%C3%A4.md&at=1-20&is=0123abcd"
    reply = client.get(link, headers=PAGE)
    assert reply.status_code == 401 and "secret" not in reply.text
    form = client.get(re.search(r'url=([^"]+)"', reply.text)[1])
    assert form.status_code == 200 and form.headers["cache-control"] == "no-store"
    assert re.search(
        r'<label for="token">.*<input id="token" name="token" type="password"[^>]* autofocus', form.text, re.S
    )
    onward = re.search(r'name="next" value="([^"]+)"', form.text)[1].replace("&amp;", "&")
    assert sign_in(client, onward=onward).headers["location"] == link
    assert client.get(link, headers=PAGE).text == "secret"
    assert client.get("/sign-in", params={"next": link}).headers["location"] == link, "who is in is led on"


@pytest.mark.parametrize("token", [TOKEN, f" {TOKEN}\n"])
def test_the_token_opens_everything_with_a_cookie_that_is_not_the_token(browser, token):
    client = browser()
    reply = sign_in(client, token)
    cookie = reply.headers["set-cookie"]
    assert reply.status_code == 303 and TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={LIFETIME}"} <= set(cookie.split("; "))
    assert [client.get(path).text for path in PATHS] == ["secret"] * len(PATHS)
    with stream(client) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "secret hello"
    assert sign_in(browser()).headers["set-cookie"].split(";")[0] != cookie.split(";")[0]


def test_the_cookie_is_for_tls_alone_where_the_browser_has_it(browser):
    assert "Secure" not in sign_in(browser()).headers["set-cookie"]
    assert "Secure" in sign_in(browser(scheme="https")).headers["set-cookie"]
    behind_a_proxy = sign_in(browser(), origin=f"https://{HOST}")
    assert "Secure" in behind_a_proxy.headers["set-cookie"]


def test_a_wrong_token_says_so_in_a_line(browser):
    client = browser()
    reply = sign_in(client, '"><script>', onward='/"><script>')
    assert reply.status_code == 401 and "That is not the token." in reply.text
    assert "<script" not in reply.text and TOKEN not in reply.text and "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "onward",
    ["", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/a\r\nx: y", "a", "/ä"],
)
def test_nobody_is_sent_elsewhere(browser, onward):
    assert sign_in(browser(), onward=onward).headers["location"] == "/"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", "Bearer é"])
def test_a_wrong_bearer_token_is_refused(browser, given):
    headers = {"authorization": given.encode()}
    assert browser().get("/", headers=headers).status_code == 401
    with pytest.raises(WebSocketDisconnect), stream(browser(), authorization=given.encode()):
        pass


def test_a_program_shows_the_token_in_a_header(browser):
    client, headers = browser(), {"authorization": f"Bearer {TOKEN}"}
    assert client.get("/media/a.png", headers=headers).text == "secret"
    with stream(client, **headers) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "secret hello"


def test_an_address_that_guesses_has_to_wait_and_no_other(browser, clock):
    guesser, other = browser(), browser("192.0.2.8")
    inside = browser()
    sign_in(inside)
    replies = [sign_in(guesser, f"guess {n}").status_code for n in range(TRIES)]
    assert replies == [401] * TRIES
    assert guesser.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 429
    reply = sign_in(guesser)
    assert reply.status_code == 429 and reply.headers["retry-after"] == str(PERIOD) and "Wait a minute" in reply.text
    assert sign_in(other).status_code == 303
    assert inside.get("/").text == "secret", "who is in stays in"
    clock.now += PERIOD
    assert sign_in(guesser).status_code == 303


@pytest.mark.parametrize(
    ("one", "two", "together"),
    [
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("", "192.0.2.1", False),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(one, two, together):
    door = Door(TOKEN)
    for _ in range(TRIES):
        assert door.try_token("guess", one) == 401
    assert door.try_token(TOKEN, two) == (429 if together else 200)


def test_a_session_ends_after_twelve_hours_also_for_a_web_socket_that_is_open(browser, clock):
    client = browser()
    sign_in(client)
    with stream(client) as socket:
        clock.now += LIFETIME - 1
        socket.send_text("still")
        assert socket.receive_text() == "secret still"
        clock.now += 1
        socket.send_text("again")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    assert client.get("/").status_code == 401


def test_signing_out_ends_the_session_on_the_server(browser):
    client = browser()
    assert client.get("/sign-out").headers["location"] == "/sign-in"
    sign_in(client)
    stolen = dict(client.cookies)
    assert "<button>Sign out</button>" in client.get("/sign-out").text
    assert client.get("/").text == "secret", "looking at the form changes nothing"
    with stream(client) as socket:
        assert client.post("/sign-out").headers["location"] == "/sign-in"
        socket.send_text("hello")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    assert not client.cookies
    client.cookies.update(stolen)
    assert client.get("/").status_code == 401


def test_another_page_can_neither_sign_in_nor_out_nor_open_a_web_socket(browser):
    client = browser()
    sign_in(client)
    for origin in ("https://evil.example", "null", "http://rag.example", f"http://{HOST}.evil.example"):
        for path in ("/sign-in", "/sign-out", "/_stcore/upload_file/a/b"):
            reply = client.post(path, data={"token": TOKEN}, headers={"origin": origin})
            assert reply.status_code == 403 and "set-cookie" not in reply.headers
        with pytest.raises(WebSocketDisconnect), stream(client, origin=origin):
            pass
    assert client.post("/sign-out", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).text == "secret", "a link elsewhere may lead here"


@pytest.mark.parametrize(
    "body", [b"token=" + b"x" * 20_000 + b"&token=" + TOKEN.encode(), b"&".join([b"a=1"] * 20), b"\xff"]
)
def test_a_form_that_is_none_is_a_wrong_token(browser, body):
    assert browser().post("/sign-in", content=body).status_code == 401


def local(address="127.0.0.1"):
    return OwnOrigin(PlainTextResponse("served"), address)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8501", "", "[::2]", "192.0.2.7:8501", "::1", "localhost:x"]
)
def test_without_a_token_a_request_that_names_another_host_is_refused(host):
    client = TestClient(local())
    assert client.get("/", headers={"host": host}).status_code == 400
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream", headers={"host": host}):
        pass


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1", "[::1]:8501", "127.8.8.8:1"])
def test_what_names_this_machine_is_served(host):
    assert TestClient(local("127.8.8.8")).get("/", headers={"host": host, "origin": f"http://{host}"}).text == "served"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://localhost.evil.example", "null", "http://[bad", "http://localhost:3000", "file://"],
)
def test_what_another_origin_asks_never_reaches_streamlit(origin):
    headers = {"origin": origin, "host": "localhost:8501"}
    client = TestClient(local())
    assert client.get("/", headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream", headers=headers):
        pass
