"""Feedback is kept whole: by several processes at once, through a kill, replaced, deleted and forgotten."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from answering import hit, result

from rag_dolly import feedback
from rag_dolly.errors import RagDollyError

ROOT = Path(__file__).parents[2]
APPEND = """
import sys
from pathlib import Path
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
from rag_dolly import feedback
said = feedback.written("open_qa", "q" * 3000, "a" * 20000, None, True, sys.argv[3])
print("ready", flush=True)
for number in range(int(sys.argv[4])):
    feedback.save(Path(sys.argv[2]), replace(said, key=f"{sys.argv[3]}-{number}"))
    print(number, flush=True)
"""


def writer(folder, name, count):
    command = [sys.executable, "-c", APPEND, str(ROOT), str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def said(question="When?", **given):
    return replace(feedback.about(question, result()), **given)


def test_a_rating_has_the_passages_as_they_were_shown(tmp_path):
    hits = [hit(page=3), hit("soil.md", "Compost feeds.", place="sheet A, rows 2-3")]
    saved = feedback.save(tmp_path, replace(feedback.about("When do I water?", result(hits=hits)), rating="up"))
    assert feedback.read(tmp_path) == ([saved], 0)
    assert [(p.source, p.place, p.text, p.cited) for p in saved.passages] == [
        ("garden.md", "page 3", "Water the tomatoes in the morning.", True),
        ("soil.md", "sheet A, rows 2-3", "Compost feeds.", False),
    ]
    assert (saved.question, saved.answer, saved.mode, saved.model) == (
        *("When do I water?", "In the morning. [1]", "generated", "fake"),
    )
    assert saved.time.endswith("+00:00") and not saved.consent and not saved.writer


def test_only_the_owner_may_read_it(tmp_path):
    feedback.save(tmp_path, said(rating="up"))
    assert stat.S_IMODE((tmp_path / feedback.FILE).stat().st_mode) == 0o600


def test_what_was_said_last_of_an_answer_counts(tmp_path):
    feedback.save(tmp_path, said(rating="up"))
    feedback.save(tmp_path, said("Other?", rating="down"))
    feedback.save(tmp_path, said(rating="down", correction="At dawn."))
    kept = feedback.read(tmp_path).records
    assert [(one.question, one.rating, one.correction) for one in kept] == [
        ("Other?", "down", ""),
        ("When?", "down", "At dawn."),
    ]
    assert feedback.find(tmp_path, said().key) == kept[1]
    feedback.save(tmp_path, said())
    assert [one.question for one in feedback.read(tmp_path).records] == ["Other?"], "taken back"


def test_the_same_words_given_another_time_are_another_answer():
    first, second = (feedback.about("When?", result(total=total)) for total in (1.0, 2.0))
    assert first.key != second.key and first.key == feedback.about("When?", result(total=1.0)).key


def test_a_torn_line_is_passed_over_and_not_joined_to_the_next(tmp_path):
    first = feedback.save(tmp_path, said(rating="up"))
    path = tmp_path / feedback.FILE
    path.write_bytes(path.read_bytes() + path.read_bytes()[:-200].replace(b"When?", "Où ?".encode()))
    second = feedback.save(tmp_path, said("Then?", rating="down"))
    assert feedback.read(tmp_path) == ([first, second], 1)


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"key": 1}',
        b"[" * 5000,
        b'{"passages": [{"text": 1}]}',
        b'{"passages": 3}',
    ],
)
def test_a_line_that_is_not_ours_is_passed_over(tmp_path, line):
    good = feedback.save(tmp_path, said(rating="up"))
    with (tmp_path / feedback.FILE).open("ab") as file:
        file.write(line + b"\n")
    assert feedback.read(tmp_path) == ([good], 1)


def test_fields_of_another_type_are_passed_over(tmp_path):
    feedback.save(tmp_path, said(rating="up"))
    path = tmp_path / feedback.FILE
    row = json.loads(path.read_bytes())
    for name, value in (("question", 3), ("consent", "yes"), ("unknown", 1)):
        with path.open("a") as file:
            file.write(json.dumps(row | {name: value}) + "\n")
    assert len(feedback.read(tmp_path).records) == 1 and feedback.read(tmp_path).damaged == 3


def test_half_a_pair_of_characters_is_kept(tmp_path):
    feedback.save(tmp_path, said("broken \ud800 half", rating="up", correction="中文\u2028x\ny"))
    (kept,) = feedback.read(tmp_path).records
    assert kept.question == "broken \ud800 half" and kept.correction == "中文\u2028x\ny"


def test_processes_append_at_once_and_a_killed_one_spoils_nothing(tmp_path):
    processes = [writer(tmp_path, name, 40 if name != "killed" else 100_000) for name in ("a", "b", "killed")]
    killed = processes[2]
    for line in killed.stdout:
        if line.strip() == "20":
            break
    killed.send_signal(signal.SIGKILL)
    acknowledged = 20 + sum(1 for line in killed.stdout if line.strip().isdigit())
    assert [process.wait(60) for process in processes] == [0, 0, -9]
    kept = feedback.read(tmp_path)
    keys = {one.key for one in kept.records}
    assert {f"{name}-{n}" for name in "ab" for n in range(40)} <= keys
    assert {f"killed-{n}" for n in range(acknowledged + 1)} <= keys, "what was said to be saved is there"
    assert kept.damaged <= 1 and all(len(one.answer) == 20000 for one in kept.records)
    feedback.save(tmp_path, said(rating="up"))
    assert len(feedback.read(tmp_path).records) == len(keys) + 1


def test_threads_append_at_once_while_others_delete(tmp_path):
    def append(name):
        for number in range(20):
            feedback.save(tmp_path, replace(said(rating="up"), key=f"{name}-{number}"))

    threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    gone = 0
    while any(thread.is_alive() for thread in threads):
        gone += feedback.delete(tmp_path, {"a-3", "b-3"})
        time.sleep(0.01)
    gone += feedback.delete(tmp_path, {"a-3", "b-3"})
    kept = feedback.read(tmp_path)
    assert gone == 2 and kept.damaged == 0
    assert {one.key for one in kept.records} == {f"{n}-{i}" for n in "abcd" for i in range(20)} - {"a-3", "b-3"}


def test_forgetting_a_document_leaves_no_word_of_it(tmp_path):
    secret = hit("secret.md", "The vault opens with 4711.")
    feedback.save(tmp_path, replace(feedback.about("Code?", result("It is 4711.", [hit(), secret])), rating="up"))
    again = replace(feedback.about("Code?", result("It is 4711.", [hit(), secret])), correction="4711 it is")
    feedback.save(tmp_path, again)
    other = feedback.save(tmp_path, said(rating="up"))
    with (tmp_path / feedback.FILE).open("ab") as file:
        file.write(b'{"question": "torn 4711"\n')
    assert feedback.quoting(tmp_path, ["secret.md"]) == 1
    assert feedback.forget_documents(tmp_path, ["secret.md"]) == 1
    assert feedback.read(tmp_path) == ([other], 0)
    assert not any(b"4711" in path.read_bytes() for path in tmp_path.iterdir())
    assert feedback.forget_documents(tmp_path, ["secret.md"]) == 0


def test_deleting_all_of_it_leaves_no_file(tmp_path):
    feedback.save(tmp_path, said(rating="up"))
    feedback.save(tmp_path, said("Other?", rating="up"))
    assert feedback.delete(tmp_path) == 2
    assert not (tmp_path / feedback.FILE).exists() and feedback.read(tmp_path) == ([], 0)
    assert feedback.delete(tmp_path) == 0


def test_nothing_kept_is_nothing_read_and_makes_no_file(tmp_path):
    assert feedback.read(tmp_path / "none") == ([], 0) and feedback.find(tmp_path, "x") is None
    assert feedback.forget_documents(tmp_path, ["a.md"]) == 0 and list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_in_a_line(tmp_path):
    with pytest.raises(RagDollyError, match="No feedback can be kept in"):
        feedback.save(tmp_path / "none", said(rating="up"))
    (tmp_path / feedback.FILE).mkdir()
    with pytest.raises(RagDollyError, match="cannot be used"):
        feedback.save(tmp_path, said(rating="up"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_in_a_line(tmp_path):
    os.symlink("/dev/full", tmp_path / feedback.FILE)
    with pytest.raises(RagDollyError, match=r"feedback\.jsonl"):
        feedback.save(tmp_path, said(rating="up"))
