"""Passages: exact offsets, never over the limit, along the structure."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import loaders
from ingest.chunk import chunk, context_line, embedding_text
from ingest.passage import Block, Document
from ingest.sentences import sentence_spans


def words(text):
    return [match.span() for match in re.finditer(r"\S+", text)]


def one_block(text, kind="text"):
    return Document("a.txt", "text", "", text, (Block(0, len(text), kind),))


@given(st.text(alphabet="ab .\n!?漢。", max_size=400).filter(str.strip))
def test_every_passage_is_a_slice_of_the_document_and_nothing_visible_is_lost(text):
    text = text.strip()
    passages = chunk(one_block(text), words, 12)
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip()
        assert len(words(passage.text)) <= 12
    assert "".join("".join(p.text.split()) for p in passages) == "".join(text.split())


def test_headings_become_the_path_and_are_not_repeated_in_the_text():
    markdown = b"# A\n\nfirst\n\n## B\n\nsecond\n\n## C\n\nthird\n\n# D\n\nfourth\n"
    passages = chunk(loaders.load("x.md", markdown), words, 50)
    assert [(p.heading, p.text) for p in passages] == [
        (("A",), "first"),
        (("A", "B"), "second"),
        (("A", "C"), "third"),
        (("D",), "fourth"),
    ]
    assert [p.ordinal for p in passages] == [0, 1, 2, 3]


def test_the_heading_path_counts_towards_the_limit():
    text = " ".join(f"w{i}" for i in range(100))
    document = loaders.load("x.md", f"# a heading of five words\n\n{text}\n".encode())
    passages = chunk(document, words, 20)
    assert len(passages) > 5
    for passage in passages:
        assert len(words(embedding_text(document.title, passage))) <= 20


def test_long_text_is_cut_into_balanced_parts_between_sentences():
    text = " ".join(f"This is sentence number {i}." for i in range(12))
    sizes = [len(words(p.text)) for p in chunk(one_block(text), words, 50)]
    assert len(sizes) == 2 and max(sizes) - min(sizes) <= 5
    assert all(p.text.endswith(".") for p in chunk(one_block(text), words, 50))


def test_code_is_cut_between_lines():
    code = "\n".join(f"line {i} = {i}" for i in range(30))
    for passage in chunk(one_block(code, "code"), words, 20):
        assert all(re.fullmatch(r"line \d+ = \d+", line) for line in passage.text.splitlines())


def test_passages_do_not_cross_pages():
    text = "one page\n\ntwo page\n\n"
    document = Document("a.pdf", "pdf", "", text, (Block(0, 8), Block(10, 18)), (0, 10))
    assert [(p.page, p.text) for p in chunk(document, words, 50)] == [(1, "one page"), (2, "two page")]


def test_a_document_of_headings_only_is_still_found():
    assert [p.text for p in chunk(loaders.load("x.md", b"# Only\n\n## Headings\n"), words, 50)] != []


def test_the_title_stands_in_where_there_is_no_heading():
    assert context_line("Title", ()) == "Title"
    assert context_line("Title", ("A", "B")) == "A > B"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Finch met Mr. Hale. They spoke.", ["Dr. Finch met Mr. Hale.", "They spoke."]),
        ("It costs 3.50 euros. J. S. Bach paid.", ["It costs 3.50 euros.", "J. S. Bach paid."]),
        ("e.g. this one is whole.", ["e.g. this one is whole."]),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
        ("It prints `Hello! You.` here. So it is.", ["It prints `Hello! You.` here.", "So it is."]),
        ("A stray ` is one. It is\n- not `code`", ["A stray ` is one.", "It is", "- not `code`"]),
        ("A lone ` is one. `Two` is two.", ["A lone ` is one.", "`Two` is two."]),
        ("Press the ` key. Then wait. The ` key is up.", ["Press the ` key.", "Then wait.", "The ` key is up."]),
        ("He said `yes.' She said `no.'", ["He said `yes.'", "She said `no.'"]),
        ("All `a. B`s are so. More.", ["All `a. B`s are so.", "More."]),
        ("```rust\nBe. It\n```\n\nMore.", ["```rust\nBe.", "It\n```", "More."]),
        ("蜜蜂住在蜂箱里。它们采蜜。", ["蜜蜂住在蜂箱里。", "它们采蜜。"]),
        ("Intro:\n- first item\n- second item", ["Intro:", "- first item", "- second item"]),
    ],
)
def test_sentences(text, sentences):
    assert [text[a:b] for a, b in sentence_spans(text)] == sentences
