import json
from typing import Any

import pytest
from document_check import check

from ingest.chunk import chunk
from ingest.errors import UnreadableFile
from ingest.loaders import json_lines
from ingest.passage import Document

_PROSE = " ".join(f"Sentence {i} of the story is told here." for i in range(12))


def _load(content: Any, source: str = "data.json") -> Document:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    document = json_lines.load(source, text.encode())
    check(document)
    return document


def _words(text: str) -> list[tuple[int, int]]:
    spans, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        spans.append((at, at + len(word)))
        at += len(word)
    return spans


# --- documents


def test_values_are_lines_with_their_path() -> None:
    document = _load({"name": "app", "server": {"port": 8080, "hosts": ["a", "b"], "tls": None, "on": True}, "no": []})
    assert document.kind == "json" and document.title == "app"
    assert document.text == "name: app\nserver.port: 8080\nserver.hosts: a, b\nserver.tls: null\nserver.on: true"
    assert [block.kind for block in document.blocks] == ["table"] and document.places == ()


def test_an_array_of_objects_is_records_one_block_each() -> None:
    document = _load([{"id": 1, "dim": {"w": 2}}, {"id": 2, "tags": ["x", "y"]}])
    assert document.text == "id: 1 | dim.w: 2\nid: 2 | tags: x, y"
    assert [(place.kind, place.number, place.inside) for place in document.places] == [
        ("record", 1, ""),
        ("record", 2, ""),
    ]


def test_the_one_array_of_an_object_is_its_records() -> None:
    document = _load({"count": 2, "items": [{"id": 1}, {"id": 2}], "next": None})
    assert document.text == "count: 2\nnext: null\n\nid: 1\nid: 2"
    assert document.places[-1].inside == "items, " and document.places[-1].number == 2


def test_records_deep_inside_say_where_they_are() -> None:
    document = _load({"a": [{"n": "x", "k": 1}, {"n": "y", "k": 2}], "b": {"c": [{"m": "z"}]}, "d": [[1, 2], [3]]})
    assert document.text == "a[0] | n: x | k: 1\na[1] | n: y | k: 2\nb.c[0] | m: z\nd[0]: 1, 2\nd[1]: 3"


def test_prose_is_read_as_paragraphs() -> None:
    document = _load({"title": "A story", "body": f"{_PROSE}\n\nThe end."})
    assert document.title == "A story"
    assert document.text == f"title: A story\n\nbody: {_PROSE}\n\nThe end."
    assert [block.kind for block in document.blocks] == ["table", "text", "text"]


def test_records_of_prose_are_sections_that_never_share_a_passage() -> None:
    document = _load([{"id": i, "title": f"Story {i}", "text": _PROSE} for i in range(3)])
    assert [block.title for block in document.blocks if block.kind == "heading"] == ["Story 0", "Story 1", "Story 2"]
    passages = chunk(document, _words, 256)
    assert [passage.heading for passage in passages] == [("Story 0",), ("Story 1",), ("Story 2",)]
    assert all(_PROSE in passage.text for passage in passages)


def test_a_long_string_among_short_records_keeps_the_name_of_its_record() -> None:
    records = [{"id": i, "note": "short"} for i in range(5)] + [{"id": 99, "note": _PROSE * 9}]
    lines = [line for line in _load(records).text.split("\n") if line.startswith("id: 99")]
    assert len(lines) > 2 and all(line.startswith("id: 99 | note: ") for line in lines)


def test_keys_that_occur_twice_are_kept_and_numbers_stay_as_written() -> None:
    big = "1" + "0" * 6000
    document = _load(f'{{"a": 1.10, "a": NaN, "b": -Infinity, "c": 1e400, "d": {big}}}')
    assert document.text.startswith("a: 1.10\na: NaN\nb: -Infinity\nc: 1e400\nd: 1000")
    assert document.text.replace("\nd: ", "").count("0") == 6000 + 1 + 2


def test_lone_surrogates_and_control_characters() -> None:
    assert _load(r'{"a": "\ud800 x \ud83d\ude00 \u0000y"}').text == "a: \ufffd x \U0001f600 y"


