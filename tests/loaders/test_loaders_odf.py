import io
import zipfile

import pytest

from ingest.errors import UnreadableFile
from ingest.loaders import load

NAMES = {
    "office": "office", "text": "text", "table": "table", "draw": "drawing", "style": "style",
    "presentation": "presentation", "svg": "svg-compatible",
}  # fmt: skip
DECLARED = (
    " ".join(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for short, name in NAMES.items())
    + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{}</manifest:manifest>'
)


def parts(document):
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def opendocument(kind: str, body: str, automatic: str = "", **members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}", zipfile.ZIP_STORED)
        styled = f"<office:automatic-styles>{automatic}</office:automatic-styles>"
        content = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
        xml = f"<office:document-content {DECLARED}>{styled}{content}</office:document-content>"
        archive.writestr("content.xml", members.pop("content", xml))
        archive.writestr("META-INF/manifest.xml", members.pop("manifest", MANIFEST.format("")))
        for name, text in members.items():
            archive.writestr(f"{name}.xml", f"<office:document {DECLARED}>{text}</office:document>")
    return buffer.getvalue()


def p(text: str) -> str:
    return f"<text:p>{text}</text:p>"


def test_an_opendocument_text_in_order(checked):
    def item(inner: str) -> str:
        return f"<text:list-item>{inner}</text:list-item>"

    body = (
        '<text:p text:style-name="P1">The title</text:p>'
        '<text:h text:outline-level="2">Part <text:span>one</text:span></text:h>'
        + p('  Some\n <text:s text:c="2"/>text<text:line-break/>and <text:a>more</text:a>.')
        + f"<text:list>{item(p('one') + '<text:list>' + item(p('below')) + '</text:list>')}{item(p('two'))}</text:list>"
        + p(f"With note<text:note text:note-class='footnote'><text:note-citation>1</text:note-citation>"
            f"<text:note-body>{p('the note')}</text:note-body></text:note>.")
        + p(f"Said<office:annotation><dc:creator>Ada</dc:creator>{p('Really?')}</office:annotation>.")
    )  # fmt: skip
    styles = '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>'
    running = f"<style:header>{p('Acme')}</style:header><style:footer>{p('<text:page-number>1</text:page-number>')}"
    document = checked(load("a.odt", opendocument("text", body, styles, styles=f"{running}</style:footer>")))
    assert parts(document) == [
        ("heading", "The title"),
        ("heading", "Part one"),
        ("text", "Some   text\nand more."),
        ("list", "- one\n  - below\n- two"),
        ("text", "With note."),
        ("text", "Footnote: the note"),
        ("text", "Said."),
        ("heading", "Comments"),
        ("text", "Ada: Really?"),
        ("heading", "Headers and footers"),
        ("text", "Acme"),
    ]
    assert [b.level for b in document.blocks][:2] == [1, 2]
    assert document.title == "The title" and document.kind == "odt"


def test_hidden_and_deleted_text_is_left_out_of_opendocument(checked):
    body = (
        f"<text:tracked-changes><text:changed-region><text:deletion>{p('secret')}</text:deletion></text:changed-region>"
        f"</text:tracked-changes>{p('kept')}"
        + '<text:p text:style-name="H">secret</text:p><text:section text:display="none"><text:p>secret</text:p>'
        + "</text:section>"
        + p('shown <text:span text:style-name="H">secret</text:span>too')
        + p('<text:hidden-paragraph text:is-hidden="true"/>secret')
    )
    styles = '<style:style style:name="H"><style:text-properties text:display="none"/></style:style>'
    assert checked(load("a.odt", opendocument("text", body, styles))).text == "kept\n\nshown too"


def test_opendocument_tables_name_their_columns_and_repeats_are_bounded(checked):
    def cell(text: str, extra: str = "") -> str:
        return f"<table:table-cell {extra}>{p(text) if text else ''}</table:table-cell>"

    def row(*cells: str, extra: str = "") -> str:
        return f"<table:table-row {extra}>{''.join(cells)}</table:table-row>"

    wide = 'table:number-columns-repeated="16384"'
    rows = (
        row(cell("Region"), cell("Q1"), cell("Q2"), cell("", wide))
        + row(cell("North", 'table:number-rows-spanned="2"'), cell("120", 'table:number-columns-repeated="2"'))
        + row("<table:covered-table-cell/>", cell("130"), cell("90"))
        + row(cell("secret"), extra='table:visibility="collapse"')
        + row(cell("", wide), extra='table:number-rows-repeated="1048576"')
    )
    body = f"<table:table>{rows}</table:table>"
    document = checked(load("a.odt", opendocument("text", body)))
    assert document.text == "Region: North | Q1: 120 | Q2: 120\nRegion: North | Q1: 130 | Q2: 90"
    hostile = row(cell("x" * 1000, wide), extra='table:number-rows-repeated="1048576"')
    assert len(load("a.odt", opendocument("text", f"<table:table>{hostile}</table:table>")).text) < 5_000_000


def test_an_opendocument_presentation_has_slides(checked):
    def frame(kind: str, text: str) -> str:
        return f'<draw:frame presentation:class="{kind}"><draw:text-box>{p(text)}</draw:text-box></draw:frame>'

    notes = f"<presentation:notes>{frame('notes', 'say it')}</presentation:notes>"
    body = (
        f"<draw:page>{frame('title', 'First')}{frame('outline', 'words')}{frame('footer', 'Acme')}{notes}</draw:page>"
        f"<draw:page/><draw:page><draw:g><draw:custom-shape>{p('grouped')}</draw:custom-shape></draw:g>"
        f"{frame('footer', 'Acme')}</draw:page>"
    )
    document = checked(load("a.odp", opendocument("presentation", body)))
    assert parts(document) == [
        ("heading", "First"),
        ("text", "words"),
        ("text", "Acme"),
        ("text", "Notes: say it"),
        ("heading", "Slide 3"),
        ("text", "grouped"),
    ]
    assert len(document.page_starts) == 3 and document.kind == "odp" and document.title == "First"


def test_opendocument_files_that_cannot_be_read_say_why():
    locked = MANIFEST.format("<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>")
    with pytest.raises(UnreadableFile, match="encrypted"):
        load("a.odt", opendocument("text", p("x"), manifest=locked))
    entity = '<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>'
    with pytest.raises(UnreadableFile, match="XML entities are refused"):
        load("a.odt", opendocument("text", "", content=entity))
    with pytest.raises(UnreadableFile, match="broken"):
        load("a.odt", opendocument("text", "", content="<x"))
    with pytest.raises(UnreadableFile, match="no text"):
        load("a.odt", opendocument("text", ""))


def test_unread_parts_of_opendocument_are_counted(checked):
    picture = '<draw:frame svg:width="10cm" svg:height="80mm"><draw:image xlink:href="a.png"/></draw:frame>'
    embedded = '<draw:frame><draw:object xlink:href="./Object 1"/><draw:image xlink:href="b.png"/></draw:frame>'
    body = p(f"words{picture}{embedded}")
    assert checked(load("a.odt", opendocument("text", body))).warnings == (
        "not read: 1 picture",
        "not read: 1 embedded object",
    )
