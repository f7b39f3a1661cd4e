"""Filters, folded copies and what did not fit, on the command line."""

import json

import pytest

from tests.cli.test_cli import indexed, made_once, rag_dolly  # noqa: F401  fixtures


def sources(ended):
    return {hit["source"] for hit in json.loads(ended.stdout)["hits"]}


def test_search_only_where_the_filter_says(indexed):  # noqa: F811
    everywhere = indexed("search", "how tall is the lighthouse", "--json")
    assert {"bees.md", "guide/lighthouse.txt"} <= sources(everywhere)
    guide = indexed("search", "how tall is the lighthouse", "--filter", "folder:guide", "--json")
    assert sources(guide) == {"guide/lighthouse.txt", "guide/tea.html"}
    both = ("--filter", "folder:guide", "--filter", "kind:html")
    assert sources(indexed("search", "how tall is the lighthouse", *both, "--json")) == {"guide/tea.html"}


def test_ask_only_where_the_filter_says(indexed):  # noqa: F811
    ask = ("ask", "How tall is the lighthouse?", "--model", "none", "--json")
    answer = json.loads(indexed(*ask, "--filter", 'source:"guide/light*"').stdout)
    assert "42 metres" in answer["answer"] and answer["left_out_hits"] == []
    assert {hit["source"] for hit in answer["retrieved"]} == {"guide/lighthouse.txt"}
    elsewhere = json.loads(indexed(*ask, "--filter", "kind:markdown", code=4).stdout)
    assert {hit["source"] for hit in elsewhere["retrieved"]} == {"bees.md"}


def test_a_run_file_under_a_filter(indexed, tmp_path):  # noqa: F811
    (tmp_path / "q.jsonl").write_text('{"_id": "q1", "text": "honey"}\n')
    indexed("search", "--queries", "q.jsonl", "--run", "out.trec", "--filter", "folder:guide")
    assert {line.split()[2] for line in (tmp_path / "out.trec").read_text().splitlines()} == {
        "guide/lighthouse",
        "guide/tea",
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["search", "x", "--filter", "author:me"], "'author'"),
        (["search", "x", "--filter", "kind:"], "no value"),
        (["search", "x", "--filter", "kind:pdf"], "The kinds there are: html, markdown, text."),
        (["ask", "x", "--model", "none", "--filter", "since:soon"], "no date"),
        (["ask", "x", "--model", "none", "--filter", "source:tea.html"], "Did you mean source:guide/tea.html?"),
        (["chat", "--model", "none", "--filter", "pdf"], "not understood"),
    ],
)
def test_a_filter_that_cannot_be_used_is_wrong_usage(indexed, arguments, says):  # noqa: F811
    ended = indexed(*arguments, code=2)
    said = [line for line in ended.stderr.splitlines() if not line.startswith("Model: ")]  # which may load meanwhile
    assert len(said) == 1 and said[0].startswith("rag-dolly: ") and says in said[0]


def test_copies_are_shown_once_with_all_their_places(rag_dolly, folder):  # noqa: F811
    (folder / "copy.txt").write_text((folder / "guide/lighthouse.txt").read_text())
    rag_dolly("ingest", "samples")
    found = json.loads(rag_dolly("search", "how tall is the lighthouse", "--json").stdout)["hits"]
    assert {found[0]["source"], found[0]["also"][0].partition(",")[0]} == {"copy.txt", "guide/lighthouse.txt"}
    assert "also in: " in rag_dolly("search", "how tall is the lighthouse").stdout
    assert "also in: " in rag_dolly("ask", "How tall is the lighthouse?", "--model", "none").stdout