def test_nesting_is_bounded() -> None:
    assert _load("[" * 90 + '"deep"' + "]" * 90).text.endswith(": deep")
    for depth in (150, 100_000):
        with pytest.raises(UnreadableFile, match="nested at most 100 levels"):
            json_lines.load("a.json", b"[" * depth + b"]" * depth)
        with pytest.raises(UnreadableFile, match="nested at most 100 levels"):
            json_lines.load("a.json", b'{"a":' * depth + b"1" + b"}" * depth)


def test_long_keys_do_not_multiply() -> None:
    document = _load({"k" * 100_000: {"j" * 100_000: list(range(2000))}})
    assert len(document.text) < 100_000


def test_more_values_than_can_be_held_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="at most 10 values in a JSON file, found 21"):
        json_lines.load("a.json", json.dumps(list(range(20))).encode(), most_values=10)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1,\n "b": 2,}', "'}' at line 2, column 9"),
        ('{"a": 1', "the end of the file at line 1"),
        ("{'a': 1}", "\"'a': 1}\" at line 1, column 2"),
        ('{"a": 1} // comment', "'// comment' at line 1"),
        ("Dear all,\nplease see below.", "'Dear all,"),
    ],
)
def test_broken_json_is_refused_with_its_place(text: str, found: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        json_lines.load("a.json", text.encode())
    assert str(caught.value).startswith("broken: expected JSON, found ") and found in str(caught.value).replace(
        "\\n", "\n"
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{}", "[]", '""', '{"a": [], "b": {}, "c": ""}'])
def test_json_that_says_nothing_has_no_blocks(text: str) -> None:
    assert _load(text).blocks == ()


@pytest.mark.parametrize(
    ("text", "read"), [('"just text"', "just text"), ("12", "12"), ("null", "null"), ("[1, 2]", "1, 2")]
)
def test_json_without_keys(text: str, read: str) -> None:
    assert _load(text).text == read


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_in_any_encoding(encoding: str) -> None:
    assert json_lines.load("a.json", '{"ort": "Köln"}'.encode(encoding)).text == "ort: Köln"


# --- lines


def test_a_line_is_a_record_that_stands_at_its_line() -> None:
    document = _load('{"q": "a?", "n": 1}\n\n{"q": "b?", "n": {"m": 2}}\r\n[1, 2]\n', "data.jsonl")
    assert document.kind == "jsonl" and document.warnings == ()
    assert document.text == "q: a? | n: 1\nq: b? | n.m: 2\n1, 2"
    assert [(place.kind, place.number) for place in document.places] == [("line", 1), ("line", 3), ("line", 4)]
    assert len(document.blocks) == 3


def test_broken_lines_are_reported_and_the_others_kept() -> None:
    lines = [f'{{"n": {i}}}' for i in range(20)]
    for i in range(1, 15, 2):
        lines[i] = "{broken"
    document = _load("\n".join(lines), "data.ndjson")
    assert document.text.split("\n")[:3] == ["n: 0", "n: 2", "n: 4"]
    assert document.warnings == ("7 of 20 lines are no JSON (line 2, 4, 6, 8, 10, ...) and are left out",)


def test_a_line_nested_too_deep_is_a_broken_one() -> None:
    document = _load('{"n": 1}\n' + "[" * 100_000 + "]" * 100_000, "data.jsonl")
    assert document.text == "n: 1" and document.warnings[0].startswith("1 of 2 lines")


def test_lines_beyond_the_bound_are_said_to_be_left_out() -> None:
    text = "\n".join(f'{{"n": {i}}}' for i in range(20))
    document = json_lines.load("data.jsonl", text.encode(), most_values=10)
    assert len(document.blocks) == 5 and document.warnings[0].startswith("line 6 and those below are left out")


def test_content_decides_between_a_document_and_lines() -> None:
    assert _load('{"n": 1}\n{"n": 2}\n', "data.json").kind == "jsonl"
    assert _load('{\n  "n": 1,\n  "m": 2\n}', "data.jsonl").kind == "json"


def test_lines_that_are_something_else_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="expected a JSON value in each line, found that 3 of 3 lines are no JSON"):
        json_lines.load("a.jsonl", b"some\nplain\ntext")
