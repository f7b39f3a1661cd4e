"""What documents and models say is shown, never obeyed."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from page_fakes import HOSTILE

from rag_dolly.app import markup


class Tags(HTMLParser):
    """Collects the tags, and the text as a browser would show it."""

    def __init__(self, source):
        super().__init__()
        self.tags = []
        self.links = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text += data


def test_an_answer_is_text_whatever_it_holds():
    seen = Tags(markup.answer(HOSTILE, {1}, 0))
    assert set(seen.tags) == {"div", "p"}
    assert seen.text == HOSTILE


def test_only_numbers_that_are_cited_become_links():
    seen = Tags(markup.answer("One [1]. Two [2]. Forged [99]. Zero [0] [01] [1a].", {1, 2}, 7))
    assert seen.links == ["#cite-7-1", "#cite-7-2"]
    assert "[99]" in seen.text and "[0] [01] [1a]" in seen.text


def test_a_marker_keeps_its_brackets_for_copying_and_names_itself():
    html = markup.answer("So it is [2]", {2}, 0)
    assert Tags(html).text == "So it is[2]"
    assert 'aria-label="Source 2"' in html


def test_the_open_citation_is_marked_as_current():
    html = markup.answer("a [1] b [2]", {1, 2}, 0, opened=2)
    assert re.findall(r'#cite-0-(\d)"[^>]*aria-current', html) == ["2"]


def test_paragraphs_and_lists():
    html = markup.answer("First\n\n- one\n- two [1]\nLast", {1}, 0)
    assert Tags(html).tags == ["div", "p", "ul", "li", "li", "a", "span", "span", "p"]
    assert markup.answer("Steps:\n1. one\n2) two", set(), 0).count("<p>") == 3


def test_lines_as_the_source_was_wrapped_are_one_paragraph_and_quotes_are_apart():
    html = markup.answer("A sentence that\nwas wrapped. [1]\nAnother quote. [2]", set(), 0)
    assert html == '<div class="rd-answer"><p>A sentence that was wrapped. [1]</p><p>Another quote. [2]</p></div>'


def test_no_text_is_no_paragraph():
    assert markup.answer("  \n", set(), 0) == '<div class="rd-answer"></div>'


def test_a_passage_cannot_leave_its_mark():
    seen = Tags(markup.marked("</div><script>", "</mark>" + HOSTILE, "<img src=x>"))
    assert seen.tags == ["div", "mark"]
    assert seen.text == "</div><script></mark>" + HOSTILE + "<img src=x>"


def test_an_element_escapes_its_text():
    assert Tags(markup.element("p", "x", '"><script>')).tags == ["p"]
    assert unescape(markup.element("p", "x", "a & b")) == '<p class="x">a & b</p>'


@pytest.mark.parametrize("char", list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"))
def test_all_markdown_punctuation_is_escaped_in_a_label(char):
    assert markup.label(f"a {char} b") == f"a \\{char} b"


@pytest.mark.parametrize(
    "text", [":smile:", ":material/home:", ":red[x]", "http://a.example", "www.a.example", "x@a.example"]
)
def test_what_streamlit_reads_a_second_time_is_parted(text):
    """Streamlit replaces these after Markdown has taken the backslashes away, so backslashes alone do not help."""
    shown = markup.label(text, 400).replace("\\", "")
    assert text not in shown
    assert shown.replace("\u2060", "") == text


def test_a_label_is_one_line():
    assert markup.label("a\n# b\n\n- c") == r"a \# b \- c"


@pytest.mark.parametrize("limit", [10, 20, 40])
def test_a_long_text_is_cut_at_a_word(limit):
    cut = markup.shorten("one two three four five six seven eight", limit)
    assert len(cut) <= limit
    assert "one two three four five six seven eight".startswith(cut.removesuffix("…"))


def test_a_word_longer_than_the_limit_is_cut():
    assert markup.shorten("a" * 50, 10) == "a" * 9 + "…"
