"""The command line as a user meets it: a process, its output, its exit code."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from ingest import ingest_folder
from tests.conftest import SAMPLES

HEAVY = ("numpy", "torch", "transformers", "faiss", "langchain_core", "langchain", "streamlit", "sentence_transformers")


@pytest.fixture
def rag_dolly(tmp_path):
    """Run the command in its own process; every path is relative to the test's folder."""

    def run(*arguments, code=0, **environment):
        ended = subprocess.run(
            [sys.executable, "-c", "from rag_dolly.cli import main; main()", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        assert ended.returncode == code, ended.stderr
        return ended

    return run


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """An index of the samples, made with the real embedder once for all tests."""
    made = tmp_path_factory.mktemp("made") / "index"
    ingest_folder(SAMPLES, index=made)
    return made


@pytest.fixture
def indexed(rag_dolly, folder, tmp_path, made_once):
    """The command beside an index of the samples that a test may change."""
    shutil.copytree(made_once, tmp_path / ".rag-dolly")
    return rag_dolly


def one_line(ended):
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("rag-dolly: ") and "Traceback" not in ended.stderr
    return lines[0]


def test_help_loads_nothing_heavy():
    script = f"import sys, rag_dolly.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_version_and_help(rag_dolly):
    from rag_dolly import __version__

    assert rag_dolly("--version").stdout == f"rag-dolly {__version__}\n"
    for command in ("ingest", "search", "ask", "chat", "status", "ls", "app", "doctor", "export"):
        assert command in rag_dolly("--help").stdout


def test_ingest_reports_in_words_and_in_json(rag_dolly, folder):
    first = json.loads(rag_dolly("ingest", "samples", "--json").stdout)
    assert (first["added"], first["failed"], first["skipped"]) == (3, [], [])
    assert set(first) == {
        "added", "updated", "deleted", "unchanged", "failed", "skipped", "partial", "passages", "seconds",
    }  # fmt: skip
    second = rag_dolly("ingest", "samples")
    assert "3 unchanged" in second.stdout and "torch" not in second.stderr


def test_broken_files_are_listed_and_the_exit_code_is_3(rag_dolly, folder):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    ended = rag_dolly("ingest", "samples", "--json", code=3)
    report = json.loads(ended.stdout)
    assert report["added"] == 3 and report["failed"][0]["source"] == "broken.pdf" and report["failed"][0]["error"]
    listed = json.loads(rag_dolly("ls", "--json").stdout)["documents"]
    assert {row["source"]: row["state"] for row in listed}["broken.pdf"] == "failed"


def test_the_list_of_skipped_files_ends_in_counts(rag_dolly, folder):
    for n in range(30):
        (folder / f"{n:02}.raw").touch()
    (folder / "two\nlines.raw").touch()
    (folder / "venv").mkdir()
    (folder / "zz.txt").symlink_to("nothing")
    lines = [line for line in rag_dolly("ingest", folder).stderr.splitlines() if line.startswith("skipped")]
    assert len(lines) == 21 and lines[0] == "skipped  00.raw: unsupported kind: .raw"
    assert lines[-1] == (
        "skipped  13 more: 11 unsupported kind .raw, 1 ignored by default, 1 a symbolic link to nothing; "
        "`rag-dolly ls` lists them all"
    )


def test_search(indexed):
    hits = json.loads(indexed("search", "how tall is the lighthouse", "--top-k", 2, "--json").stdout)["hits"]
    assert [hit["rank"] for hit in hits] == [1, 2] and hits[0]["source"] == "guide/lighthouse.txt"
    assert hits[0]["dense"] > 0 and hits[0]["keyword"] > 0 and hits[0]["rerank"] is None and hits[0]["page"] is None
    assert "guide/lighthouse.txt" in indexed("search", "how tall is the lighthouse").stdout


def test_search_does_not_load_torch(indexed, tmp_path):
    script = (
        "import sys; from rag_dolly.settings import load_settings; from rag_dolly.assemble import open_index\n"
        "from rag_dolly.retrieve import HybridRetriever\n"
        "print(len(HybridRetriever(open_index(load_settings())).search('honey', 3)), 'torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert printed.stdout.split() == ["3", "False"]


def test_a_run_file_for_many_queries(indexed, tmp_path):
    (tmp_path / "q.jsonl").write_text('{"_id": "q1", "text": "whale oil lamp"}\n{"_id": "q2", "text": "green tea"}\n')
    indexed("search", "--queries", "q.jsonl", "--run", "out.trec", "--top-k", 2)
    rows = [line.split() for line in (tmp_path / "out.trec").read_text().splitlines()]
    assert [row[:4] for row in rows if row[3] == "1"] == [
        ["q1", "Q0", "guide/lighthouse", "1"],
        ["q2", "Q0", "guide/tea", "1"],
    ]
    assert all(row[5] == "rag-dolly" for row in rows)
    assert len({row[2] for row in rows if row[0] == "q1"}) == 2
    indexed("search", "--queries", "q.jsonl", "--run", "out.trec", "--by", "passage")
    assert "#" in (tmp_path / "out.trec").read_text().split()[2]


def test_ask_quotes_and_cites(indexed):
    answer = json.loads(indexed("ask", "How tall is the lighthouse?", "--model", "none", "--json").stdout)
    assert answer["mode"] == "quoted" and "42 metres" in answer["answer"] and not answer["abstained"]
    assert {"question", "citations", "retrieved", "left_out", "model", "usage", "timings"} <= set(answer)
    assert set(answer["citations"][0]) == {"n", "source", "page", "place", "start", "end", "text", "score"}
    spoken = indexed("ask", "How tall is the lighthouse?", "--model", "none")
    assert "[1]" in spoken.stdout and "guide/lighthouse.txt" in spoken.stdout


def test_what_the_documents_do_not_answer_has_its_own_exit_code(indexed):
    ended = indexed("ask", "What is the capital of Mongolia?", "--model", "none", "--json", code=4)
    assert json.loads(ended.stdout)["abstained"] is True


def test_many_questions(indexed, tmp_path):
    (tmp_path / "q.jsonl").write_text('{"id": 7, "question": "How tall is the lighthouse?"}\n')
    indexed("ask", "--questions", "q.jsonl", "--out", "a.jsonl", "--model", "none")
    answer = json.loads((tmp_path / "a.jsonl").read_text())
    assert answer["id"] == 7 and "42 metres" in answer["answer"]


def test_status_and_export_and_doctor(indexed, tmp_path):
    status = json.loads(indexed("status", "--json").stdout)
    assert status["documents"] == 3 and status["embedder"] == "all-MiniLM-L6-v2" and status["created"]
    assert {"passages", "failed", "bytes", "model", "updated"} <= set(status)
    indexed("export", "passages", "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == status["passages"]
    assert set(rows[0]) == {"source", "ordinal", "page", "place", "start", "end", "heading", "text"}
    checked = json.loads(indexed("doctor", "--json").stdout)
    assert checked["problems"] == [] and checked["index"]["state"] == "sound"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ingest", "nowhere"], 1, "No such file or folder: nowhere"),
        (["ingest", "empty"], 1, "Nothing to index in empty"),
        (["ask", "x"], 1, "No index in .rag-dolly"),
        (["ask", ""], 2, "question is empty"),
        (["ask"], 2, "question is empty"),
        (["search", "  "], 1, "No index"),
        (["frobnicate"], 2, "frobnicate"),
        (["ask", "x", "--top-k", "zero"], 2, "--top-k"),
        (["search", "--queries", "q.jsonl"], 1, "No index"),
    ],
)
def test_bad_input_is_one_line_and_makes_nothing(rag_dolly, tmp_path, arguments, code, says):
    (tmp_path / "empty").mkdir()
    assert says in one_line(rag_dolly(*arguments, code=code))
    assert not (tmp_path / ".rag-dolly").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ask", "x " * 15000, "--model", "none"], 1, "characters"),
        (["ask", "how tall is the lighthouse", "--model", "no-such-model", "--offline"], 1, "no-such-model"),
        (["ask", "how tall is the lighthouse", "--model", "nobody/no-such-model", "--offline"], 1, "no-such-model"),
        (["ask", "how tall is the lighthouse", "--model", "missing.gguf"], 1, "missing.gguf"),
        (["ask", "x", "--embedder", "nobody/none", "--offline"], 1, "nobody/none"),
        (["search", "  "], 2, "question is empty"),
        (["search", "--queries", "nowhere.jsonl", "--run", "r"], 1, "nowhere.jsonl"),
        (["search", "--queries", "nowhere.jsonl"], 2, "--run"),
    ],
)
def test_bad_input_leaves_the_index_as_it_was(indexed, arguments, code, says):
    before = indexed("ls", "--json").stdout
    assert says in one_line(indexed(*arguments, code=code))
    assert indexed("ls", "--json").stdout == before


