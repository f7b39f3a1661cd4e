"""How the page is served: where, with headers that keep the browser here, every option passed on."""

import asyncio
import socket
import tomllib
from pathlib import Path

import pytest
import streamlit.config

from rag_dolly.app import markup
from rag_dolly.app.entry import serve, theme
from rag_dolly.errors import BadSetting, RagDollyError

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"


def flat(table, prefix=""):
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def test_the_file_in_the_repository_says_the_same_as_the_program():
    assert dict(flat(tomllib.loads(CONFIG.read_text()))) == theme.SERVER | theme.LOOK


def test_all_options_exist():
    assert set(serve.options("127.0.0.1", 8501)) <= set(streamlit.config._config_options_template)


def test_telemetry_errors_and_static_files_are_off():
    options = serve.options("127.0.0.1", 8501)
    assert options["browser.gatherUsageStats"] is False
    assert options["client.showErrorDetails"] == "none"
    assert options["server.enableStaticServing"] is False
    assert options["server.address"] == "127.0.0.1"


def test_streamlit_takes_other_names_of_this_machine_only_where_a_token_is_asked_for():
    assert serve.options("::1", 8501)["server.allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
    assert serve.options("0.0.0.0", 8501, has_token=True)["server.allowedHosts"] == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1", "rag-dolly is at http://127.0.0.1:8501"),
        ("::1", "rag-dolly is at http://[::1]:8501"),
        ("0.0.0.0", "rag-dolly is at http://127.0.0.1:8501 and at the other addresses of this machine; the connection"),
        ("192.168.1.5", "rag-dolly is at http://192.168.1.5:8501; the connection is not encrypted"),
    ],
)
def test_it_says_where_the_page_is(address, said):
    assert serve._where(address, 8501).startswith(said)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", "127.0.0.1.example.org", ""])
def test_without_a_token_only_this_machine_is_served(host):
    with pytest.raises(BadSetting, match=r"give a --token|expected an address of this machine") as error:
        serve.listen(None, 8501, host)
    assert "\n" not in str(error.value)


def test_a_busy_port_is_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RagDollyError, match=f"Port {port} cannot be used .*--port") as error:
            serve.listen(None, port)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("port", [-1, 70000])
def test_an_impossible_port_is_one_clear_line(port):
    with pytest.raises(RagDollyError, match="cannot be used"):
        serve.listen(None, port)


def test_headers_are_added_and_not_to_be_weakened():
    sent = []

    async def app(scope, receive, send):
        headers = [(b"Content-Security-Policy", b"default-src *"), (b"x-other", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message):
        sent.append(message)

    asyncio.run(serve.SecureHeaders(app)({"type": "http"}, None, send))
    headers = sent[0]["headers"]
    policies = [value.decode() for name, value in headers if name.lower() == b"content-security-policy"]
    assert policies == [serve.HEADERS["content-security-policy"]]
    assert (b"x-other", b"1") in headers


def test_the_policy_names_no_other_host():
    policy = serve.HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    allowed = {word for part in policy.split(";") for word in part.split()[1:] if not word.startswith("'")}
    assert allowed <= {"blob:", "data:"}


def test_the_page_is_found_as_an_installed_module():
    assert serve._script().name == "streamlit_app.py"


def test_the_answer_in_short_is_escaped_and_names_its_source():
    shown = markup.short("<b>30</b> cm", 2, 0)
    assert "&lt;b&gt;30" in shown and 'href="#cite-0-2"' in shown
