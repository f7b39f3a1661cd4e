import io
import zipfile

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.errors import UnreadableFile
from ingest.loaders import load

BLANK, TITLED, LISTED = 6, 5, 1
"""Layouts of the default template."""


def parts(document):
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def presentation(fill) -> bytes:
    made = pptx.Presentation()
    fill(made)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def slide(made, layout: int, title: str = ""):
    added = made.slides.add_slide(made.slide_layouts[layout])
    if title:
        added.shapes.title.text = title
    return added


def box(shapes, text: str):
    shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = text


def rewritten(data: bytes, changes: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, old.read(name)))
    return buffer.getvalue()


def test_pages_are_slides(checked):
    def fill(made):
        box(slide(made, BLANK).shapes, "before any title")
        slide(made, BLANK)
        slide(made, TITLED, "Only a\vtitle")
        listed = slide(made, LISTED, "Points")
        frame = listed.placeholders[1].text_frame
        frame.text = "first"
        below = frame.add_paragraph()
        below.text, below.level = "below", 1
        listed.notes_slide.notes_text_frame.text = "Say hello.\nSmile."
        slide(made, BLANK)._element.set("show", "0")
        box(slide(made, BLANK).shapes, "no title here")
        slide(made, BLANK)

    document = checked(load("a.pptx", presentation(fill)))
    assert parts(document) == [
        ("heading", "Slide 1"),
        ("text", "before any title"),
        ("heading", "Slide 3"),
        ("text", "Only a title"),
        ("heading", "Points"),
        ("list", "- first\n  - below"),
        ("text", "Notes: Say hello.\nSmile."),
        ("heading", "Slide 6"),
        ("text", "no title here"),
    ]
    assert len(document.page_starts) == 7
    at = document.text.index("no title here")
    assert sum(start <= at for start in document.page_starts) == 6
    assert document.title == "Only a title"


def test_tables_groups_and_charts(checked):
    def fill(made):
        shapes = slide(made, TITLED, "Numbers").shapes
        table = shapes.add_table(3, 3, 0, 0, Inches(4), Inches(2)).table
        for row, cells in enumerate((("Region", "Q1", "Q2"), ("North", "120", "130"), ("South", "80", "95"))):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
        group = shapes.add_group_shape()
        box(group.shapes, "outer")
        box(group.shapes.add_group_shape().shapes, "inner")
        data = CategoryChartData()
        data.categories = ["2023", "2024"]
        data.add_series("Sales", (1.5, 2))
        data.add_series("Costs", (1, None))
        area = (0, 0, Inches(4), Inches(3))
        chart = shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *area, data).chart
        chart.has_title = True
        chart.chart_title.text_frame.text = "Growth"

    assert parts(checked(load("a.pptx", presentation(fill)))) == [
        ("heading", "Numbers"),
        ("table", "Region: North | Q1: 120 | Q2: 130\nRegion: South | Q1: 80 | Q2: 95"),
        ("text", "outer"),
        ("text", "inner"),
        ("text", "Chart: Growth"),
        ("table", "2023 | Sales: 1.5 | Costs: 1\n2024 | Sales: 2"),
    ]


def test_hidden_shapes_are_left_out_and_footers_said_once(checked):
    def fill(made):
        for number in (1, 2):
            added = slide(made, TITLED, f"Title {number}")
            box(added.shapes, f"words {number}")
            box(added.shapes, "secret")
            added.shapes[-1]._element.nvSpPr.cNvPr.set("hidden", "1")
            for kind in ("ftr", "sldNum"):
                box(added.shapes, f"Acme {kind}")
                holder = added.shapes[-1]._element.nvSpPr.nvPr
                holder.append(holder.makeelement(f"{{{holder.nsmap['p']}}}ph", {"type": kind}))

    document = checked(load("a.pptx", presentation(fill)))
    assert [text for _, text in parts(document)] == ["Title 1", "words 1", "Acme ftr", "Title 2", "words 2"]


def test_a_slide_of_pictures_is_named_in_the_warnings(checked, tmp_path):
    from PIL import Image

    path = tmp_path / "a.png"
    Image.new("RGB", (10, 10)).save(path)

    def fill(made):
        box(slide(made, BLANK).shapes, "words")
        slide(made, TITLED, "Plan").shapes.add_picture(str(path), 0, 0)

    document = checked(load("a.pptx", presentation(fill)))
    assert document.warnings == ("not read: text in pictures, on slides with little other text: 2",)


def test_broken_presentations_give_a_reason():
    data = presentation(lambda made: slide(made, TITLED, "x"))
    for broken in (data[: len(data) // 2], rewritten(data, {"ppt/slides/slide1.xml": b"<p:sld"})):
        with pytest.raises(UnreadableFile, match="broken"):
            load("a.pptx", broken)


def test_a_slideshow_is_a_presentation_and_entities_are_refused():
    data = presentation(lambda made: slide(made, TITLED, "Shown"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        types = archive.read("[Content_Types].xml").decode()
        head, rest = archive.read("ppt/slides/slide1.xml").decode().split("?>", 1)
    show = types.replace("presentationml.presentation.main", "presentationml.slideshow.main")
    assert show != types
    assert "Shown" in load("a.ppsx", rewritten(data, {"[Content_Types].xml": show.encode()})).text
    hostile = f'{head}?><!DOCTYPE x [<!ENTITY e "x">]>{rest}'
    with pytest.raises(UnreadableFile, match="XML entities are refused"):
        load("a.pptx", rewritten(data, {"ppt/slides/slide1.xml": hostile.encode()}))
