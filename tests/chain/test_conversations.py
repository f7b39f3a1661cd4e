"""Conversations on disk: whole or not at all, never mixed up, gone when deleted; and what an export holds."""

import json
import os

import pytest

from rag_dolly import conversations
from rag_dolly.conversation_export import to_json, to_markdown
from rag_dolly.conversations import Conversation, turn
from rag_dolly.errors import RagDollyError

CITATION = {"n": 1, "source": "a <b>.md", "page": 3, "start": 0, "end": 9, "text": "# Not a\nheading", "place": ""}
RESULT = {"answer": "It is so. [1]", "mode": "generated", "citations": [CITATION], "context": [1], "trace": {"x": 1}}


def exchange(question="Is it so?", result=RESULT, state="done", plain=False):
    return turn(question, result, state=state, error="", filter="", plain=plain)


def saved(folder, *questions):
    one = Conversation(turns=[exchange(question) for question in questions])
    assert conversations.save(folder, one)
    return one


def test_what_was_saved_is_read_without_context_and_trace(tmp_path):
    one = saved(tmp_path, "Is it so?", "And then?")
    back = conversations.load(tmp_path, one.id)
    assert back == one and back.title == "Is it so?" and back.revision == 1
    assert set(back.turns[0]["result"]) == {"answer", "mode", "citations"}
    assert os.listdir(tmp_path / "chats") == [f"{one.id}.json"]


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "x" * 32, "0" * 31, "0" * 32 + "/"])
def test_ids_that_are_none_name_no_file(tmp_path, id):
    (tmp_path / "passwd.json").write_text("{}")
    assert conversations.load(tmp_path, id) is None
    conversations.delete(tmp_path, id)
    assert (tmp_path / "passwd.json").exists()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"id": 1}', b"\xff\xfe", b'{"id": "0", "turns": {}}', b'"' + b"x" * 100]
)
def test_damaged_files_are_passed_over(tmp_path, damage):
    good, bad = saved(tmp_path, "Good?"), saved(tmp_path, "Bad?")
    (tmp_path / "chats" / f"{bad.id}.json").write_bytes(damage)
    assert [one.id for one in conversations.listed(tmp_path)] == [good.id]
    assert conversations.load(tmp_path, bad.id) is None


def test_turns_that_are_none_are_left_out(tmp_path):
    one = saved(tmp_path, "Good?")
    path = tmp_path / "chats" / f"{one.id}.json"
    raw = json.loads(path.read_text())
    raw["turns"] += [{}, 3, {**raw["turns"][0], "result": {"citations": [{"n": "1"}]}}]
    path.write_text(json.dumps(raw))
    assert len(conversations.load(tmp_path, one.id).turns) == 1


def test_words_are_found_in_titles_questions_and_answers(tmp_path):
    one = saved(tmp_path, "Where is the Pump?")
    saved(tmp_path, "Who is it?")
    assert [found.id for found in conversations.listed(tmp_path, "pump WHERE")] == [one.id]
    assert len(conversations.listed(tmp_path, "it is so")) == 2
    assert conversations.listed(tmp_path, "pump zebra") == []


def test_two_sessions_do_not_overwrite_each_other(tmp_path):
    one = saved(tmp_path, "First?")
    other = conversations.load(tmp_path, one.id)
    one.turns.append(exchange("Of the one"))
    other.turns.append(exchange("Of the other"))
    assert conversations.save(tmp_path, one) and conversations.save(tmp_path, other)
    assert one.id != other.id
    second = {conversations.load(tmp_path, entry.id).turns[1]["question"] for entry in conversations.listed(tmp_path)}
    assert second == {"Of the one", "Of the other"}


def test_what_was_deleted_stays_deleted(tmp_path):
    one = saved(tmp_path, "First?")
    conversations.delete(tmp_path, one.id)
    assert not conversations.save(tmp_path, one) and conversations.listed(tmp_path) == []


def test_all_are_deleted_with_what_a_crash_left(tmp_path):
    one = saved(tmp_path, "First?")
    folder = tmp_path / "chats"
    (folder / f".{one.id}.0123abcd.tmp").write_text("half")
    (folder / f"{'a' * 32}.json").write_text("damaged")
    assert conversations.delete_all(tmp_path) == 2 and not folder.exists()


def test_conversations_that_show_a_forgotten_document_go_with_it(tmp_path):
    saved(tmp_path, "First?")
    assert conversations.forget_documents(tmp_path, ["other.md"]) == 0
    assert conversations.forget_documents(tmp_path, [CITATION["source"]]) == 1
    assert conversations.listed(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_said_in_a_line(tmp_path):
    (tmp_path / "chats").write_text("in the way")
    one = Conversation(turns=[exchange()])
    for _ in range(2):
        with pytest.raises(RagDollyError, match="cannot be kept"):
            conversations.save(tmp_path, one)
    (tmp_path / "chats").unlink()
    assert conversations.save(tmp_path, one)


def test_markdown_shows_text_as_it_is(tmp_path):
    text = to_markdown([exchange("Is *it* so? <img src=x>")], "Title")
    assert text.startswith("# Title\n\n## Is \\*it\\* so? \\<img src=x\\>\n\nIt is so. \\[1\\]\n")
    assert "\\[1\\] a \\<b\\>.md, page 3\n\n> \\# Not a\n> heading\n" in text


def test_what_is_unsourced_stopped_or_refused_says_so():
    plain = {"answer": "Maybe.", "mode": "plain"}
    refused = {"answer": "No.", "abstained": True}
    said = [exchange(result=plain, plain=True), exchange(state="stopped"), exchange(result=refused)]
    text = to_markdown(said)
    assert "Unsourced" in text and "Stopped" in text and "do not answer this" in text and "No\\." not in text
    assert [one["unsourced"] for one in json.loads(to_json(said))["turns"]] == [True, False, False]
