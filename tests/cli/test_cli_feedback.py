"""`export feedback`, `forget` and `doctor` on an index about which people said something."""

import json
from dataclasses import replace

import pytest

from rag_dolly import feedback
from tests.cli.test_cli import indexed, made_once, one_line, rag_dolly  # noqa: F401  fixtures


@pytest.fixture
def told(indexed, tmp_path):  # noqa: F811
    """The command beside an index whose answers were rated and corrected."""
    where = {"page": None, "place": "", "start": 0, "end": 5}
    for n, (source, consent) in enumerate([("bees.md", True), ("bees.md", False), ("other.md", True)]):
        hit = {**where, "source": source, "text": f"Text {n} of {source}, ask ann@mail.example."}
        result = {"answer": "Yes. [1]", "mode": "quoted", "retrieved": [hit], "citations": [hit], "timings": n}
        said = replace(feedback.about(f"Question {n}?", result), correction=f"Correction {n}.", consent=consent)
        feedback.save(tmp_path / ".rag-dolly", said)
    return indexed


def test_feedback_is_exported_with_consent_only(told, tmp_path):
    counts = json.loads(told("export", "feedback", "out.jsonl", "--json").stdout)
    assert (counts["written"], counts["without_consent"], counts["redacted"]) == (2, 1, {"e-mail": 2})
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["response"] for row in rows] == ["Correction 0.", "Correction 2."]
    assert all(set(row) == {"instruction", "context", "response", "category"} for row in rows)
    said = told("export", "feedback", "out.jsonl")
    assert said.stdout == "2 records: 2 closed_qa\n" and "left out: 1 without consent" in said.stderr


def test_rules_of_the_user_redact_too(told, tmp_path):
    (tmp_path / "rules.txt").write_text("Correction \\d\n")
    told("export", "feedback", "out.jsonl", "--redact", "rules.txt")
    assert '"response": "[redacted]."' in (tmp_path / "out.jsonl").read_text()
    (tmp_path / "rules.txt").write_text("(\n")
    assert "line 1: not a regular expression" in one_line(
        told("export", "feedback", "o.jsonl", "--redact", "rules.txt", code=1)
    )
    assert not (tmp_path / "o.jsonl").exists()


def test_names_of_a_list_are_redacted(told, tmp_path):
    (tmp_path / "names.txt").write_text("correction\n")
    counts = json.loads(told("export", "feedback", "out.jsonl", "--redact-words", "names.txt", "--json").stdout)
    assert counts["redacted"] == {"e-mail": 2, "word": 2}
    assert '"response": "[redacted] 0."' in (tmp_path / "out.jsonl").read_text()


def test_a_forgotten_document_takes_the_feedback_that_quotes_it(told, tmp_path):
    ended = told("forget", "bees.md")
    assert ended.stdout == "1 forgotten\n" and "gone too: 2 records of feedback" in ended.stderr
    assert [said.question for said in feedback.read(tmp_path / ".rag-dolly").records] == ["Question 2?"]
    assert "No document bees.md" in one_line(told("forget", "bees.md", code=1))
    assert "1 records of feedback" in told("forget", "other.md").stderr, "it is in no index, but quoted"


def test_all_feedback_can_be_forgotten(told, tmp_path):
    assert "3 records of feedback" in told("forget", "--feedback").stderr
    assert not (tmp_path / ".rag-dolly" / feedback.FILE).exists()
    assert "Nothing to forget was named" in one_line(told("forget", code=2))


def test_doctor_lists_licences(indexed):  # noqa: F811
    licences = json.loads(indexed("doctor", "--json").stdout)["licences"]
    assert licences["all-MiniLM-L6-v2"] == "embedder; apache-2.0 (its card); commercial use allowed"
    assert any("ms_marco" in name and "unknown" in line for name, line in licences.items())
