"""What the commands that train and export say when they cannot, and with which exit code."""

import json
import re
import sys

import pytest

from rag_dolly.cli import main

RECORD = {"question": "Who?", "context": "Ada wrote it.", "answers": ["Ada"], "answerable": True}
TRAIN = {"finetune": ["--base", "none"], "finetune-embedder": [], "finetune-reader": []}


@pytest.fixture
def said(capsys, monkeypatch):
    """Run a command in this process, for torch is loaded once; return its exit code and the one line that it says."""

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["rag-dolly", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line.startswith("rag-dolly: ")
        return ended.value.code, line

    return run


@pytest.fixture(autouse=True)
def files(tmp_path):
    """Data that does not do, in the current folder, and folders that do not either."""
    (tmp_path / "broken.jsonl").write_text("no json\n")
    (tmp_path / "one.jsonl").write_text(json.dumps(RECORD) + "\n")
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "reader.safetensors").touch()


@pytest.mark.parametrize("command", TRAIN)
@pytest.mark.parametrize(
    ("data", "says"), [("none.jsonl", "No (data|file)"), ("broken.jsonl", "[Ll]ine 1"), (".", "No (data|file)")]
)
def test_data_that_does_not_do_is_a_failure(said, command, data, says):
    code, line = said(command, data, "--out", "out", *TRAIN[command])
    assert code == 1 and re.search(says, line)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("finetune one.jsonl --base none --out full", "full is not empty (reader.safetensors is in it): name"),
        ("finetune one.jsonl --base none --out full", "or add --resume"),
        ("finetune one.jsonl --base none --out file", "--out file cannot be used: File exists"),
        ("finetune-embedder one.jsonl --out full", "full is not empty (reader.safetensors is in it): name another fol"),
        ("finetune-embedder one.jsonl --out out", "10 are the least"),
        ("finetune-reader one.jsonl --out full", "full already holds a reader"),
        ("finetune-reader one.jsonl --out file", "--out file cannot be used: File exists"),
        ("finetune-reader one.jsonl --out out", "Too few passages"),
        ("export feedback out.jsonl --index none", "No index in none, so there is no feedback"),
        ("export feedback out.jsonl --redact none.txt", "none.txt cannot be read"),
        ("export feedback out.jsonl --redact-words none.txt", "none.txt cannot be read"),
    ],
)
def test_what_cannot_be_done_is_a_failure(said, arguments, says):
    code, line = said(*arguments.split())
    assert code == 1 and says in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("finetune one.jsonl --base none --out out --lr 0", "--lr is 0.0"),
        ("finetune one.jsonl --base none --out out --lr 2", "--lr is 2.0"),
        ("finetune one.jsonl --base none --out out --epochs nan", "--epochs is nan"),
        ("finetune one.jsonl --base none --out out --missing 1", "Invalid value for '--missing'"),
        ("finetune one.jsonl --base none --out out --device tpu", "device 'tpu'"),
        ("finetune-embedder one.jsonl --out out --lr -1", "--lr is -1.0"),
        ("finetune-embedder one.jsonl --out out --epochs inf", "--epochs is inf"),
        ("finetune-reader one.jsonl --out out --epochs 0", "Invalid value for '--epochs'"),
    ],
)
def test_a_setting_out_of_range_is_wrong_usage(said, arguments, says):
    code, line = said(*arguments.split())
    assert code == 2 and says in line
