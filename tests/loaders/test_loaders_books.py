"""EPUB books and RTF."""

import io
import zipfile

import pytest
from document_check import check
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import UnreadableFile
from ingest.loaders import load
from ingest.loaders import rtf as rtf_loader

CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>{}</rootfiles></container>'
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{}</body></html>'


def parts(document):
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def book(pages: dict[str, str], spine: str = "", manifest: str = "", **members: str) -> bytes:
    """Return a book with a page for each body in `pages`, under OEBPS/text, in that order unless `spine` says else."""
    items = "".join(f'<item id="{name}" href="text/{name}" media-type="application/xhtml+xml"/>' for name in pages)
    spine = spine or "".join(f'<itemref idref="{name}"/>' for name in pages)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>The  Book</dc:title><dc:creator>Ada L.</dc:creator></metadata>"
        f"<manifest>{items}{manifest}</manifest><spine>{spine}</spine></package>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER.format('<rootfile full-path="OEBPS/book.opf"/>'))
        archive.writestr("OEBPS/book.opf", members.pop("package", package))
        for name, body in pages.items():
            archive.writestr(f"OEBPS/text/{name}", XHTML.format(body))
        for name, text in members.items():
            archive.writestr(f"{'META-INF' if name == 'encryption' else 'OEBPS'}/{name}.xml", text)
    return buffer.getvalue()


def test_chapters_come_in_the_order_of_the_spine(checked):
    pages = {
        "b.xhtml": "<h1>Two</h1><p>second</p>",
        "a.xhtml": '<h1>One</h1><script src="x"/><p>first<a id="x"/></p><ul><li>item</li></ul>',
        "n.xhtml": "<p>a note</p>",
        "c.xhtml": "<p>goes on</p>",
    }
    order = (("a", ""), ("n", ' linear="no"'), ("b", ""), ("c", ""))
    spine = "".join(f'<itemref idref="{name}.xhtml"{more}/>' for name, more in order)
    document = checked(load("a.epub", book(pages, spine)))
    assert parts(document) == [
        ("heading", "One"),
        ("text", "first"),
        ("list", "- item"),
        ("heading", "Two"),
        ("text", "second"),
        ("text", "goes on"),
        ("text", "a note"),
    ]
    assert [(place.kind, place.number) for place in document.places] == [("section", n) for n in (1, 3, 4, 2)]
    assert document.title == "The Book (Ada L.)" and document.kind == "epub"


def test_the_table_of_contents_gives_headings_and_is_not_read(checked):
    pages = {"nav.xhtml": "", "a b.xhtml": "<p>Chapter one</p><p>words</p>", "c.xhtml": "<h2>Own</h2><p>more</p>"}
    manifest = '<item id="nav" href="nav.xml" media-type="application/xhtml+xml" properties="nav"/>'
    links = '<li><a href="text/a%20b.xhtml">Chapter One</a></li><li><a href="text/c.xhtml">Other</a></li>'
    nav = XHTML.format(f"<nav><ol>{links}</ol></nav>")
    spine = '<itemref idref="nav"/><itemref idref="a b.xhtml"/><itemref idref="c.xhtml"/>'
    document = checked(load("a.epub", book(pages, spine, manifest, nav=nav)))
    assert parts(document) == [("heading", "Chapter One"), ("text", "words"), ("heading", "Own"), ("text", "more")]


def test_tables_in_books_name_their_columns(checked):
    rows = "<tr><th>Region</th><th>Q1</th></tr><tr><td>North</td><td>120</td></tr><tr><td>South</td><td>80</td></tr>"
    document = checked(load("a.epub", book({"a.xhtml": f"<table>{rows}</table>"})))
    assert document.text == "Region: North | Q1: 120\nRegion: South | Q1: 80"


def test_missing_chapters_are_told(checked):
    spine = '<itemref idref="gone"/><itemref idref="elsewhere"/><itemref idref="a.xhtml"/>'
    manifest = '<item id="elsewhere" href="../../../x.xhtml" media-type="application/xhtml+xml"/>'
    document = checked(load("a.epub", book({"a.xhtml": "<p>words</p>"}, spine, manifest)))
    assert document.text == "words"
    assert [warning.split(":")[0] for warning in document.warnings] == [
        "section 1 could not be read",
        "section 2 could not be read",
    ]


def test_drm_is_told_and_obfuscated_fonts_are_none():
    locked = (
        '<encryption><EncryptedData><CipherData><CipherReference URI="{}"/></CipherData></EncryptedData></encryption>'
    )
    pages = {"a.xhtml": "<p>words</p>"}
    with pytest.raises(UnreadableFile, match="encrypted: the EPUB book is under DRM"):
        load("a.epub", book(pages, encryption=locked.format("OEBPS/text/a.xhtml")))
    assert load("a.epub", book(pages, encryption=locked.format("OEBPS/fonts/a.otf"))).text == "words"


