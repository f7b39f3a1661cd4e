import pytest

from ingest.errors import UnreadableFile
from ingest.loaders import load


def read(checked, markup, name="a.xml"):
    document = checked(load(name, markup.encode() if isinstance(markup, str) else markup))
    return document, [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def test_docbook_reads_as_prose(checked):
    document, blocks = read(
        checked,
        """<!DOCTYPE article PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://example.com/docbookx.dtd">
        <article><info><title>My Article</title><author>A B</author></info>
        <section id="s"><title>Intro</title><para>Some <emphasis>emphasised</emphasis> text&nbsp;and &unknown;.</para>
        <itemizedlist><listitem><para>one</para></listitem><listitem><para>two</para></listitem></itemizedlist>
        <programlisting>x = 1
          y = 2</programlisting>
        <table><title>T</title><tgroup cols="2"><thead><row><entry>a</entry><entry>b</entry></row></thead>
        <tbody><row><entry>1</entry><entry>2</entry></row></tbody></tgroup></table>
        <section><title>Deep</title><para>p1</para><para>p2</para></section></section></article>""",
    )
    assert (document.kind, document.title) == ("xml", "My Article")
    assert blocks == [
        ("heading", 1, "My Article"),
        ("text", 0, "author: A B"),
        ("heading", 2, "Intro"),
        ("text", 0, "section: id s"),
        ("text", 0, "Some emphasised text and &unknown;."),
        ("list", 0, "- one\n- two"),
        ("code", 0, "x = 1\n          y = 2"),
        ("table", 0, "T\na | b\n1 | 2"),
        ("heading", 3, "Deep"),
        ("text", 0, "p1"),
        ("text", 0, "p2"),
    ]


def test_records_keep_the_names_of_their_values(checked):
    document, blocks = read(
        checked,
        """<?xml version="1.0"?><catalog>
        <book id="bk101"><author>Gambardella</author><title>XML Guide</title><price cur="EUR">44.95</price></book>
        <film><author>Ralls</author><price>5.95</price></film></catalog>""",
        "dir/books.xml",
    )
    assert document.title == "books"
    assert blocks == [
        ("heading", 1, "XML Guide"),
        ("text", 0, "book: id bk101\nauthor: Gambardella\nprice: 44.95 (cur EUR)"),
        ("text", 0, "film\nauthor: Ralls\nprice: 5.95"),
    ]


def test_many_rows_of_attributes_are_a_list(checked):
    rows = "".join(f'<row a="{n}" b="word {n}"/>' for n in range(400))
    _, blocks = read(checked, f"<table-data><rows>{rows}</rows></table-data>")
    assert len(blocks) > 300
    assert blocks[-1] == ("list", 0, "row: a 399, b word 399")


def test_rss_has_a_heading_for_each_item_and_reads_the_html_in_it(checked):
    document, blocks = read(
        checked,
        """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><item><title>One</title>
        <link>http://example.com/1</link><description>&lt;p&gt;Hello &lt;b&gt;world&lt;/b&gt;&lt;/p&gt;
        &lt;ul&gt;&lt;li&gt;a&lt;/li&gt;&lt;/ul&gt;</description></item>
        <item><title>Two</title><description><![CDATA[1 < 2 & plain]]></description></item></channel></rss>""",
        "feed.rss",
    )
    assert document.title == "News"
    assert blocks == [
        ("heading", 1, "News"),
        ("heading", 2, "One"),
        ("text", 0, "link: http://example.com/1"),
        ("text", 0, "Hello world"),
        ("list", 0, "- a"),
        ("heading", 2, "Two"),
        ("text", 0, "description: 1 < 2 & plain"),
    ]


def test_atom(checked):
    _, blocks = read(
        checked,
        """<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><entry><title>Post</title>
        <link href="http://example.com/p"/><author><name>Ann</name></author>
        <content type="html">&lt;h1&gt;H&lt;/h1&gt;&lt;p&gt;Body&lt;/p&gt;</content></entry></feed>""",
        "a.atom",
    )
    assert [text for _, _, text in blocks] == [
        "Blog", "Post", "link: href http://example.com/p", "author\nname: Ann", "H", "Body",
    ]  # fmt: skip


def test_text_of_a_drawing_without_its_numbers(checked):
    _, blocks = read(
        checked,
        """<svg xmlns="http://www.w3.org/2000/svg" width="10"><style>.a{}</style><g id="x"><path d="M0 0"/>
        <text x="1">Hello <tspan>world</tspan></text><text><tspan>a</tspan><tspan>b</tspan></text></g></svg>""",
    )
    assert blocks == [("text", 0, "Hello world"), ("text", 0, "a b")]


def test_encodings(checked):
    declared = '<?xml version="1.0" encoding="windows-1251"?><p>Привет</p>'.encode("cp1251")
    assert read(checked, declared)[1] == [("text", 0, "Привет")]
    assert read(checked, "\ufeff<p>Grüße</p>".encode("utf-16-le"))[1] == [("text", 0, "Grüße")]
    assert read(checked, b'\n <?xml version="1.0"?><p>late</p>')[1] == [("text", 0, "late")]


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY % p SYSTEM "http://example.com/x.dtd">%p;',
    ],
)
def test_entities_are_refused(declared):
    with pytest.raises(UnreadableFile):
        load("a.xml", f"<!DOCTYPE r [{declared}]><r>&a; words</r>".encode())


@pytest.mark.parametrize("data", [b"<a>words", b"words", b"<a>&undefined</a>", b"<a>" * 5000 + b"x" + b"</a>" * 5000])
def test_broken_xml_is_refused(data):
    with pytest.raises(UnreadableFile, match="expected well-formed XML"):
        load("a.xml", data)


def test_every_word_is_kept_once(checked):
    markup = "<r>" + "".join(
        f"<s><t>w{n}a <b>w{n}b</b> w{n}c</t><u v='w{n}d'>w{n}e</u><p>w{n}f</p></s>" for n in range(50)
    )
    document, _ = read(checked, markup + "</r>")
    found = "".join(document.text[b.start : b.end] + " " for b in document.blocks)
    for n in range(50):
        for letter in "abcdef":
            assert found.count(f"w{n}{letter}") == 1
