"""From the bytes of a file to its passages: exact, complete, in order and never too long, whatever the file says."""

import csv
import io
import json
import re
from itertools import pairwise

import pytest
from document_check import check
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.chunk import chunk, embedding_text
from ingest.embed import open_embedder
from ingest.errors import UnreadableFile
from ingest.loaders import load

LETTERS = "abcdeABZ019 éßñ漢字かな한글ابגש😀\u0301\u200b\u2028\x85\ufffd_-*#`|<>&\"'=+.,;:!?()[]{}/\\~^$%@\t"
WORDS = st.text(LETTERS, min_size=1, max_size=60)
SENTENCES = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
LONG_WORD = st.integers(1, 900).map(lambda length: "ab漢 é한"[length % 6].strip() * length + "x")
CELL = st.one_of(WORDS, LONG_WORD, st.just(""))
LINES = st.lists(st.one_of(SENTENCES, LONG_WORD, st.just("")), min_size=1, max_size=12)
VALUES = st.recursive(
    st.one_of(SENTENCES, LONG_WORD, st.none(), st.booleans(), st.floats(), st.integers(), st.just("\ud83d")),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=12,
)


def csv_of(rows: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def lines_with(*marks: str) -> st.SearchStrategy[str]:
    """Lines of which some begin with a mark of the format."""
    line = st.tuples(st.sampled_from(["", *marks]), st.one_of(SENTENCES, LONG_WORD, st.just(""))).map("".join)
    return st.lists(line, min_size=1, max_size=16).map("\n".join)


def element(tag: str) -> st.SearchStrategy[str]:
    return SENTENCES.map(lambda text: f"<{tag}>{text}</{tag.split()[0]}>")


HTML = st.lists(st.one_of(SENTENCES, *map(element, "h1 h2 p li td pre div b table".split())), min_size=1).map("\n".join)
FILES = {
    "a.txt": LINES.map("\n".join),
    "a.md": lines_with("# ", "## ", "- ", "1. ", "> ", "    ", "```", "| a | ", "|---|---|", "***", "<p>", "[x]: "),
    "a.html": HTML,
    "a.csv": st.lists(st.lists(CELL, max_size=5), min_size=1, max_size=12).map(csv_of),
    "a.json": VALUES.map(json.dumps),
    "a.jsonl": st.lists(VALUES, min_size=1, max_size=5).map(lambda rows: "\n".join(map(json.dumps, rows))),
    "a.py": lines_with("def f(x): # ", "class A: # ", "    return ", "import ", "@", '"""', "# ", "async def g(): # "),
    "a.js": lines_with("function f(x) { // ", "}", "class A {", "    return ", "// ", "/* ", "*/"),
    "a.rst": lines_with("====", "----", "* ", ".. note:: ", ".. code:: x", "   ", "::", "+---+---+", "|", "=== ==="),
    "a.org": lines_with("* ", "** ", "- ", "| ", "#+BEGIN_SRC x", "#+END_SRC", "#+TITLE: ", "# ", ":PROPERTIES:"),
    "a.adoc": lines_with("= ", "== ", "* ", "|===", "----", "====", "// ", ". ", "[source]", "|"),
}


def by_words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w{1,8}|[^\w\s]", text)]


def prove(name: str, content: str, token_spans, limit: int) -> None:
    try:
        document = load(name, content.encode("utf-8", "surrogatepass"))
    except UnreadableFile as error:
        assert str(error) and "\n" not in str(error)
        return
    check(document)
    passages = chunk(document, token_spans, limit)
    text = document.text
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert all(text[passage.start : passage.end] == passage.text for passage in passages)
    assert all(passage.text.strip() and passage.text == passage.text.rstrip() for passage in passages)
    assert all(first.end <= second.start for first, second in pairwise(passages))
    assert all(len(token_spans(embedding_text(document.title, passage))) <= limit for passage in passages)
    said = [block for block in document.blocks if block.kind != "heading"] or document.blocks
    inside = {at for passage in passages for at in range(passage.start, passage.end)}
    meant = {at for block in said for at in range(block.start, block.end)}
    assert not [text[at] for at in sorted(meant - inside) if not text[at].isspace()]


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_passages_are_exact_complete_in_order_and_within_the_bound(name, data):
    prove(name, data.draw(FILES[name]), by_words, 40)


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv"])
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_bundled_tokenizer_is_bounded_too(name, data):
    embedder = open_embedder()
    prove(name, data.draw(FILES[name]), embedder.token_spans, 60)
