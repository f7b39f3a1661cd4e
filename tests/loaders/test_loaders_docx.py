import io
import zipfile

import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx_building import paragraph, parts, rewritten, run, with_body

from ingest.errors import UnreadableFile
from ingest.loaders import load


def test_the_body_in_order(make_docx, checked):
    def fill(document):
        document.add_heading("The title", 0)
        document.add_heading("Part one", 1)
        document.add_paragraph("First\tparagraph\nwith a break.")
        document.add_paragraph("one", style="List Bullet")
        document.add_paragraph("two", style="List Number")
        table = document.add_table(2, 3)
        for index, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = f"c{index}"
        document.add_heading("Sub", 2)
        document.add_paragraph("")
        document.add_paragraph("Last.")

    document = checked(load("dir/a.docx", make_docx(fill)))
    assert parts(document) == [
        ("heading", 1, "The title"),
        ("heading", 1, "Part one"),
        ("text", 0, "First\tparagraph\nwith a break."),
        ("list", 0, "- one\n- two"),
        ("table", 0, "c0 | c1 | c2\nc3 | c4 | c5"),
        ("heading", 2, "Sub"),
        ("text", 0, "Last."),
    ]
    assert document.title == "The title"


def test_the_title_comes_from_the_properties(make_docx):
    def fill(document):
        document.core_properties.title = "  Proper  title "
        document.add_paragraph("x")

    assert load("a.docx", make_docx(fill)).title == "Proper title"
    assert load("dir/name.docx", make_docx(lambda document: document.add_paragraph("x"))).title == "name"


def test_styles_based_on_headings_and_outline_levels(make_docx):
    def fill(document):
        style = document.styles.add_style("Mine", 1)
        style.base_style = document.styles["Heading 2"]
        document.add_paragraph("By style", style="Mine")
        outlined = document.add_paragraph("By level")
        outlined._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="2"/>'))

    assert parts(load("a.docx", make_docx(fill))) == [("heading", 2, "By style"), ("heading", 3, "By level")]


def test_styles_that_go_in_circles_end(make_docx):
    def fill(document):
        one, two = document.styles.add_style("One", 1), document.styles.add_style("Two", 1)
        one.base_style, two.base_style = two, one
        document.add_paragraph("Round", style="One")

    assert parts(load("a.docx", make_docx(fill))) == [("text", 0, "Round")]


def test_hidden_and_deleted_text_is_left_out(make_docx, checked):
    xml = (
        f"<w:p>{run('kept')}<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>"
        f'<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t> shown</w:t></w:r>'
        f"<w:del>{run('secret')}</w:del><w:ins>{run(' added')}</w:ins><w:moveFrom>{run('secret')}</w:moveFrom>"
        "<w:r><w:instrText>secret</w:instrText></w:r></w:p>"
    )
    assert checked(load("a.docx", with_body(make_docx, xml))).text == "kept shown added"


def test_content_controls_and_text_boxes_are_read_once(make_docx, checked):
    box = f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent>"
    xml = (
        f"<w:sdt><w:sdtContent>{paragraph('controlled')}</w:sdtContent></w:sdt>"
        f"<w:p>{run('around')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    document = checked(load("a.docx", with_body(make_docx, xml)))
    assert [text for _, _, text in parts(document)] == ["controlled", "around", "boxed"]


def test_nested_tables_and_deleted_rows(make_docx, checked):
    def cell(inner: str) -> str:
        return f"<w:tc>{inner}<w:p/></w:tc>"

    inner = f"<w:tbl><w:tr>{cell(paragraph('in'))}{cell(paragraph('ner'))}</w:tr></w:tbl>"
    xml = (
        f"<w:tbl><w:tr>{cell(paragraph('a'))}{cell(inner)}</w:tr>"
        f"<w:tr><w:trPr><w:del/></w:trPr>{cell(paragraph('secret'))}</w:tr></w:tbl>"
    )
    assert parts(checked(load("a.docx", with_body(make_docx, xml)))) == [("table", 0, "a | in ner")]


def test_entities_are_refused(make_docx, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    data = make_docx(lambda document: [document.add_paragraph("PLACE"), document.add_paragraph("words")])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        head, rest = archive.read("word/document.xml").decode().split("?>", 1)
    for entity in (f'leak SYSTEM "{secret.as_uri()}"', 'leak "expanded"', f'% leak SYSTEM "{secret.as_uri()}"'):
        hostile = f"{head}?><!DOCTYPE x [<!ENTITY {entity}>]>" + rest.replace(
            "PLACE", "" if "%" in entity else "&leak;"
        )
        with pytest.raises(UnreadableFile, match="XML entities are refused"):
            load("a.docx", rewritten(data, {"word/document.xml": hostile.encode()}))


def test_an_entity_bomb_does_not_go_off(make_docx):
    data = make_docx(lambda document: document.add_paragraph("PLACE words"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        head, rest = archive.read("word/document.xml").decode().split("?>", 1)
    entities = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    hostile = f"{head}?><!DOCTYPE x [{entities}]>" + rest.replace("PLACE", "&e9;")
    with pytest.raises(UnreadableFile, match="entit"):
        load("a.docx", rewritten(data, {"word/document.xml": hostile.encode()}))


def test_a_zip_bomb_is_refused(make_docx):
    data = make_docx(lambda document: document.add_paragraph("x"))
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/image1.bin", bytes(80_000_000))
    with pytest.raises(UnreadableFile, match="zip bomb"):
        load("a.docx", buffer.getvalue())


def test_broken_documents_give_a_reason(make_docx):
    data = make_docx(lambda document: document.add_paragraph("x"))
    for broken in (data[: len(data) // 2], rewritten(data, {"word/document.xml": b"<w:document"})):
        with pytest.raises(UnreadableFile, match="broken"):
            load("a.docx", broken)


def test_an_empty_document_is_refused(make_docx):
    with pytest.raises(UnreadableFile, match="no text"):
        load("a.docx", make_docx(lambda document: None))
