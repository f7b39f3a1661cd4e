import base64
import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter
from document_check import check

from ingest.chunk import chunk
from ingest.errors import UnreadableFile
from ingest.loaders import delimited, spreadsheet
from ingest.loaders.table import read_table, table_lines
from ingest.passage import Document

_XLS = (
    "c-rk)O=uHA6#izCv`J{wq^3eEgix?*+e`K0rCk-YCu3U=iU^vTU`tCPYdq*dt2IYK@T7Pt^x~!J#UE7Ao1oC52SE^$dhAJ1@X%&`"
    "?`30C&7l!3D)TM#X6DU&J8$Q`ncdli`AA{ren$~MU;rMJoB$fCbc#}-QVE0F9fymR+)v3d_@@x?lOr2^c+&j3k$uSiE<)p;_XSB{"
    "k<xLTK_Z(;$2SoB#D=6|8~RBq+$K#3?P67{$WtOWiM%U4pNiZgnrkBasc%6Y!@QN~-t9*5QQawRA@F@43g^9O`p|}#9L1Net8!l-"
    "_S)mg$-lE9=54|($Zvz`OxjLP77!%|&f<#`2R>I;>hrkKZ>(N{^k3KN8*AuqXfH4Y=cEL9o&s{gQ(lCJ>{Qx5yNn)kH6+o(97&%Z"
    "&t@o2hx=IUBy}Qd=f)^MoIRHt3-bOf>p8q;JvU37H<3)CMamJ0_Au?(%XdD#IXF6Goe<5G?BV5|ek&UX2bY;a<dA5+(#}?P3!_Km"
    "6}jscDR+pBlF^iR4Yj$21Jlyys<d{|IJ*RIt!-81?NrV$4L^$IKUzDeJU3Xp5S@Ex&7hOsJSpPyHH}`?t8U$7Jhm#ia(9IfBHMr3"
    "A^bWlPvC*$zRp^(f}rRkqA1sRcGUNpcIS%Ox&~Vdo9E-1jL+;v#k!?epgQwBHFzH3@oZkyTw`90U9J68(_+JbZp8y0fOfQ11Yuxc"
    "U|?WiU|?YItKctP?S9dFSC1NesFeRYE0jv+H_3mC5oGDg(ZO^-GL+jmUswEWhEG-QrPj%*{4Zo2q0wzjU{vgws5^e?%%!TIXWhi`"
    "?^{Ckj$f+B&Obc<H$H~S(*"
)
"""Sheet "Orders", from row 2 on: Region, Q1, Q2; North, 120, 130.5; South, 7, TRUE. Written by xlwt."""


def _rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.split("\n")]


def _texts(text: str, usual: bool = False) -> list[str]:
    return [line.text for line in read_table(_rows(text), usual)]


def _words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def _csv(text: str | bytes, source: str = "table.csv") -> Document:
    document = delimited.load(source, text if isinstance(text, bytes) else text.encode())
    check(document)
    return document


def _xlsx(fill: Callable[[Any], None]) -> bytes:
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer)
    fill(workbook)
    workbook.close()
    return buffer.getvalue()


def _sheet(data: bytes, source: str = "book.xlsx") -> Document:
    document = spreadsheet.load(source, data)
    check(document)
    return document


def _one_sheet(rows: list[list[Any]], name: str = "Orders") -> Document:
    def fill(workbook: Any) -> None:
        sheet = workbook.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return _sheet(_xlsx(fill))


