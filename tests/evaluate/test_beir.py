import pytest

from rag_dolly.beir import read_collection, read_qrels, trec_name
from rag_dolly.errors import RagDollyError


def test_a_collection_is_read(beir):
    found = read_collection(beir)
    assert [(d.source, d.title) for d in found.documents][:2] == [("d1", "Lighthouse"), ("d2", "Tea")]
    assert found.queries == {"q1": "How tall is the lighthouse?", "q2": "How long does a bee live?"}
    assert found.qrels == {"q1": {"d1": 2, "d4": 1}, "q2": {"d3": 1}}
    assert found.left_out == {"queries without text or without a relevant document": 1}


def test_judgements_may_stand_in_a_folder_without_names_of_columns(beir):
    (beir / "qrels.tsv").unlink()
    (beir / "qrels").mkdir()
    (beir / "qrels" / "test.tsv").write_text("q2\td3\t1\n")
    assert read_collection(beir).qrels == {"q2": {"d3": 1}}


def test_judgements_of_trec_are_read(tmp_path):
    (tmp_path / "q").write_text("1 0 a 1\n1 0 b 0\n\n2 0 c 3.0\n")
    assert read_qrels(tmp_path / "q") == {"1": {"a": 1, "b": 0}, "2": {"c": 3}}


def test_ids_that_no_file_has_are_counted(beir):
    with (beir / "qrels.tsv").open("a") as file:
        file.write("q2\tgone\t1\nq9\td1\t1\n")
    found = read_collection(beir)
    assert found.qrels["q2"] == {"d3": 1, "gone": 1}  # a document that is never found
    assert found.left_out["judged documents that corpus.jsonl lacks"] == 1
    assert found.left_out["judged queries that queries.jsonl lacks"] == 1


def test_documents_of_a_title_alone_or_of_nothing(beir):
    with (beir / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "d5", "title": "Only a title", "text": ""}\n{"_id": 6, "text": " \\u2028 "}\n')
        file.write('{"_id": "d7", "text": "half a pair \\ud800 and \\u0085 a line end"}\n')
    found = read_collection(beir)
    assert [(d.source, d.text) for d in found.documents[4:]] == [
        ("d5", "Only a title"),
        ("d7", "half a pair ? and \x85 a line end"),
    ]
    assert found.left_out["documents without text"] == 1


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n{broken\n', "corpus.jsonl, line 2: not JSON"),
        ("corpus.jsonl", '{"_id": "a"}\n', 'corpus.jsonl, line 1: expected a JSON object with "_id" and "text"'),
        ("corpus.jsonl", "[1]\n", "line 1: expected a JSON object"),
        (
            "corpus.jsonl",
            '{"_id": "a", "text": "x"}\n\n{"_id": "a", "text": "y"}\n',
            "line 3: the \"_id\" 'a' is empty or",
        ),
        ("corpus.jsonl", "[" * 100_000 + "\n", "line 1: not JSON"),
        ("queries.jsonl", '{"_id": "q", "text": 7}\n', "queries.jsonl, line 1: expected"),
        ("queries.jsonl", b"\xff\xfe\n", "queries.jsonl cannot be read"),
        ("qrels.tsv", "h\ti\tj\nq1\td1\n", "qrels.tsv, line 2: expected query, document and score"),
        ("qrels.tsv", "q1\td1\tmany\nq1\td1\tmany\n", "qrels.tsv, line 2: expected query"),
        ("qrels.tsv", "q1\td1\t0\n", "No query of"),
        ("qrels.tsv", "q1\td1\tinf\n", "No query of"),
        ("qrels.tsv", "", "No query of"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(beir, file, content, says):
    (beir / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RagDollyError) as error:
        read_collection(beir)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(beir, missing):
    (beir / missing).unlink()
    with pytest.raises(RagDollyError, match=missing):
        read_collection(beir)


def test_names_in_a_run_have_no_white_space():
    assert trec_name("a b\tc\u2028d") == "a%20b%09c%E2%80%A8d" and trec_name(7) == "7"
