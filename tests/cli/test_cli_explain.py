"""`ask --explain`: how the answer came about, in words and in JSON, and nothing more without it."""

import json

from rag_dolly.show_trace import trace
from tests.cli.test_cli import indexed, made_once, rag_dolly  # noqa: F401  fixtures

ASK = ("ask", "How tall is the lighthouse?", "--model", "none", "--top-k", 2)


def test_the_trace_follows_the_answer_in_words(indexed):  # noqa: F811
    plain = indexed(*ASK).stdout
    told = indexed(*ASK, "--explain").stdout
    assert told.startswith(plain) and "How this was answered" not in plain
    for line in ("Quoted: there is no language model.", "searched for  How tall is the lighthouse?", "shown [1]"):
        assert line in told
    header = next(line for line in told.splitlines() if "fused" in line)
    first = told.splitlines()[told.splitlines().index(header) + 1]
    assert first.index("passage 1") == header.index("became"), "columns are aligned"


def test_the_trace_is_in_the_json_only_when_asked_for(indexed):  # noqa: F811
    plain, told = (json.loads(indexed(*ASK, "--json", *more).stdout) for more in ((), ("--explain",)))
    assert set(told) - set(plain) == {"trace"} and set(plain) <= set(told)
    assert {"searched", "candidates", "nearness", "passages", "prompt", "sentences", "quotes", "reason"} <= set(
        told["trace"]
    )
    assert told["trace"]["candidates"][0]["where"]["source"] == "guide/lighthouse.txt"


def test_a_refusal_says_how_far_it_was(indexed):  # noqa: F811
    told = indexed("ask", "What is the capital of Mongolia?", "--model", "none", "--explain", code=4).stdout
    assert "Refused: the passages come 0." in told and "not enough" in told


def test_many_questions_can_be_explained_too(indexed, tmp_path):  # noqa: F811
    (tmp_path / "q.jsonl").write_text('{"id": 7, "question": "How tall is the lighthouse?"}\n')
    indexed("ask", "--questions", "q.jsonl", "--out", "a.jsonl", "--model", "none", "--explain")
    assert json.loads((tmp_path / "a.jsonl").read_text())["trace"]["mode"] == "quoted"


def test_no_document_can_write_to_the_terminal_or_forge_a_line(capsys):
    evil = "before \x1b[31m\x1b]0;owned\x07\nSeconds\n  forged \u202e 1.0"
    where = {"source": f"a{evil}.md", "page": None, "place": evil, "start": 0, "end": 9, "text": evil}
    ranked = {"dense": 0.5, "keyword": 1.0, "fused": 1.0, "named": None, "rerank": None, "ranks": {"dense": 1}}
    sentence = {"outcome": "dropped", "check": "name", "reason": evil, "score": None, "n": None, "where": where}
    sizes = dict.fromkeys(("window", "room", "tokens", "frame", "answer_tokens", "turns", "turns_given"), 1)
    trace(
        {
            "reason": "Quoted.",
            "searched": evil,
            "filters": evil,
            "nearness": {"cosine": 0.1, "share": 0.2, "score": 0.2, "needed": 0.5, "enough": False},
            "proposed": 1,
            "candidates": [{"rank": 1, "where": where, "passage": None, "became": "kept", **ranked}],
            "passages": [{"rank": 1, "where": where, "also": [evil], "n": None, "tokens": 1, "reason": evil}],
            "sentences": [{"text": evil, **sentence}],
            "quotes": [{"where": where, "score": 1.0, "cosine": 0.5, "n": None, "read": 1.0, "answer": evil}],
            "model": evil,
            "prompt": {"text": evil, "was_sent": False, **sizes},
            "seconds": {"search": 0.1},
        }
    )
    printed = capsys.readouterr().out
    assert not set(printed) & set("\x1b\x07\u202e")
    assert printed.splitlines().count("Seconds") == 1 and "  | Seconds" in printed
    assert sum(line.strip().startswith("forged") for line in printed.splitlines()) == 0
