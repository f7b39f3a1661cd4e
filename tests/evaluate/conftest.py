"""A tiny test collection in BEIR layout that a test may change."""

import json

import pytest

CORPUS = [
    {"_id": "d1", "title": "Lighthouse", "text": "The lighthouse of Marrow Point is 42 metres tall."},
    {"_id": "d2", "title": "Tea", "text": "Green tea is steeped at 80 degrees for two minutes."},
    {"_id": "d3", "title": "Bees", "text": "A worker bee lives six weeks in summer."},
    {"_id": "d4", "title": "", "text": "Whale oil burned in the lamp of the lighthouse until 1902."},
]
QUERIES = [
    {"_id": "q1", "text": "How tall is the lighthouse?"},
    {"_id": "q2", "text": "How long does a bee live?"},
    {"_id": "q3", "text": "nobody judged this"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td4\t1\nq2\td3\t1\n"


@pytest.fixture
def beir(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "qrels.tsv").write_text(QRELS)
    return folder
