import struct
import subprocess
import sys

import pytest
from document_check import check
from ole_file import make_ole
from seeds import make_zip, seeds

from ingest.errors import UnreadableFile
from ingest.loaders import SUFFIXES, kind_of, load, ole
from ingest.loaders.kinds import KINDS


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a.txt", "text"),
        ("dir/a.TEXT", "text"),
        ("a.log", "text"),
        ("a.Md", "markdown"),
        ("a.HTM", "html"),
        ("a.b.pdf", "pdf"),
        ("a.DOCX", "docx"),
        ("a.dotx", "docx"),
        ("a.XLSB", "xlsx"),
        ("a.tab", "csv"),
        ("a.ndjson", "jsonl"),
        ("a.asciidoc", "adoc"),
        ("a.R", "code"),
        ("a.yml", "code"),
        ("README", "text"),
        ("dir/License", "text"),
        ("Makefile", "code"),
        ("dir/Dockerfile", "code"),
        ("a.doc", "doc"),
        ("a.PPT", "ppt"),
        ("a.xyz", None),
        ("a.png", None),
        ("README.xyz", None),
        ("readme/file", None),
        (".txt", None),
        ("dir.txt/file", None),
    ],
)
def test_kind_of_goes_by_the_name(source, kind):
    assert kind_of(source) == kind


def test_suffixes_are_those_that_can_be_read():
    assert SUFFIXES["." + "docx"] == "docx" and not {".doc", ".ppt"} & set(SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
    listed = [suffix for kind in KINDS.values() for suffix in kind.suffixes.split()]
    assert len(listed) == len(set(listed))


def test_importing_the_table_loads_no_parser():
    heavy = "docx lxml pypdfium2 selectolax markdown_it charset_normalizer numpy PIL".split()
    script = (
        "import sys\nfrom ingest.loaders import kind_of\nkind_of('a.pdf')\n"
        f"loaded = [name for name in {heavy} if name in sys.modules]\nassert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.module])
def test_every_kind_is_read_under_all_its_suffixes_in_any_case(kind, checked):
    _, data = seeds()[kind]
    for suffix in KINDS[kind].suffixes.split():
        document = checked(load("dir/a" + suffix.upper(), data))
        assert (document.kind, document.source) == (kind, "dir/a" + suffix.upper())


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.has_mark and kind.module])
def test_a_kind_with_a_mark_is_read_by_any_name(kind, checked):
    _, data = seeds()[kind]
    for name in ("notes.txt", "notes.pdf", "notes.xlsx", "notes.md", "notes.py", "notes", "notes.xyz", "notes.doc"):
        assert checked(load(name, data)).kind == kind


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.has_mark])
def test_plain_text_under_the_name_of_a_kind_with_a_mark_is_refused(kind):
    for suffix in KINDS[kind].suffixes.split():
        with pytest.raises(UnreadableFile, match=f"kind {kind}, found plain text: rename or replace it"):
            load("a" + suffix, b"Only words.")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.pdf", "a.docx", "a.html", "a"])
@pytest.mark.parametrize("data", [b"", b" \n\t\r\n "])
def test_an_empty_file_is_refused(name, data):
    with pytest.raises(UnreadableFile, match="no text: the file is empty"):
        load(name, data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", b"<!-- only a comment -->\n"),
        ("a.md", b"---\ntitle: only front matter\n---\n"),
        ("a.html", b"<title>t</title><p hidden>x</p>"),
        ("a.txt", "\ufeff\n\n".encode()),
    ],
)
def test_a_file_without_words_is_refused(name, data):
    with pytest.raises(UnreadableFile, match="no text"):
        load(name, data)


