"""Conversations kept on disk: only if turned on, searched, renamed, opened again, deleted for good."""

import json

import pytest
from page_fakes import GUIDE
from streamlit.testing.v1 import AppTest
from test_app_jobs import until
from test_app_pages import SCRIPT, ask_and_wait, html, page, press  # noqa: F401  page is a fixture

from rag_dolly import conversations
from rag_dolly.app import resources
from rag_dolly.app.privacy import is_local

GARDEN = {"garden.md": GUIDE}


@pytest.fixture(autouse=True)
def loopback():
    """Let Streamlit think that it serves this machine alone, as `serve.py` and the repository's config.toml have it."""
    from streamlit.web import bootstrap

    bootstrap.load_config_options({"server_address": "127.0.0.1"})
    yield
    bootstrap.load_config_options({})


def keeping(page, tmp_path, **given):  # noqa: F811
    page(GARDEN, **given)
    resources.engine().backend.keeps_conversations = True
    at = AppTest.from_file(SCRIPT, default_timeout=20).run()
    at.engine = resources.engine()
    return at, tmp_path


def files(folder):
    return sorted((folder / "chats").glob("*")) if (folder / "chats").exists() else []


def chats(at):
    return [button for button in at.button if button.key and button.key.startswith("chat-")]


def test_nothing_is_written_unless_it_is_turned_on(page, tmp_path):  # noqa: F811
    at = page(GARDEN)
    ask_and_wait(at, "When do I water tomatoes?")
    assert not files(tmp_path) and not chats(at) and "Conversations" not in html(at)


@pytest.mark.parametrize(
    ("address", "private"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("", False), ("10.0.0.4", False)],
)
def test_only_a_page_for_this_machine_alone_keeps_anything(address, private):
    assert is_local(address) is private


def test_nothing_is_kept_or_shown_where_a_token_lets_others_in(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    ask_and_wait(at, "When do I water tomatoes?")
    until(lambda: files(folder))
    at.engine.is_shared = True
    other = AppTest.from_file(SCRIPT, default_timeout=20).run()
    assert not chats(other) and "others can open this page" in html(other)
    assert "Nothing leaves the machine that serves this page" in html(other)


def test_a_conversation_is_kept_and_opened_by_a_later_visit(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    ask_and_wait(at, "When do I water tomatoes?")
    ask_and_wait(at, "And compost?")
    [path] = files(folder)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert "trace" not in json.loads(path.read_text())["turns"][0]["result"]

    later = AppTest.from_file(SCRIPT, default_timeout=20).run()
    assert [button.label for button in chats(later)] == [r"When do I water tomatoes\?"]
    chats(later)[0].click().run()
    assert "Water the tomatoes in the morning." in html(later) and "And compost?" in html(later)
    press(later, "open-0-cite-1")
    assert "<mark" in html(later)
    ask_and_wait(later, "unknown")
    assert len(conversations.load(folder, path.stem).turns) == 3
    assert len(files(folder)) == 1


def test_an_answer_whose_tab_was_closed_is_kept_with_what_it_had(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path, pause=0.1)
    at.chat_input[0].set_value("a long answer about compost").run()
    job = at.session_state["jobs"][0]
    until(lambda: job.result.get("answer"))
    at.engine.queue.withdraw(job)  # as the session's end does
    until(lambda: job.finished)
    until(lambda: [path.suffix for path in files(folder)] == [".json"])
    [path] = files(folder)
    until(lambda: conversations.load(folder, path.stem).turns[0]["state"] == "stopped")
    assert "Compost feeds" in conversations.load(folder, path.stem).turns[0]["result"]["answer"]


def test_new_conversation_leaves_the_old_one_on_disk_and_search_finds_it(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    ask_and_wait(at, "When do I water tomatoes?")
    press(at, "forget")
    ask_and_wait(at, "How does compost feed?")
    assert len(files(folder)) == 2 and len(chats(at)) == 2
    at.text_input(key="history-search").set_value("FEED does").run()
    assert [button.label for button in chats(at)] == [r"How does compost feed\?"]
    at.text_input(key="history-search").set_value("zebra").run()
    assert not chats(at) and "No conversation has these words." in html(at)


def test_a_conversation_is_renamed(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    ask_and_wait(at, "When do I water tomatoes?")
    at.text_input(key="new-title").set_value("  The *garden*  ").run()
    press(at, "rename-save")
    assert [button.label for button in chats(at)] == [r"The \*garden\*"]
    ask_and_wait(at, "And compost?")
    [path] = files(folder)
    assert json.loads(path.read_text())["title"] == "The *garden*"


def test_a_conversation_is_deleted_for_good(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    ask_and_wait(at, "When do I water tomatoes?")
    press(at, "delete-one")
    assert not files(folder) and not chats(at) and len(at.session_state["jobs"]) == 0


def test_all_conversations_are_deleted_after_a_question(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    ask_and_wait(at, "When do I water tomatoes?")
    press(at, "forget")
    ask_and_wait(at, "How does compost feed?")
    press(at, "delete-all")
    assert len(files(folder)) == 2
    press(at, "delete-all-now")
    assert not (folder / "chats").exists() and not chats(at)


def test_what_was_deleted_elsewhere_is_not_written_again(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    ask_and_wait(at, "When do I water tomatoes?")
    conversations.delete_all(folder)
    ask_and_wait(at, "And compost?")
    assert not files(folder) and "Compost feeds" in html(at)


def test_a_disk_that_cannot_be_written_is_said_and_the_answer_stays(page, tmp_path):  # noqa: F811
    at, folder = keeping(page, tmp_path)
    (folder / "chats").write_text("in the way")
    ask_and_wait(at, "When do I water tomatoes?")
    assert "Water the tomatoes in the morning." in html(at)
    assert "cannot be kept" in at.warning[0].value.replace("\\", "")


def test_unsourced_answers_stay_so_when_they_are_opened_again(page, tmp_path):  # noqa: F811
    at, _ = keeping(page, tmp_path)
    at.toggle(key="plain-switch").set_value(True).run()
    ask_and_wait(at, "Explain fusion.")
    later = AppTest.from_file(SCRIPT, default_timeout=20).run()
    chats(later)[0].click().run()
    assert any("Unsourced" in element.value for element in later.markdown)
