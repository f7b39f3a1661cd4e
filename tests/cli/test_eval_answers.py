"""`rag-dolly eval answers` as a user meets it, with the bundled embedder and no language model."""

import json

import pytest

from tests.cli.test_cli import indexed, made_once, one_line, rag_dolly  # noqa: F401
from tests.evaluate.answers import write_lines

HONEY = "How many kilograms of honey does a hive need to survive the winter?"
ROWS = [
    {"id": "a", "question": HONEY, "answers": ["15 kilograms"], "answerable": True, "doc": "bees.md"},
    {"id": "b", "question": "What is the zloty worth in Quito?", "answers": ["x"], "answerable": True, "doc": "zloty"},
    {"id": "c", "question": "How much honey did the hive of Napoleon need?", "answerable": False, "doc": "bees.md"},
]
FILES = ("--out", "out.jsonl", "--report", "report.html", "--plot")


def test_it_measures_and_goes_on_where_it_was(indexed, tmp_path):  # noqa: F811
    write_lines(tmp_path / "q.jsonl", ROWS)
    first = ("eval", "answers", "q.jsonl", "--model", "none", "--limit", "2", "--json", *FILES, "plot.html")
    found = json.loads(indexed(*first).stdout)
    assert (found["data"], found["documents"], found["model"], found["kept"]) == ("q.jsonl", 3, "none", 0)
    assert found["questions"] == {"answerable": 1, "unanswerable": 0, "out_of_corpus": 1}
    overall = found["measures"]["overall"]
    assert overall["contains"] == {"mean": 1, "low": 1, "high": 1, "of": 1}
    assert overall["citation_recall"]["mean"] == overall["markers_resolve"]["mean"] == 1
    assert overall["false_refusals"]["mean"] == 0
    assert found["calibration"]["score"] == "dense" and found["calibration"]["areas"]["dense"]["all"]["mean"] == 1
    assert HONEY in (tmp_path / "report.html").read_text() and "<svg" in (tmp_path / "plot.html").read_text()
    kept = (tmp_path / "out.jsonl").read_text()
    assert [json.loads(line)["id"] for line in kept.splitlines()] == ["a", "b"]

    (tmp_path / "out.jsonl").write_text(kept + '{"id": "c", "ques')
    again = indexed("eval", "answers", "q.jsonl", "--model", "none", *FILES, "plot.png")
    assert "2 of 3 answers are kept from out.jsonl" in again.stderr and "Traceback" not in again.stderr
    assert "1 answerable questions name a document that the index lacks" in again.stderr
    assert "1 answerable, 1 unanswerable, 1 out of corpus" in again.stdout and "citation_recall" in again.stdout
    assert (tmp_path / "out.jsonl").read_text().startswith(kept)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_answers_of_ask_can_be_measured(indexed, tmp_path):  # noqa: F811
    write_lines(tmp_path / "q.jsonl", ROWS[:1])
    indexed("ask", "--questions", "q.jsonl", "--out", "out.jsonl", "--model", "none")
    before = (tmp_path / "out.jsonl").read_text()
    found = json.loads(indexed("eval", "answers", "q.jsonl", "--out", "out.jsonl", "--model", "none", "--json").stdout)
    assert found["kept"] == 1 and (tmp_path / "out.jsonl").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere.jsonl"], 1, "nowhere.jsonl cannot be read"),
        (["q.jsonl", "--report", "r.pdf"], 2, "ends in .html"),
        (["q.jsonl", "--plot", "p.gif"], 2, ".html or .png"),
        (["q.jsonl", "--out", "no/out.jsonl"], 1, "make no first"),
        (["q.jsonl", "--limit", "0"], 2, "--limit"),
        (["q.jsonl", "--out", "q.jsonl"], 1, "line 1: expected an answer"),
        (["q.jsonl"], 1, "index"),
    ],
)
def test_bad_input_is_one_line(rag_dolly, tmp_path, arguments, code, says):  # noqa: F811
    path = write_lines(tmp_path / "q.jsonl", ROWS)
    before = path.read_text()
    assert says.lower() in one_line(rag_dolly("eval", "answers", *arguments, code=code)).lower()
    assert path.read_text() == before
