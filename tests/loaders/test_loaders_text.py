from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import UnreadableFile
from ingest.loaders import load


def parts(document):
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def test_blank_lines_separate_paragraphs(checked):
    document = checked(load("dir/notes.txt", b"\n \none\ntwo\n \t\n\n    indented\nthree  \n\n"))
    assert parts(document) == [("text", 0, "one\ntwo"), ("text", 0, "    indented\nthree")]
    assert document.title == "notes"


def test_offsets_are_those_of_the_file(tmp_path, checked):
    path = tmp_path / "a.txt"
    path.write_bytes("Zeile eins — ü\r\nzwei\r\n\r\nAbsatz 😀\rzwei\n".encode())
    document = checked(load("a.txt", path.read_bytes()))
    text = path.read_text(encoding="utf-8")
    assert [text[b.start : b.end] for b in document.blocks] == ["Zeile eins — ü\nzwei", "Absatz 😀\nzwei"]


def test_underlined_lines_are_headings(checked):
    document = checked(load("a.txt", b"My Title\n========\n\nIntro.\n\nPart\n----\nBody line.\n"))
    assert [(b.kind, b.level, b.title) for b in document.blocks] == [
        ("heading", 1, "My Title"),
        ("text", 0, ""),
        ("heading", 2, "Part"),
        ("text", 0, ""),
    ]
    assert document.title == "My Title"


def test_numbered_capitals_and_chapters_are_headings(checked):
    data = b"1. INTRODUCTION\n\nWords.\n\n2.1 SCOPE OF WORK\n\nWords.\n\nCHAPTER IV\n\nWords.\n\nBOOK ONE\n"
    document = checked(load("a.txt", data))
    assert [(b.level, b.title) for b in document.blocks if b.kind == "heading"] == [
        (1, "1. INTRODUCTION"),
        (2, "2.1 SCOPE OF WORK"),
        (2, "CHAPTER IV"),
    ]


def test_what_is_no_heading(checked):
    paragraphs = "a row\n---", "Name  Age\n----  ---\nBob   5", "12 USD 300", "-----", "1. Mix the FLOUR.", "LOUD LINE"
    data = "\n\n".join([*paragraphs, "2024 SALES UP"]).encode()
    document = checked(load("a.txt", data))
    assert [b.title for b in document.blocks if b.kind == "heading"] == ["a row"]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="aB1. \n\t=-\u3000é", max_size=120))
def test_all_words_are_in_blocks(text):
    try:
        document = load("a.txt", text.encode())
    except UnreadableFile:
        assert not text.strip()
        return
    covered = "".join(document.text[b.start : b.end] for b in document.blocks)
    assert "".join(covered.split()) == "".join(document.text.split())