def test_a_pdf_after_some_rubbish_is_read(make_pdf):
    data = make_pdf(lambda canvas: canvas.drawString(72, 700, "Late header."))
    assert "Late header." in load("a.pdf", b"HTTP/1.1 200 OK\r\n\r\n" + data).text


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x89PNG\r\n\x1a\n....", "found a PNG image"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "found a Microsoft Office or Outlook file of no known kind"),
        (b"PK\x03\x04broken", "found a broken zip archive"),
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", "found a sound"),
        (b"\x1f\x8b\x08words", "found a gzip archive: unpack it"),
        (make_zip({"word/document.xml": "<x/>", "notes.txt": "words"}), "found a zip archive: unpack it"),
        (make_ole({"EncryptedPackage": b"x" * 5000, "EncryptionInfo": b"x"}), "an encrypted Office file: save it"),
        (make_ole({"WordDocument": b"x" * 5000, "1Table": b"x"}), "an old Word document: save it as .docx"),
        (make_ole({"PowerPoint Document": b"x", "Current User": b"x"}), "an old PowerPoint presentation: save it as"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.doc", "a.ppt", "a.xyz", "README"])
def test_what_was_found_is_named(name, data, found):
    with pytest.raises(UnreadableFile, match=found):
        load(name, data)


@pytest.mark.parametrize(("part", "kind"), [("xl/workbook.xml", "xlsx"), ("ppt/presentation.xml", "pptx")])
def test_office_files_are_told_apart_by_their_parts(part, kind):
    data = make_zip({"[Content_Types].xml": "<x/>", part: "<x/>", "docProps/word/x": ""})
    with pytest.raises(UnreadableFile, match=kind):
        load("a.docx", data)


def test_a_name_inside_a_stream_or_a_folder_does_not_decide():
    quoted = "WordDocument".encode("utf-16-le") * 500
    assert ole.top_names(make_ole({"__properties_version1.0": quoted, "x": b"y"})) == {"__properties_version1.0", "x"}


def test_the_directory_of_a_large_ole_file_is_found():
    many = {f"stream {number}": bytes(9000) for number in range(900)}
    data = make_ole({**many, "PowerPoint Document": b"x"})
    assert len(data) > 8_000_000
    assert ole.top_names(data) == {*many, "PowerPoint Document"}
    assert ole.top_names(data[:-100_000]) <= {*many, "PowerPoint Document"}


def test_a_chain_of_sectors_in_a_circle_is_refused():
    _, data = seeds()["xls"]
    table = 512 * (1 + int.from_bytes(data[76:80], "little"))
    assert not ole.has_loop(data)
    for circle in ({0: 0}, {2: 2}, {0: 1, 1: 0}, {0: 2, 2: 1, 1: 0}):
        looped = bytearray(data)
        for sector, following in circle.items():
            struct.pack_into("<I", looped, table + 4 * sector, following)
        assert ole.has_loop(bytes(looped))
        with pytest.raises(UnreadableFile, match="a broken one"):
            load("a.xls", bytes(looped))


HTML = b"<!-- saved -->\n<!DOCTYPE html>\n<title>T</title><p>Words."
XML = b'<?xml version="1.0"?>\n<feed><p>Words.</p></feed>'
XHTML = b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html><body><p>Words.</p></body></html>'
NOTEBOOK = seeds()["ipynb"][1]


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.txt", HTML, "html"),
        ("a.md", "\ufeff<HTML lang=en><p>Words.".encode(), "html"),
        ("a.csv", "<html><p>Words.".encode("utf-16"), "html"),
        ("a.json", HTML, "html"),
        ("a.doc", HTML, "html"),
        ("a.xls", HTML, "html"),
        ("page", HTML, "html"),
        ("a.php", HTML, "code"),
        ("a.txt", b"How <html> is written: <!DOCTYPE html>", "text"),
        ("a.md", b"<p>Words</p>", "markdown"),
        ("a.txt", XML, "xml"),
        ("a.xls", XML, "xml"),
        ("a.conf", XML, "code"),
        ("a.xml", XHTML, "html"),
        ("a.xhtml", XML, "html"),
        ("a.txt", b"The declaration <?xml is first", "text"),
        ("a.json", NOTEBOOK, "ipynb"),
        ("a.txt", NOTEBOOK, "text"),
        ("a.json", b'{"nbformat": 4, "cells": 3}', "json"),
        ("a.json", b'{"x": "\\"nbformat\\" \\"cells\\""}', "json"),
        ("a.txt", b'{"a": 1}', "text"),
        ("a.txt", b"From: a@b.c\nSubject: no mail\n\nWords.", "text"),
        ("a.txt", b"From a@b.c Mon Jan  1 00:00:00 2024\nFrom: a@b.c\n\nWords.", "text"),
    ],
)
def test_texts_are_what_their_name_says_unless_their_start_says_otherwise(name, data, kind, checked):
    assert checked(load(name, data)).kind == kind


def test_html_and_binary_named_pdf_are_named():
    with pytest.raises(UnreadableFile, match="kind pdf, found HTML"):
        load("a.pdf", b"<!DOCTYPE html><p>Not found")
    with pytest.raises(UnreadableFile, match="binary data"):
        load("a.pdf", bytes(range(256)) * 8)


def test_an_unknown_suffix_is_refused_with_the_list():
    with pytest.raises(UnreadableFile, match=r"one of the kinds text, .* found the suffix \.xyz"):
        load("a.xyz", b"words")


def test_a_long_run_of_comments_is_no_trap():
    assert load("a.md", b"<!---->" * 500 + b"\n\nwords").text.endswith("words")


def test_whatever_a_document_is_it_keeps_its_promises():
    for name, data in seeds().values():
        check(load(name, data))
