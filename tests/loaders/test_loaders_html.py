import pytest
from document_check import check
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import UnreadableFile
from ingest.loaders import load


def parts(document):
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def page(body: str) -> bytes:
    return f"<!DOCTYPE html><html><head><title>The  page</title></head><body>{body}</body></html>".encode()


def test_structure_becomes_blocks(checked):
    body = """<h1>Big <em>head</em></h1><p>First   <b>para</b>graph
        goes on.<br>New line.</p>loose text<h3>Sub</h3>
        <ul><li>one<ul><li>sub</li></ul></li><li><p>two</p><p>more</p></li></ul>
        <table><caption>Cap</caption><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2<p>x</p></td></tr></table>
        <pre>  x = 1\n    y &lt; 2\n</pre>"""
    document = checked(load("a.html", page(body)))
    assert parts(document) == [
        ("heading", "Big head"),
        ("text", "First paragraph goes on.\nNew line."),
        ("text", "loose text"),
        ("heading", "Sub"),
        ("list", "- one\n  - sub\n- two\n  more"),
        ("table", "Cap\nA: 1 | B: 2 x"),
        ("code", "  x = 1\n    y < 2"),
    ]
    assert [(b.level, b.title) for b in document.blocks if b.kind == "heading"] == [(1, "Big head"), (3, "Sub")]
    assert document.title == "The page"


def test_the_title_is_the_heading_or_the_name_where_there_is_none():
    assert load("a.html", b"<h2>Second</h2><p>x").title == "Second"
    assert load("dir/name.html", b"<p>x").title == "name"


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>secret</script>",
        "<style>secret</style>",
        "<template><p>secret</p></template>",
        "<noscript>secret</noscript>",
        "<nav><a>secret</a></nav>",
        "<svg><text>secret</text></svg>",
        "<div hidden>secret</div>",
        "<div hidden='until-found'><p>secret</p></div>",
        "<span aria-hidden='true'>secret</span>",
        "<div style='color:red; Display : NONE'>secret</div>",
        "<div style='visibility:hidden'>secret</div>",
        "<div style='font-size:0'>secret</div>",
        "<div style='font-size: 0.0px'>secret</div>",
        "<!-- secret -->",
        "<table><tr><td>a<td>b</tr><tr hidden><td>secret<td>b</tr><tr><td hidden>secret<td>c</tr></table>",
        "<pre>x<i hidden>secret</i></pre>",
    ],
)
def test_hidden_text_is_not_read(hidden, checked):
    document = checked(load("a.html", page(f"<p>shown</p>{hidden}<p>shown too</p>")))
    assert "secret" not in document.text
    assert "shown" in document.text and "shown too" in document.text


def test_small_text_is_read():
    assert "fine print" in load("a.html", page("<p style='font-size:0.8em;opacity:0.5'>fine print</p>")).text


def test_a_layout_table_is_walked_through(checked):
    inner = "<table><tr><td>in</td><td>ner</td></tr></table>"
    body = f"<table><tr><td><h2>Head</h2><p>text</p></td><td>{inner}</td></tr></table>"
    assert parts(checked(load("a.html", page(body)))) == [("heading", "Head"), ("text", "text"), ("table", "in | ner")]


def test_rows_name_their_columns_through_merged_cells(checked):
    rows = (
        "<caption>Sales</caption><tr><th>Region</th><th>Q1</th><th>Q2</th></tr>"
        "<tr><td rowspan=2>North</td><td>120</td><td>130</td></tr><tr><td>80</td><td>95</td></tr>"
        "<tr><td>South</td><td colspan=2>90</td></tr>"
    )
    document = checked(load("a.html", page(f"<table>{rows}</table>")))
    assert parts(document) == [
        (
            "table",
            "Sales\nRegion: North | Q1: 120 | Q2: 130\nRegion: North | Q1: 80 | Q2: 95\nRegion: South | Q1: 90",
        )
    ]


def test_absurd_spans_end(checked):
    cells = "<td colspan=99999 rowspan=99999>x</td>" * 100
    assert checked(load("a.html", page(f"<table>{f'<tr>{cells}</tr>' * 20}</table>"))).text.count("x") < 100_000


def test_long_lists_are_split(checked):
    body = "<ul>" + "".join(f"<li>item {n} {'word ' * 40}</li>" for n in range(10)) + "</ul>"
    document = checked(load("a.html", page(body)))
    assert len(document.blocks) == 10 and {b.kind for b in document.blocks} == {"list"}


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="koi8-r">', "koi8_r"),
        ("<meta http-equiv='Content-Type' content='text/html; charset=windows-1251'>", "cp1251"),
        ('<?xml version="1.0" encoding="windows-1251"?>', "cp1251"),
        ('<meta charset="utf-16">', "utf-8"),
        ('<meta charset="unicode_escape">', "utf-8"),
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
        ('<meta charset="koi8-r">', "utf-8-sig"),
    ],
)
def test_the_declared_encoding_is_used_unless_a_mark_says_better(head, encoding):
    text = "Привет, как дела? Это проверка."
    assert load("a.html", f"{head}<p>{text}</p>".encode(encoding)).text == text


def test_latin1_means_what_browsers_mean():
    assert load("a.html", b'<meta charset="iso-8859-1"><p>\x93caf\xe9\x94 \x80').text == "“café” €"


def test_odd_character_references_give_clean_text(checked):
    document = checked(load("a.html", page("<p>a&#0;b&#1;c&#xD800;d&nbsp;e&shy;f&#x1e;g</p>")))
    assert document.text == "a\ufffdb c\ufffdd ef g"


def test_absurd_nesting_is_refused_fast():
    with pytest.raises(UnreadableFile, match="deep"):
        load("a.html", b"<div>" * 100_000 + b"x")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            "<p> </p> <h1> </h1> <ul> </ul> <li> </li> <table> <tr> <td> </table> <pre> </pre> <br> <div> </div> "
            "<script> </script> <dl> <dt> <dd> text &lt; \n | - <h2>x</h2> <b> </b> <!-- -->".split(" ")
        ),
        max_size=40,
    )
)
def test_any_markup_keeps_the_promises(pieces):
    try:
        check(load("a.html", " ".join(pieces).encode()))
    except UnreadableFile as error:
        assert "no text" in str(error)
