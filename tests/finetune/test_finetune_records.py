"""Data from files: both schemas, and each mistake named with its line."""

import pytest

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.records import Record, read_data
from tests.finetune.conftest import write


def test_both_schemas_and_repeated_records(tmp_path):
    row = {"instruction": "Do it", "context": None, "response": "Done", "category": "open_qa"}
    asked = {"question": "Who?", "context": "Anna.", "answers": ["Anna", "A."], "answerable": True}
    silent = {"question": "When?", "context": "Anna.", "answers": [], "answerable": False}
    data = read_data(str(write(tmp_path / "d.jsonl", [row, row, asked, silent])), True)
    assert data.records == [
        Record("Do it", "", "Done", "open_qa"),
        Record("Who?", "Anna.", "Anna", "closed_qa"),
        Record("When?", "Anna.", "", "closed_qa"),
    ]
    assert data.repeated == 1 and data.licence == "unknown" and data.name == "d.jsonl"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"instruction": "x"}', "line 2: 'response' is missing"),
        ('{"instruction": 3, "response": "y"}', "line 2: 'instruction' is int, not text"),
        ('{"instruction": " ", "response": "y"}', "line 2: 'instruction' is empty"),
        ('{"question": "x", "context": "c"}', "line 2: 'answers' is missing"),
        ("[1]", "line 2: expected"),
        ("{", "line 2: not JSON"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, line, says):
    path = tmp_path / "d.jsonl"
    path.write_text('{"instruction": "a", "response": "b"}\n' + line + "\n", "utf-8")
    with pytest.raises(RagDollyError, match=says) as raised:
        read_data(str(path), True)
    assert "\n" not in str(raised.value)


def test_what_is_not_there(tmp_path):
    with pytest.raises(RagDollyError, match="No data in"):
        read_data(str(tmp_path / "none.jsonl"), True)
    with pytest.raises(RagDollyError, match="offline"):
        read_data("databricks/databricks-dolly-15k", True)
    with pytest.raises(RagDollyError, match="holds no record"):
        read_data(str(write(tmp_path / "empty.jsonl", [])), True)
