import pytest
from document_check import check
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import UnreadableFile
from ingest.loaders import load

SAMPLE = """\
# The *Big* `Title` [link](http://x)

First paragraph
goes on.

Setext
------

- one
- two

  more of two

1. a
2. b

```python
# not a heading
<!-- shown -->
```

    indented code

| a | b |
|---|---|
| 1 | 2 |

> quoted
> words

[ref]: http://example.org

***

<div>Words in HTML</div>

<a id="anchor"></a>
"""


def parts(document):
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def test_blocks_are_spans_of_the_raw_file(checked):
    document = checked(load("a.md", SAMPLE.encode()))
    assert document.text == SAMPLE
    assert parts(document) == [
        ("heading", "# The *Big* `Title` [link](http://x)"),
        ("text", "First paragraph\ngoes on."),
        ("heading", "Setext\n------"),
        ("list", "- one\n- two\n\n  more of two"),
        ("list", "1. a\n2. b"),
        ("code", "```python\n# not a heading\n<!-- shown -->\n```"),
        ("code", "    indented code"),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("text", "> quoted\n> words"),
        ("text", "<div>Words in HTML</div>"),
    ]


def test_headings_have_level_and_plain_title(checked):
    document = checked(load("dir/a.md", SAMPLE.encode()))
    headings = [(b.level, b.title) for b in document.blocks if b.kind == "heading"]
    assert headings == [(1, "The Big Title link"), (2, "Setext")]
    assert document.title == "The Big Title link"


def test_front_matter_gives_the_title_and_is_no_block(checked):
    data = b'---\ntitle: "A: guide"\ntags:\n  - x\n- y\n\n# note\n---\n\n# Heading\n\nText.\n'
    document = checked(load("a.md", data))
    assert document.title == "A: guide"
    assert parts(document) == [("heading", "# Heading"), ("text", "Text.")]


@pytest.mark.parametrize(
    "text", ["---\n\n- a\n\n---\n", "---\nwords\n---\n", "---\na: b\nno end\n", "--- x\na: b\n---\n"]
)
def test_a_rule_at_the_top_is_no_front_matter(text):
    assert any(char.isalpha() for kind, part in parts(load("a.md", text.encode())) for char in part)


def test_windows_line_ends_keep_the_offsets_of_read_text(tmp_path, checked):
    path = tmp_path / "a.md"
    path.write_bytes(SAMPLE.replace("\n", "\r\n").encode())
    document = checked(load("a.md", path.read_bytes()))
    assert path.read_text(encoding="utf-8") == document.text == SAMPLE


@pytest.mark.parametrize(
    "text",
    [
        "shown\n\n<!-- secret -->\n\nshown\n",
        "shown <!-- secret --> shown\n",
        "shown\n\n<!--\nsecret\n\nsecret\n-->\nshown\n",
        "<div>\nshown\n<!-- secret -->\n</div>\n",
        "- shown\n\n  <!-- secret -->\n- shown\n",
        "> shown\n>\n> <!--\n> secret\n> -->\n",
        "# shown <!-- secret -->\n",
        "shown\n\n<script>\nsecret\n</script>\n",
        "shown\n\n<!-- secret\n\nsecret\n",
    ],
)
def test_hidden_text_is_in_no_block(text, checked):
    document = checked(load("a.md", text.encode()))
    shown = "".join(part for _, part in parts(document))
    assert "shown" in shown and "secret" not in shown


def test_comment_in_code_is_shown():
    assert parts(load("a.md", b"Use `<!-- x -->` here\n")) == [("text", "Use `<!-- x -->` here")]


def test_a_long_list_is_split_by_its_items(checked):
    items = [f"- item {n} " + "word " * 40 + "\n  - sub\n" for n in range(20)]
    document = checked(load("a.md", "".join(items).encode()))
    assert [part for _, part in parts(document)] == [item.rstrip() for item in items]
    assert {kind for kind, _ in parts(document)} == {"list"}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"#->*`|=<!a1. \t", "\n", "\n\n", "```", "---", "<!--", "-->", "<p>", "| a |"]), max_size=40
    )
)
def test_any_markup_keeps_the_promises(pieces):
    try:
        check(load("a.md", "".join(pieces).encode()))
    except UnreadableFile as error:
        assert "no text" in str(error)


def test_hostile_markup_is_fast():
    for text in ("---\n" + " a: b\n" * 3000, "---\na: b\n" + "\n" * 30000 + "x", "[" * 5000, "> " * 3000 + "x"):
        load("a.md", text.encode())
