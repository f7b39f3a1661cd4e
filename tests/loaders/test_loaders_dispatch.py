import io
import subprocess
import sys
import zipfile

import pytest
from document_check import check
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import UnreadableFile
from ingest.loaders import SUFFIXES, kind_of, load


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a.txt", "text"),
        ("dir/a.TEXT", "text"),
        ("a.Md", "markdown"),
        ("a.markdown", "markdown"),
        ("a.html", "html"),
        ("a.HTM", "html"),
        ("a.xhtml", "html"),
        ("a.b.pdf", "pdf"),
        ("a.DOCX", "docx"),
        ("a.xyz", None),
        ("README", None),
        (".txt", None),
        ("dir.txt/file", None),
    ],
)
def test_kind_of_goes_by_the_suffix(source, kind):
    assert kind_of(source) == kind


def test_importing_the_table_loads_no_parser():
    heavy = "docx lxml pypdfium2 selectolax markdown_it charset_normalizer numpy PIL".split()
    script = (
        "import sys\nfrom ingest.loaders import kind_of\nkind_of('a.pdf')\n"
        f"loaded = [name for name in {heavy} if name in sys.modules]\nassert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_suffix_loads_text_or_says_why_not():
    for suffix, kind in SUFFIXES.items():
        if kind in ("pdf", "docx"):
            with pytest.raises(UnreadableFile, match="plain text"):
                load(f"a{suffix}", b"Only words.")
        else:
            assert load(f"a{suffix}", b"Only words.").kind == kind


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


def test_a_pdf_by_another_name_is_read_as_a_pdf(make_pdf, checked):
    data = make_pdf(lambda canvas: canvas.drawString(72, 700, "Hidden in plain sight."))
    for name in ("notes.txt", "notes.docx", "notes", "notes.xyz"):
        document = checked(load(name, data))
        assert (document.kind, document.source) == ("pdf", name)


def test_a_pdf_after_some_rubbish_is_read(make_pdf):
    data = make_pdf(lambda canvas: canvas.drawString(72, 700, "Late header."))
    assert "Late header." in load("a.pdf", b"HTTP/1.1 200 OK\r\n\r\n" + data).text


def test_a_word_document_by_another_name_is_read(make_docx, checked):
    data = make_docx(lambda document: document.add_paragraph("Words"))
    assert checked(load("a.pdf", data)).kind == "docx"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x89PNG\r\n\x1a\n....", "a PNG image"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "an old Microsoft Office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "an encrypted Office file"),
        (b"{\\rtf1 hello}", "an RTF document"),
        (b"PK\x03\x04broken", "a broken zip archive"),
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", "a sound"),
    ],
)
def test_what_was_found_is_named(data, found):
    for name in ("a.txt", "a.pdf", "a.xyz"):
        with pytest.raises(UnreadableFile, match=found):
            load(name, data)


@pytest.mark.parametrize(("part", "found"), [("xl/workbook.xml", "Excel"), ("ppt/presentation.xml", "PowerPoint")])
def test_zip_files_are_told_apart_by_what_they_hold(part, found):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(part, "<x/>")
    with pytest.raises(UnreadableFile, match=found):
        load("a.docx", buffer.getvalue())


def test_html_and_binary_named_pdf_are_named():
    with pytest.raises(UnreadableFile, match="kind pdf, found HTML"):
        load("a.pdf", b"<!DOCTYPE html><p>Not found")
    with pytest.raises(UnreadableFile, match="binary data"):
        load("a.pdf", bytes(range(256)) * 8)


def test_an_unknown_suffix_is_refused_with_the_list():
    with pytest.raises(UnreadableFile, match=r"one of \.txt.*found the suffix \.xyz"):
        load("a.xyz", b"words")


_HEADS = [
    b"",
    b"%PDF-1.7\n",
    b"PK\x03\x04",
    b"<html>",
    b"# ",
    b"---\n",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe\0\0",
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SUFFIXES)), st.sampled_from(_HEADS), st.binary(max_size=300))
def test_random_bytes_give_a_document_or_a_reason(suffix, head, tail):
    try:
        document = load("a" + suffix, head + tail)
    except UnreadableFile as error:
        assert str(error) and "\n" not in str(error)
    else:
        check(document)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_give_a_document_or_a_reason(data):
    whole = data.draw(st.sampled_from(_whole_files()))
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.sampled_from([len(whole), len(whole) // 2, len(whole) - 30]))]
    try:
        check(load("a.bin", bytes(damaged)))
    except UnreadableFile as error:
        assert str(error) and "\n" not in str(error)


def _whole_files(cache=[]):  # noqa: B006  built once
    if not cache:
        import docx
        from reportlab.pdfgen.canvas import Canvas

        pdf, word = io.BytesIO(), io.BytesIO()
        canvas = Canvas(pdf, pageCompression=0, invariant=True)
        canvas.drawString(72, 700, "A page of words.")
        canvas.save()
        document = docx.Document()
        document.add_heading("Head", 1)
        document.add_paragraph("Words.")
        document.save(word)
        cache += [pdf.getvalue(), word.getvalue()]
    return cache