_ODS = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet>%s</office:spreadsheet></office:body></office:document-content>"""


def _ods(tables: str, manifest: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", _ODS % tables)
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
    return buffer.getvalue()


def _ods_row(*cells: str | float, repeated: int = 1) -> str:
    texts = [
        f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
        if isinstance(cell, float)
        else f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in cells
    ]
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(texts)}</table:table-row>'


# --- lines that describe themselves


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("Region,Q1,Q2\nNorth,120,130\nSouth,,8", ["Region: North | Q1: 120 | Q2: 130", "Region: South | Q2: 8"]),
        ("Region,2021,2022\nNorth,120,130", ["Region: North | 2021: 120 | 2022: 130"]),
        (",Paid,Due\nAda,3,2024-01-02", ["Ada | Paid: 3 | Due: 2024-01-02"]),
        ("Name,Role,City\nAda,Engineer,Paris\nBob,Tester,Rome", ["Name: Ada | Role: Engineer | City: Paris", ...]),
        ("Name,Age\nAda,30\nBob,25\nCy,40", ["Name: Ada | Age: 30", ...]),
        ("Code,Part\nA-1,bolt\nA-2,nut\nA-3,nut", ["Code: A-1 | Part: bolt", ...]),
        ("Region,Q1,Q2\nNorth,1,2,3", ["Region: North | Q1: 1 | Q2: 2 | 3"]),
    ],
)
def test_cells_carry_the_labels_of_a_header(table: str, lines: list[str]) -> None:
    found = _texts(table)
    assert found[: len(lines) - (lines[-1] is ...)] == [line for line in lines if line is not ...]
    assert all(line.count(":") >= line.count(" | ") for line in found)


@pytest.mark.parametrize(
    "table",
    [
        "1,2,3\n4,5,6",
        "North,120,130\nSouth,9,8",
        "a,b,a\nc,d,a",
        "x",
        "a,b,c",
        "Name,Ada\nAge,36\nBorn,1815-12-10",
        "Name,Ada\nCity,London\nField,Mathematics",
        "ada@example.org,Ada,London\nbob@example.org,Bob,Rome",
        "The first sentence.,A second one.,And a third.\nMore text here.,Even more.,The end.",
        "alpha,beta,gamma\nbeta,alpha,delta\nalpha,gamma,epsilon",
    ],
)
def test_a_value_is_not_taken_for_a_label(table: str) -> None:
    assert _texts(table) == [line.replace(",", " | ") for line in table.split("\n")]


def test_table_lines_count_rows_from_zero_and_leave_out_blank_and_repeated_ones() -> None:
    rows = _rows("Item,Price,Qty\nApple,3,4\n,,\nItem,Price,Qty\nPear,5,6")
    assert table_lines(rows) == [(1, "Item: Apple | Price: 3 | Qty: 4"), (4, "Item: Pear | Price: 5 | Qty: 6")]
    assert table_lines([]) == table_lines([[], ["", " "]]) == []


def test_pairs_of_a_name_and_a_value_read_as_such() -> None:
    assert _texts("Name:,Ada\nAge:,36") == ["Name: Ada", "Age: 36"]


def test_two_rows_of_labels_become_one_header() -> None:
    table = ",2021,,2022,\nRegion,Q1,Q2,Q1,Q2\nNorth,1,2,3,4\nSouth,5,6,7,8"
    assert _texts(table)[0] == "Region: North | 2021 Q1: 1 | 2021 Q2: 2 | 2022 Q1: 3 | 2022 Q2: 4"


def test_tables_on_one_sheet_keep_their_own_titles_and_headers() -> None:
    table = (
        "Sales\nin EUR\nRegion,Q1,Q2\nNorth,1,2\n\nEurope\nWest,3,4\n\n\nCosts\n\nItem,Price,Qty\nBolt,5,6\nSource: us"
    )
    assert [tuple(line) for line in read_table(_rows(table))] == [
        (0, "Sales", "title"),
        (1, "in EUR", "note"),
        (3, "Region: North | Q1: 1 | Q2: 2", "row"),
        (5, "Europe", "note"),
        (6, "Region: West | Q1: 3 | Q2: 4", "row"),
        (9, "Costs", "title"),
        (12, "Item: Bolt | Price: 5 | Qty: 6", "row"),
        (13, "Source: us", "note"),
    ]


def test_another_table_after_a_blank_row_does_not_get_the_labels_of_the_first() -> None:
    lines = _texts("Region,Q1,Q2\nNorth,1,2\n\nPrepared by,Ada,Bob\nChecked by,Cy,Di")
    assert lines[1:] == ["Prepared by | Ada | Bob", "Checked by | Cy | Di"]


def test_a_long_cell_is_divided_between_sentences_and_each_part_says_what_it_is() -> None:
    sentences = [f"Remark {number} is about the delivery of goods." for number in range(60)]
    lines = table_lines([["Id", "Remarks"], ["17", " ".join(sentences)], ["18", "x"], ["19", "y"]])
    parts = [text for row, text in lines if row == 1]
    assert len(parts) > 3 and all(part.startswith("Id: 17 | Remarks: Remark ") for part in parts)
    assert " ".join(part.removeprefix("Id: 17 | Remarks: ") for part in parts) == " ".join(sentences)


def test_a_word_of_any_length_and_a_text_without_spaces_lose_nothing() -> None:
    word, chinese = "x" * 5000, "汉字" * 900
    lines = [text for _, text in table_lines([["1", word], ["2", chinese]])]
    assert "".join(line.removeprefix("1 | ") for line in lines if line.startswith("1")) == word
    assert "".join(line.removeprefix("2 | ") for line in lines if line.startswith("2")) == chinese


# --- delimited text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    rows = [["Name", "Amount", "Note"], ["Ada", "1.5", "a b"], ["Bob", "2.5", "c d"]]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert _csv(text).text == "Name: Ada | Amount: 1.5 | Note: a b\nName: Bob | Amount: 2.5 | Note: c d"


def test_a_decimal_comma_is_no_delimiter_and_a_declared_one_decides() -> None:
    assert "Betrag: 1,50" in _csv("Name;Betrag\nAda;1,50\nBob;2,75").text
    document = _csv("sep=;\nName,x;Age\nAda,y;30")
    assert document.text == "Name,x: Ada,y | Age: 30"
    assert document.places[0].number == 2


def test_rows_are_numbered_as_a_spreadsheet_program_shows_them() -> None:
    document = _csv('Name,Note\nAda,"two\nlines"\n\nBob,x\n')
    assert document.text == "Name: Ada | Note: two lines\nName: Bob | Note: x"
    assert [(place.kind, place.number, place.inside) for place in document.places] == [("row", 2, ""), ("row", 4, "")]
    assert [block.kind for block in document.blocks] == ["table", "table"]


def test_ragged_rows_keep_all_their_cells() -> None:
    assert _csv("A,B,C\nx,1\ny,2,3,4\n,,5\n").text == "A: x | B: 1\nA: y | B: 2 | C: 3 | 4\nC: 5"


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    document = _csv('Name,Height,City\nAda,5,Paris\nBob,"6,Rome\nCy,7,Oslo\nDi,8,Bonn\n')
    assert "Name: Cy | Height: 7 | City: Oslo" in document.text and 'Bob | Height: "6' in document.text
    assert document.places[-1].number == 5
    assert document.warnings == ("a quote in line 3 is never closed: the lines from there on are read one by one",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252", "cp932"])
def test_csv_in_any_encoding(encoding: str) -> None:
    names = "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n"
    latin = "Größe,Straße,Wert\nschön,Bäckerweg,12\nübel,Königsallee,13\n"
    text = latin if encoding == "cp1252" else names
    expected = "Größe: schön" if encoding == "cp1252" else "名前: 佐藤太郎 | 年齢: 30 | 住所: 東京"
    assert _csv(text.encode(encoding)).text.startswith(expected)


def test_a_huge_cell_is_read() -> None:
    assert "end" in _csv("Id,Text,N\n1," + "word " * 40_000 + "end,2\n").text


def test_rows_beyond_the_bound_are_said_to_be_left_out() -> None:
    text = "Name,Age\n" + "".join(f"n{i},{i}\n" for i in range(30))
    document = delimited.load("a.csv", text.encode(), most_cells=20)
    assert len(document.blocks) == 9
    assert document.warnings[0].startswith("only rows 1 to 10 are read, 21 are left out")


def test_every_passage_of_a_long_table_carries_its_header() -> None:
    rows = [f"Station {i},{i * 7},{i}.25,2024-01-{i % 28 + 1:02}" for i in range(400)]
    document = _csv("Station,Passengers,Delay,Opened\n" + "\n".join(rows))
    passages = chunk(document, _words, 256)
    assert len(passages) > 10
    for passage in passages:
        assert all(f"{label}: " in passage.text for label in ("Station", "Passengers", "Delay", "Opened"))
        assert passage.text.startswith("Station: ")


def test_every_passage_of_one_long_cell_carries_the_row_and_the_label() -> None:
    story = " ".join(f"Sentence {i} tells what happened on that day." for i in range(300))
    document = _csv(f"Case,Report\n4711,{story}\n4712,short\n")
    passages = chunk(document, _words, 256)
    assert len(passages) > 5 and all(p.text.startswith("Case: 4711 | Report: ") for p in passages[:-1])


def test_a_csv_without_cells_holds_nothing() -> None:
    assert _csv(",,,\n,,\n").blocks == ()
    with pytest.raises(UnreadableFile):
        delimited.load("a.csv", bytes(range(256)) * 20)


# --- workbooks


def test_sheets_are_headings_and_rows_stand_where_the_program_shows_them() -> None:
    def fill(workbook: Any) -> None:
        first = workbook.add_worksheet("Orders")
        for number, row in enumerate([["Region", "Q1", "Q2"], ["North", 120, 130], ["South", 9, 8]]):
            first.write_row(number + 3, 2, row)
        workbook.add_worksheet("Empty")
        second = workbook.add_worksheet("Costs")
        for number, row in enumerate([["Item", "Price", "Qty"], ["Bolt", 1, 2]]):
            second.write_row(number, 0, row)

    document = _sheet(_xlsx(fill))
    assert document.kind == "xlsx" and document.title == "book"
    assert document.text == (
        "Orders\n\nRegion: North | Q1: 120 | Q2: 130\nRegion: South | Q1: 9 | Q2: 8\n\n"
        "Costs\n\nItem: Bolt | Price: 1 | Qty: 2"
    )
    placed = {document.text[p.start :].split("\n")[0]: (p.inside, p.kind, p.number) for p in document.places}
    assert placed["Region: South | Q1: 9 | Q2: 8"] == ("sheet Orders, ", "row", 6)
    assert placed["Item: Bolt | Price: 1 | Qty: 2"] == ("sheet Costs, ", "row", 2)


def test_values_read_as_a_person_would_write_them() -> None:
    def fill(workbook: Any) -> None:
        sheet = workbook.add_worksheet("Values")
        formats = [workbook.add_format({"num_format": shown}) for shown in ("yyyy-mm-dd", "hh:mm", "[h]:mm:ss")]
        sheet.write_row(0, 0, [12.0, 0.1 + 0.2, True, -3, 1e20, 123456789012.0, "  a\n b "])
        sheet.write_datetime(0, 7, datetime.datetime(2024, 1, 2), formats[0])
        sheet.write_datetime(0, 8, datetime.datetime(2024, 1, 2, 3, 4), formats[0])
        sheet.write_datetime(0, 9, datetime.time(3, 4), formats[1])
        sheet.write_number(0, 10, 1.5, formats[2])
        sheet.write_formula(0, 11, "=1+1", None, 2)

    cells = _sheet(_xlsx(fill)).text.split("\n")[-1].split(" | ")
    assert cells[:7] == ["12", "0.3", "TRUE", "-3", "1e+20", "123456789012", "a b"]
    assert cells[7:] == ["2024-01-02", "2024-01-02 03:04", "03:04", "36:00:00", "2"]


def test_titles_over_tables_are_headings() -> None:
    document = _one_sheet(
        [
            ["Sales 2023"],
            [],
            ["Region", "Q1", "Q2"],
            ["North", 1, 2],
            [],
            ["Costs 2023"],
            ["Item", "Price", "Qty"],
            ["Bolt", 5, 6],
        ]
    )
    headings = [(block.level, block.title) for block in document.blocks if block.kind == "heading"]
    assert headings == [(1, "Orders"), (2, "Sales 2023"), (2, "Costs 2023")]
    assert [p.heading for p in chunk(document, _words, 256)] == [("Orders", "Sales 2023"), ("Orders", "Costs 2023")]


def test_a_name_that_says_nothing_is_no_heading() -> None:
    document = _one_sheet([["Budget of the town"], ["Item", "Price", "Qty"], ["Bolt", 5, 6]], name="Sheet1")
    assert document.text == "Budget of the town\n\nItem: Bolt | Price: 5 | Qty: 6"
    assert document.title == "Budget of the town" and document.places[0].inside == "sheet Sheet1, "


def test_merged_cells_count_for_all_the_rows_and_columns_they_span() -> None:
    def fill(workbook: Any) -> None:
        sheet = workbook.add_worksheet("Report")
        sheet.merge_range("A1:E1", "Turnover")
        sheet.merge_range("A2:A3", "Area")
        sheet.merge_range("B2:C2", "2021")
        sheet.merge_range("D2:E2", "2022")
        sheet.write_row("B3", ["Q1", "Q2", "Q1", "Q2"])
        sheet.merge_range("A4:A5", "Europe")
        sheet.write_row("B4", [1, 2, 3, 4])
        sheet.write_row("B5", [5, 6, 7, 8])

    assert _sheet(_xlsx(fill)).text.split("\n\n") == [
        "Report",
        "Turnover",
        "Area: Europe | 2021 Q1: 1 | 2021 Q2: 2 | 2022 Q1: 3 | 2022 Q2: 4\n"
        "Area: Europe | 2021 Q1: 5 | 2021 Q2: 6 | 2022 Q1: 7 | 2022 Q2: 8",
    ]


def test_hidden_sheets_are_read_and_said_to_be_hidden() -> None:
    def fill(workbook: Any) -> None:
        workbook.add_worksheet("Shown").write(0, 0, "seen")
        hidden = workbook.add_worksheet("Lookup")
        hidden.write(0, 0, "rate")
        hidden.hide()

    assert _sheet(_xlsx(fill)).text == "Shown\n\nseen\n\nLookup (hidden sheet)\n\nrate"


def test_an_empty_workbook_and_one_of_charts_hold_nothing() -> None:
    def fill(workbook: Any) -> None:
        workbook.add_worksheet("Sheet1")
        chart = workbook.add_chart({"type": "bar"})
        chart.add_series({"values": "=Sheet1!$A$1:$A$3"})
        workbook.add_chartsheet("Chart").set_chart(chart)

    assert _sheet(_xlsx(fill)).blocks == ()


def test_cells_far_apart_are_cut_off_and_said_to_be() -> None:
    def fill(workbook: Any) -> None:
        sheet = workbook.add_worksheet("Wide")
        for number in range(50):
            sheet.write_row(number, 0, ["Item", "Price", "Qty"] if number == 0 else [f"i{number}", number, 1])
        sheet.write(1_048_575, 16_383, "stray")

    document = _sheet(_xlsx(fill))
    assert "Item: i49 | Price: 49 | Qty: 1" in document.text and "stray" not in document.text
    assert len(document.warnings) == 1 and document.warnings[0].startswith("sheet Wide: row 1048576 and those below")


def test_a_cell_in_the_last_rows_is_read_with_its_number() -> None:
    def fill(workbook: Any) -> None:
        workbook.add_worksheet("Long").write(0, 0, "first")
        workbook.get_worksheet_by_name("Long").write(200_000, 0, "last")

    document = _sheet(_xlsx(fill))
    assert document.text.endswith("last") and document.places[-1].number == 200_001


def test_cells_beyond_the_bound_are_said_to_be_left_out() -> None:
    def fill(workbook: Any) -> None:
        for name in ("One", "Two"):
            sheet = workbook.add_worksheet(name)
            for number in range(10):
                sheet.write_row(number, 0, [f"a{number}", f"b{number}"])

    document = spreadsheet.load("book.xlsx", _xlsx(fill), most_cells=10)
    assert "a4" in document.text and "a5" not in document.text
    assert [warning.split(":")[0] for warning in document.warnings] == ["sheet One", "sheet Two is left out"]


def test_an_old_workbook() -> None:
    data = zlib.decompress(base64.b85decode("".join(_XLS)))
    document = _sheet(data, "book.xls")
    assert document.kind == "xls" and document.places[-1].number == 4
    assert document.text == "Orders\n\nRegion: North | Q1: 120 | Q2: 130.5\nRegion: South | Q1: 7 | Q2: TRUE"


def test_an_opendocument_spreadsheet() -> None:
    blank = '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
    rows = blank + _ods_row("Region", "Q1", "Q2") + _ods_row("North", 12.0, 1.5, repeated=2)
    document = _sheet(_ods(f'<table:table table:name="Orders">{rows}</table:table>'), "book.ods")
    assert document.kind == "ods"
    assert document.text == "Orders\n\n" + "\n".join(["Region: North | Q1: 12 | Q2: 1.5"] * 2)
    assert [place.number for place in document.places] == [4, 5, 6]


def test_repeated_cells_of_an_opendocument_spreadsheet_are_bounded() -> None:
    row = _ods_row("x" * 5, "y", repeated=1_000_000).replace(
        "<table:table-cell ", '<table:table-cell table:number-columns-repeated="900" '
    )
    with pytest.raises(UnreadableFile, match="expected at most 10000000 places"):
        spreadsheet.load("bomb.ods", _ods(f'<table:table table:name="T">{row}</table:table>'))


def test_encrypted_workbooks_are_refused_by_name() -> None:
    encrypted = _ods("", '<file-entry full-path="content.xml"><encryption-data/></file-entry>')
    with pytest.raises(UnreadableFile, match="encrypted: this workbook"):
        spreadsheet.load("book.ods", encrypted)


def test_a_zip_bomb_is_refused() -> None:
    buffer = io.BytesIO(_xlsx(lambda workbook: workbook.add_worksheet().write(0, 0, "x")))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", b"0" * (80 << 20))
    with pytest.raises(UnreadableFile, match="zip bomb"):
        spreadsheet.load("bomb.xlsx", buffer.getvalue())


def test_every_passage_of_a_long_sheet_carries_its_header() -> None:
    rows = [["Station", "Passengers", "Delay"], *([f"Station {i}", i * 7, i / 4] for i in range(300))]
    passages = chunk(_one_sheet(rows), _words, 256)
    assert len(passages) > 10
    assert all("Passengers: " in p.text and "Delay: " in p.text and p.heading == ("Orders",) for p in passages)
