"""The page Health: what leaves this machine, what works, settings in words and where they were set."""

import pytest
from streamlit.testing.v1 import AppTest
from test_app_pages import html
from test_app_states import health_page, opened  # noqa: F401

from rag_dolly.app import health
from rag_dolly.app.settings_origin import origins
from rag_dolly.settings import load_settings


def test_nothing_leaves_and_the_settings_are_in_words(opened):  # noqa: F811
    at = opened("world", health_page)
    assert "Nothing leaves this machine." in html(at) and "No model hub is asked." in html(at)
    assert "the best one on this machine" in html(at) and "rag-dolly.toml" in html(at)
    at.button(key="examine").click().run()
    assert at.success[0].value == "Nothing is wrong." and "cpu" in html(at)
    assert isinstance(at, AppTest) and not at.exception


@pytest.mark.parametrize(
    ("model", "values", "words"),
    [
        ("http://gpu.example:8000/v1", {}, "sent to the model at gpu.example"),
        ("http://127.0.0.1:8000/v1", {}, "Nothing leaves this machine."),
        ("owner/name", {"model": "owner/name"}, "The files of owner/name are fetched from the Hugging Face hub"),
        ("owner/name", {"model": "owner/name", "offline": "True"}, "No model hub is asked."),
    ],
)
def test_what_leaves_is_named(model, values, words):
    lines = health.leaves(model, [(name, value, "default", "") for name, value in values.items()])
    assert any(words in line for line in lines)


def test_where_a_setting_was_set(monkeypatch, tmp_path):
    (tmp_path / "rag-dolly.toml").write_text("top_k = 8\n")
    monkeypatch.setenv("RAG_DOLLY_MAX_TOKENS", "99")
    found = {name: (value, where) for name, value, where, _ in origins(load_settings(model="none"))}
    assert found["top_k"] == ("8", "rag-dolly.toml")
    assert found["max_tokens"] == ("99", "environment")
    assert found["model"] == ("none", "command line")
    assert found["offline"] == ("False", "default")
