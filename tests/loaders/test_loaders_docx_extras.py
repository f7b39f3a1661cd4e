import io
import zipfile

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx_building import paragraph, parts, related, rewritten, run, with_body

from ingest.loaders import load


def test_notes_follow_what_refers_to_them(make_docx, checked):
    def reference(number: int) -> str:
        return f'<w:r><w:footnoteReference w:id="{number}"/></w:r>'

    notes = "".join(
        f'<w:footnote w:id="{number}"{kind}>{paragraph(f"note {number}")}</w:footnote>'
        for number, kind in ((-1, ' w:type="separator"'), (1, ""), (2, ""), (3, ""))
    )
    item = '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    xml = (
        f"<w:p>{run('One.')}{reference(2)}{reference(1)}</w:p>{paragraph('Two.')}"
        f"<w:p>{item}{run('item')}{reference(3)}</w:p>"
    )
    data = related(make_docx, xml, "footnotes", "footnotes.xml", f"<w:footnotes {nsdecls('w')}>{notes}</w:footnotes>")
    assert [text for _, _, text in parts(checked(load("a.docx", data)))] == [
        "One.",
        "Footnote: note 2",
        "Footnote: note 1",
        "Two.",
        "- item\n  Footnote: note 3",
    ]


def test_comments_and_running_heads_make_up_sections(make_docx, checked):
    def fill(document):
        said = document.add_paragraph("Body.")
        document.add_comment(said.runs, text="Is that so?", author="Ada L.")
        document.add_comment(said.runs, text="Nobody said this.", author="")
        document.sections[0].header.paragraphs[0].text = "Acme Ltd, confidential"
        document.sections[0].footer.paragraphs[0].text = "Acme Ltd, confidential"
        document.sections[0].different_first_page_header_footer = True
        page = '<w:fldSimple w:instr=" PAGE "><w:r><w:t>7</w:t></w:r></w:fldSimple>'
        first = document.sections[0].first_page_footer.paragraphs[0]._p
        for element in parse_xml(f"<w:p {nsdecls('w')}>{run('Page ')}{page}</w:p>"):
            first.append(element)

    document = checked(load("a.docx", make_docx(fill)))
    assert parts(document) == [
        ("text", 0, "Body."),
        ("heading", 1, "Comments"),
        ("text", 0, "Ada L.: Is that so?"),
        ("text", 0, "Nobody said this."),
        ("heading", 1, "Headers and footers"),
        ("text", 0, "Acme Ltd, confidential"),
    ]
    assert document.title == "a"


def test_merged_cells_stand_under_their_labels(make_docx, checked):
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    above, below = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    rows = [
        cell("Region") + cell("Year") + cell("Sales") + cell("Costs"),
        cell("North", above) + cell("2023") + cell("120", '<w:gridSpan w:val="2"/>'),
        cell("", below) + cell("2024") + cell("130") + cell("90"),
    ]
    xml = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    assert parts(checked(load("a.docx", with_body(make_docx, xml)))) == [
        (
            "table",
            0,
            "Region: North | Year: 2023 | Sales: 120\nRegion: North | Year: 2024 | Sales: 130 | Costs: 90",
        )
    ]


def test_a_formula_is_read_in_one_line(make_docx, checked):
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"

    def part(name: str, text: str) -> str:
        return f"<m:{name}><m:r><m:t>{text}</m:t></m:r></m:{name}>"

    formula = f'<m:oMath xmlns:m="{math}"><m:f>{part("num", "a")}{part("den", "b")}</m:f></m:oMath>'
    assert checked(load("a.docx", with_body(make_docx, f"<w:p>{run('x = ')}{formula}</w:p>"))).text == "x = a/b"


def test_charts_are_read_and_large_pictures_counted(make_docx, checked):
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def drawn(kind: str, size: int, inner: str = "") -> str:
        return (
            f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{drawing}/wordprocessingDrawing" xmlns:a="{drawing}/main">'
            f'<wp:extent cx="{size}" cy="{size}"/><a:graphic><a:graphicData uri="{drawing}/{kind}">{inner}'
            "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
        )

    def points(*values: str) -> str:
        return "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values))

    chart = (
        f'<c:chartSpace xmlns:c="{drawing}/chart"><c:ptCount val="2000000000"/><c:ser><c:tx><c:v>Sales</c:v></c:tx>'
        f"<c:cat>{points('North', 'South')}</c:cat><c:val>{points('0.30000000000000004', '12')}</c:val></c:ser>"
        "</c:chartSpace>"
    )
    reference = f'<c:chart xmlns:c="{drawing}/chart" xmlns:r="{relation}" r:id="%s"/>'
    xml = (
        drawn("picture", 3_000_000) + drawn("picture", 200_000) + drawn("chart", 1, reference % "rX")
        + drawn("chart", 1, reference % "rMissing")
    )  # fmt: skip
    document = checked(load("a.docx", related(make_docx, xml, "chart", "chart1.xml", chart)))
    assert [text for _, _, text in parts(document)] == ["Chart", "North | Sales: 0.3\nSouth | Sales: 12"]
    assert document.warnings == ("not read: 1 picture", "not read: 1 drawing")


def test_a_document_with_macros_is_a_document(make_docx):
    data = make_docx(lambda document: document.add_paragraph("words"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        types = archive.read("[Content_Types].xml").decode()
    plain = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    macros = types.replace(plain, "application/vnd.ms-word.document.macroEnabled.main+xml")
    assert macros != types
    assert load("a.docx", rewritten(data, {"[Content_Types].xml": macros.encode()})).text == "words"
