"""The examples of docs/serve.md, run as they stand there but for the port."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ingest.index import Index
from ingest.sync import ingest_paths
from tests.server.running import chain_over, serving

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "serve.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def served(tmp_path_factory, bundled):
    place = tmp_path_factory.mktemp("documented") / "index"
    ingest_paths([DOCS / "ingest.md"], place, bundled)
    opened = Index.open(place, bundled)
    with serving(chain_over(opened)) as found:
        yield found
    opened.close()


def examples(language, port):
    return [code.replace("8000", str(port)) for found, code in FENCE.findall(PAGE) if found == language]


def test_the_python_examples_run(served, capsys):
    namespace = {}
    for code in examples("python", served.port):
        exec(compile(code, "serve.md", "exec"), namespace)
    assert "listed as failed" in capsys.readouterr().out and namespace["chunk"].mode == "quoted"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_examples_run(served):
    asked = [code for code in examples("sh", served.port) if code.startswith("curl")]
    said = [subprocess.run(["sh", "-c", f"{code.rstrip()} -sS"], capture_output=True, text=True) for code in asked]
    assert [ended.returncode for ended in said] == [0] * 4
    whole, stream, search, metrics = (ended.stdout for ended in said)
    assert "listed as failed" in json.loads(whole)["choices"][0]["message"]["content"]
    assert stream.endswith("data: [DONE]\n\n") and json.loads(search)["hits"][0]["source"] == "ingest.md"
    assert "rag_dolly_answers_total" in metrics


def test_what_the_page_names_is_there(served):
    with served.http() as client:
        text = client.get("/metrics").text
        for method, path in re.findall(r"^\| `(GET|POST) (/\S+)`", PAGE, re.MULTILINE):
            assert client.request(method, path).status_code in (200, 400)
    section = PAGE.split("## Metrics for Prometheus")[1].split("```")[0]
    names = [name for name in re.findall(r"`(\w+)`", section) if name != "rag_dolly_"]
    assert len(names) >= 9 and all(f"# TYPE rag_dolly_{name} " in text for name in names)