def test_settings_come_from_file_environment_and_flags(indexed, tmp_path):
    (tmp_path / "rag-dolly.toml").write_text('model = "none"\ntop_k = 2\n')
    ask = ("ask", "How tall is the lighthouse?", "--json")
    assert len(json.loads(indexed(*ask).stdout)["retrieved"]) == 2
    assert len(json.loads(indexed(*ask, RAG_DOLLY_TOP_K="3").stdout)["retrieved"]) == 3
    assert len(json.loads(indexed(*ask, "--top-k", 4, RAG_DOLLY_TOP_K="3").stdout)["retrieved"]) == 4
    assert "'top_k' is 'many'" in one_line(indexed(*ask, code=2, RAG_DOLLY_TOP_K="many"))
    (tmp_path / "rag-dolly.toml").write_text('modell = "none"\n')
    assert "Unknown setting 'modell'" in one_line(indexed(*ask, code=2))


def test_a_settings_file_cannot_send_questions_to_another_machine(indexed, tmp_path):
    """It may have come with somebody else's folder."""
    (tmp_path / "rag-dolly.toml").write_text('model = "https://models.example/v1"\n')
    ask = ("ask", "How tall is the lighthouse?", "--json")
    assert "names the model server models.example" in one_line(indexed(*ask, code=2))
    assert json.loads(indexed(*ask, "--model", "none").stdout)["mode"] == "quoted"


def test_an_index_in_use_is_said_at_once(indexed, tmp_path):
    from ingest.writing import writing

    with writing(tmp_path / ".rag-dolly"):
        assert "another process" in one_line(indexed("ingest", "samples", code=1))


def test_documents_cannot_write_to_the_terminal(rag_dolly, folder):
    (folder / "evil\x1b[31m.txt").write_text("The password of the vault \x1b]0;owned\x07 is seven.")
    rag_dolly("ingest", "samples")
    ended = rag_dolly("ask", "What is the password of the vault?", "--model", "none")
    assert "\x1b" not in ended.stdout + ended.stderr and "seven" in ended.stdout