def test_broken_books_give_a_reason():
    pages = {"a.xhtml": "<p>words</p>"}
    with pytest.raises(UnreadableFile, match="broken"):
        load("a.epub", book(pages, package="<package"))
    with pytest.raises(UnreadableFile, match="XML entities are refused"):
        load("a.epub", book(pages, package='<!DOCTYPE p [<!ENTITY e "x">]><package>&e;</package>'))
    with pytest.raises(UnreadableFile, match="no text"):
        load("a.epub", book({"a.xhtml": ""}))


def rtf(body: bytes) -> bytes:
    return b"{\\rtf1\\ansi\\ansicpg1252\\deff0" + body + b"}"


def test_rtf_structure(checked):
    body = (
        rb"{\fonttbl{\f0 Times;}}{\stylesheet{\s0 Normal;}{\s3 heading 2;}}{\info{\title The  title}{\author Ada}}"
        rb"{\header Acme}{\footer Page {\field{\*\fldinst { PAGE }}{\fldrslt 7}}}"
        rb"\pard\outlinelevel0 First\par\pard\s3 Second\par\pard Text{\footnote\pard a note} goes\line on.\par"
        rb"{\listtext\'b7\tab}\pard one\par{\listtext 2.\tab}\pard\ilvl1 two\par"
        rb"\trowd\trhdr\cellx1\cellx2\pard\intbl Region\cell Sales\cell\row"
        rb"\trowd\clvmgf\cellx1\cellx2\intbl North\cell 120\cell\row"
        rb"\trowd\clvmrg\cellx1\cellx2\intbl\cell 130\cell\row"
        rb"\pard{\*\atnauthor Bob}{\*\annotation Really?}Last."
    )
    document = checked(load("a.rtf", rtf(body)))
    assert parts(document) == [
        ("heading", "First"),
        ("heading", "Second"),
        ("text", "Text goes\non."),
        ("text", "Footnote: a note"),
        ("list", "- one\n  2. two"),
        ("table", "Region: North | Sales: 120\nRegion: North | Sales: 130"),
        ("text", "Last."),
        ("heading", "Comments"),
        ("text", "Bob: Really?"),
        ("heading", "Headers and footers"),
        ("text", "Acme"),
    ]
    assert [b.level for b in document.blocks][:2] == [1, 2]
    assert document.title == "The title" and not document.warnings


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb"caf\'e9 \'80 \emdash\~x", "café € —\u00a0x"),
        (rb"\ansicpg1251 \'cf\'f0\'e8", "При"),
        (rb"{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}}\'e9{\f1 \'cf}\'e9", "éПé"),
        (rb"{\fonttbl{\f0\fcharset128 A;}}\f0 \'83A\'83\\\'82\'a0", "アソあ"),
        (rb"\u1081? \u8364\'80 \uc2\u1081ab.\uc0\u1081.", "й € й.й."),
        (rb"\u-10179?\u-8704? \u-10179?x", "😀 \ufffdx"),
        (rb"shown{\v secret}{\deleted secret}{\*\unknown secret}\v secret\v0{\pict ffff} too", "shown too"),
        (rb"a{\pict\bin9 }}}secret}b\bin3 {{{c", "abc"),
        (rb"{\field{\*\fldinst HYPERLINK secret}{\fldrslt a link}}", "a link"),
        (rb"{\shp{\*\shpinst{\sp{\sn secret}}{\shptxt boxed\par}}{\shprslt secret}}x", "x\n\nboxed"),
        (b"\\{a\\}\r\n\\\\b\\_c\\-d", "{a}\\b-cd"),
    ],
)
def test_rtf_characters(body, text, checked):
    assert checked(load("a.rtf", rtf(body))).text == text


def test_rtf_that_is_cut_is_read_as_far_as_it_goes(checked):
    document = checked(load("a.rtf", rtf(rb"{\pict\picwgoal3000\pichgoal3000 ff}words {\b and more")))
    assert document.text == "words and more"
    assert document.warnings == (
        "the file ends in the middle: what would have followed is missing",
        "not read: 1 picture",
    )


def test_hostile_rtf_ends():
    with pytest.raises(UnreadableFile, match="nested"):
        load("a.rtf", rtf(b"{" * 1_000_000))
    assert load("a.rtf", rtf(rb"x\bin9999999999 y")).text == "x"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            r"{ } \par \pard \cell \row \trowd \cellx1 \clvmrg \intbl text \'e4 \u-10179? \* {\footnote {\header \v "
            r"{\stylesheet {\fonttbl \fcharset2 \s1 {\fldinst·PAGE} \fldrslt {\listtext "
            r"\bin3 \ \ilvl99 \uc0 \'".split()
        ),
        max_size=40,
    )
)
def test_any_rtf_keeps_the_promises(tokens):
    check(rtf_loader.load("a.rtf", rtf(" ".join(tokens).replace("·", " ").encode())))
