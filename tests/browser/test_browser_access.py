"""The page with a token, on all addresses: who shows the token gets in, whoever else sees a form and nothing more."""

import http.client
import json
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from accessibility import findings
from browser_steps import finished, put, start
from page_server import TOKEN

sys.path.insert(0, str(Path(__file__).parents[1] / "app"))
from page_fakes import GUIDE

pytestmark = pytest.mark.browser
SOCKET = """() => new Promise(done => {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/_stcore/stream', ['streamlit']);
  socket.onopen = () => done('open');
  socket.onclose = () => done('closed');
})"""
FETCH = "path => fetch(path).then(async answer => [answer.status, await answer.text()])"
PLACES = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def token_server(tmp_path_factory):
    process, url = start(tmp_path_factory.mktemp("token"), "fake-token")
    yield url
    process.terminate()
    process.wait(10)


def sign_in(page, token=TOKEN):
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")


def entered(visit, url):
    page = visit(url)
    sign_in(page)
    page.get_by_test_id("stApp").wait_for()
    return page


def test_who_has_the_token_signs_in_and_asks(visit, token_server):
    page = visit(token_server)
    assert page.get_by_label("Token").evaluate("field => field === document.activeElement")
    sign_in(page, "something else")
    page.get_by_role("alert").get_by_text("That is not the token.").wait_for()
    sign_in(page)
    turn = put(page, "When do I water tomatoes?")
    finished(page)
    assert "Water the tomatoes in the morning." in turn.locator(".rd-answer").inner_text()
    assert TOKEN not in page.url and TOKEN not in page.content()
    cookie = next(one for one in page.context.cookies() if one["name"].startswith("rag_dolly_"))
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and TOKEN not in cookie["value"]


def test_a_link_to_a_passage_leads_through_the_form_to_the_passage(visit, token_server):
    from rag_dolly.app.ask import deep_link

    text = "Compost feeds the soil slowly."
    at = GUIDE.index(text)
    page = visit(token_server + "/" + deep_link.address("garden.md", at, at + len(text), text).removeprefix("./"))
    assert page.locator("mark").count() == 0
    sign_in(page)
    page.locator(".rd-document mark", has_text=text).wait_for()


def test_a_link_on_another_site_needs_no_second_sign_in(visit, token_server):
    page = entered(visit, token_server)
    link = f'<a href="{token_server}/library">the library</a>'
    page.goto("data:text/html," + quote(link))
    page.get_by_role("link", name="the library").click()
    page.get_by_test_id("stApp").get_by_text("garden.md").wait_for()
    assert page.url == f"{token_server}/library"


def test_a_browser_without_the_cookie_gets_nothing(visit, token_server):
    inside, outside = entered(visit, token_server), visit(token_server)
    assert inside.evaluate(SOCKET) == "open"
    assert outside.evaluate(SOCKET) == "closed"
    script = inside.locator("script[src]").first.get_attribute("src")
    for path in ("/", script, "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/media/x.png"):
        status, text = outside.evaluate(FETCH, path)
        assert status == 401 and json.loads(text).startswith("Not signed in"), path
    assert outside.evaluate(FETCH, "/healthz") == [200, "ok"]
    assert inside.evaluate(FETCH, "/_stcore/health")[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_another_origin_gets_no_web_socket_with_the_cookie(visit, token_server, origin):
    cookie = next(one for one in entered(visit, token_server).context.cookies() if one["name"].startswith("rag_dolly_"))
    statuses = [handshake(token_server, given, cookie) for given in (origin, token_server)]
    assert statuses == [403, 101]


def handshake(url, origin, cookie):
    """Return the status that a web socket's first request gets."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {"Origin": origin, "Cookie": f"{cookie['name']}={cookie['value']}", "Connection": "Upgrade"}
    headers |= {"Upgrade": "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_another_site_cannot_post_the_form(visit, token_server):
    page = visit(token_server)
    fields = f'<input name="token" value="{TOKEN}"><button>go</button>'
    page.goto("data:text/html," + quote(f'<form method="post" action="{token_server}/sign-in">{fields}</form>'))
    page.get_by_role("button", name="go").click()
    page.get_by_text("Another origin").wait_for()
    assert page.context.cookies() == []


def test_signing_out_ends_an_open_page_too(visit, token_server):
    page = entered(visit, f"{token_server}/library")
    page.get_by_text("garden.md").wait_for()
    other = page.context.new_page()
    other.goto(f"{token_server}/sign-out")
    other.get_by_role("button", name="Sign out").click()
    other.get_by_label("Token").wait_for()
    page.get_by_test_id("stTopNavLink").get_by_text("Quality").click()
    page.get_by_role("dialog").get_by_text("reload this page to sign in").wait_for()
    assert page.get_by_role("heading", name="Quality").count() == 0
    page.reload()
    page.get_by_label("Token").wait_for()


@pytest.mark.parametrize("place", PLACES)
def test_the_form_is_accessible(visit, token_server, place):
    page = visit(f"{token_server}/sign-in?{urlencode({'next': '/library'})}", bypass_csp=True, **PLACES[place])
    assert findings(page) == []
    sign_in(page, "something else")
    page.get_by_role("alert").wait_for()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Tab")
    assert page.get_by_role("button", name="Sign in").evaluate("button => button === document.activeElement")
