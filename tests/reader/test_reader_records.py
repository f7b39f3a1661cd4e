"""Records to train a reader on: what is used of a file, what is held out, and questions without an answer."""

import gzip
import json
from collections import Counter

import pytest

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.reader.records import PER_PASSAGE, PER_QUESTION, Record, made_unanswerable, read_records, split


def written(path, rows):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def row(question="Who?", context="Ada wrote it.", answers=("Ada",), **more):
    return {"question": question, "context": context, "answers": list(answers), "answerable": bool(answers), **more}


def test_answers_are_those_that_stand_in_the_passage(tmp_path):
    rows = [row(answers=["Ada", "Lovelace"]), row("Whose?", answers=["Grace"]), row("What?", answers=[])]
    found = read_records(written(tmp_path / "a.jsonl.gz", rows))
    assert {(one.question, one.answers) for one in found} == {("Who?", ("Ada",)), ("What?", ())}


def test_dolly_records_are_read_where_the_response_is_quoted(tmp_path):
    dolly = {"instruction": "Who?", "context": "Ada wrote it.", "response": "Ada.", "category": "closed_qa"}
    rows = [dolly, dolly | {"response": "Somebody"}, dolly | {"context": ""}, dolly | {"category": "summarization"}]
    (found,) = read_records(written(tmp_path / "a.jsonl", rows))
    assert found.answers == ("Ada",)


def test_a_line_that_is_no_record_is_named(tmp_path):
    path = written(tmp_path / "a.jsonl", [row(), {"question": "Who?"}])
    with pytest.raises(RagDollyError, match=r"Line 2 of .*expected question, context and answers"):
        read_records(path)
    with pytest.raises(RagDollyError, match="No file"):
        read_records(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl").write_bytes(b'{"question": "\xff"}')
    with pytest.raises(RagDollyError, match=r"Line 1 of .*UnicodeDecodeError"):
        read_records(tmp_path / "c.jsonl")
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(b'{"question": "Who?", "context": "", "answers": []}\n')[:-9])
    with pytest.raises(RagDollyError, match="cannot be read"):
        read_records(tmp_path / "d.jsonl.gz")


def test_no_passage_and_no_question_comes_too_often(tmp_path):
    rows = [row(f"Who is {n}?") for n in range(30)]
    rows += [row("Who wrote it?", f"Ada wrote number {n}.") for n in range(30)]
    found = read_records(written(tmp_path / "a.jsonl", rows))
    assert Counter(one.context for one in found)["Ada wrote it."] == PER_PASSAGE
    assert Counter(one.question for one in found)["Who wrote it?"] == PER_QUESTION


def test_no_title_and_no_passage_is_on_both_sides():
    records = [Record(f"Q{n}?", f"passage {n // 3}", ("passage",), f"title {n // 6}") for n in range(600)]
    train, held = split(records)
    assert held and len(train) > 10 * len(held)
    assert not {one.title for one in train} & {one.title for one in held}
    assert not {one.context for one in train} & {one.context for one in held}


def test_made_questions_have_no_answer_in_their_passage():
    records = [
        Record(f"When did Ann Smith {n} visit Rome in 19{n}?", f"In May 19{n} Bob Jones saw Paris.", ("May",), "t")
        for n in range(10, 90)
    ]
    by_passage = {record.context: record for record in records}
    made = made_unanswerable(records)
    assert len(made) > 10 and all(not one.answers for one in made)
    changed = [one for one in made if one.question not in {record.question for record in records}]
    assert changed and all(one.question != by_passage[one.context].question for one in changed)
    assert made_unanswerable(records) == made != made_unanswerable(records, seed=1)


def test_another_passage_of_the_title_does_not_hold_the_answer():
    records = [Record(f"Who is {n}?", f"The one is Name{n} there.", (f"Name{n}",), "t") for n in range(50)]
    for one in made_unanswerable(records):
        answer = next(record.answers[0] for record in records if record.question == one.question)
        assert answer not in one.context
