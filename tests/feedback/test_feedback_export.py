"""Feedback becomes records as databricks-dolly-15k has them, with consent only, each once."""

import json
from dataclasses import replace

import pyarrow.json
import pytest
from answering import hit, result

from rag_dolly import feedback
from rag_dolly.errors import RagDollyError
from rag_dolly.feedback import Shown, about, written
from rag_dolly.feedback_export import CATEGORIES, FIELDS, WITH_CONTEXT, export, in_words, training_records

SOIL = hit("soil.md", "Compost feeds the soil slowly. Spread it in March.")


def said(question="When do I water?", consent=True, hits=None, cited=(0,), mode="generated", **given):
    answer = given.pop("answer", "In the morning. [1]")
    return replace(about(question, result(answer, hits or [hit(), SOIL], cited, mode)), consent=consent, **given)


def rows(*records):
    return training_records(records)[0]


def test_a_correction_is_a_record_with_what_the_answer_cited():
    assert rows(said(rating="down", correction="At dawn, before the sun is high.")) == [
        {
            "instruction": "When do I water?",
            "context": "Water the tomatoes in the morning.",
            "response": "At dawn, before the sun is high.",
            "category": "closed_qa",
        }
    ]


def test_an_answer_rated_up_is_a_record_without_its_markers():
    (row,) = rows(said(rating="up", answer="In the morning. [1] Not at noon. [2]"))
    assert row["response"] == "In the morning. Not at noon."


@pytest.mark.parametrize("given", [{"rating": "down"}, {"rating": "up", "mode": "abstained"}])
def test_nothing_is_learnt_from_a_bad_answer_or_a_refusal_alone(given):
    found, counts = training_records([said(**given)])
    assert found == [] and counts.without_answer == 1


def test_nothing_without_consent():
    found, counts = training_records([said(rating="up", consent=False)])
    assert found == [] and counts.without_consent == 1


def test_a_refused_question_gets_the_passage_that_holds_the_correction():
    refused = said("What feeds the soil?", mode="abstained", answer="", cited=(), correction="Compost feeds it slowly.")
    assert rows(refused)[0]["context"] == SOIL["text"]
    (row,) = rows(replace(refused, correction="Nobody knows anything about vaults."))
    assert (row["context"], row["category"]) == ("", "open_qa")


def test_a_question_that_asks_for_a_list_is_information_extraction():
    assert rows(said("List all the months.", correction="March"))[0]["category"] == "information_extraction"


def test_a_written_record_stays_as_it_was_written():
    passage = Shown("soil.md", "", 0, 5, "Compost feeds.", True)
    records = [written("summarization", "Sum it up.", "It feeds.", passage, True, "Ann")]
    records += [written("brainstorming", "Ideas?", "Many.", None, True, "")]
    assert [(row["context"], row["category"]) for row in rows(*records)] == [
        ("Compost feeds.", "summarization"),
        ("", "brainstorming"),
    ]
    assert set(WITH_CONTEXT) < set(CATEGORIES) and len(CATEGORIES) == 8


def test_of_the_same_twice_the_latest_stays():
    text = "Water the tomatoes early, before the sun is high, and never on their leaves, at the latest by nine."
    near = text.replace("at the latest", "at  the very latest")
    other = text.replace("never", "always")
    records = [said(correction=text), said(correction=other), said(correction=near), said(correction=near)]
    found, counts = training_records(records)
    assert [row["response"] for row in found] == [other, near] and counts.duplicates == 2


def test_two_numbers_are_no_slip():
    assert (
        len(rows(said("How deep?", correction="Sow it 2 cm deep."), said("How deep?", correction="Sow it 3 cm deep.")))
        == 2
    )


def test_what_must_not_leave_is_taken_out_of_every_field():
    mail = hit("mail.md", "Ask ann@mail.example or +49 30 901820 about it.")
    found, counts = training_records(
        [said("Who is bob@mail.example?", hits=[mail], correction="Ann, ann@mail.example.")]
    )
    assert "@" not in json.dumps(found) and "901820" not in json.dumps(found)
    assert counts.redacted == {"e-mail": 3, "phone": 1}


def test_the_file_loads_as_a_table_of_text(tmp_path):
    records = [
        said(rating="up"),
        said("中文？", correction="第一行\n第二行 \ud800"),
        written("open_qa", "q", "a", None, True, ""),
    ]
    counts = export(records, tmp_path / "out.jsonl")
    table = pyarrow.json.read_json(tmp_path / "out.jsonl")
    assert table.column_names == list(FIELDS) and table.num_rows == counts.written == 3
    assert {str(field.type) for field in table.schema} == {"string"}
    assert table.column("response").to_pylist()[1] == "第一行\n第二行"


def test_the_counts_are_said_in_words():
    records = [said(rating="up"), said(rating="up"), said(rating="down"), said(rating="up", consent=False)]
    lines = in_words(training_records(records)[1], 2)
    assert lines == [
        "1 record: 1 closed_qa",
        "left out: 1 without consent",
        "left out: 1 with nothing to learn from (rated down or refused, and not corrected)",
        "left out: 1 said again by a later one",
        "left out: 2 damaged lines",
    ]


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(RagDollyError, match="cannot be written"):
        export([said(rating="up")], tmp_path / "no" / "out.jsonl")


def test_an_export_of_nothing_is_an_empty_file(tmp_path):
    assert export(feedback.read(tmp_path).records, tmp_path / "out.jsonl").written == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
