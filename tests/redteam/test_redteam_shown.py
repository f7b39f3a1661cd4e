"""What page, terminal and JSON make of hostile documents: text, and nothing that fetches, runs, steers or misleads."""

import json
import re
import time
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from markdown_it import MarkdownIt
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from rag_dolly import show
from rag_dolly.app import markup, resources
from rag_dolly.app.ask import sources
from rag_dolly.app.engine import Engine
from rag_dolly.app.entry.serve import SecureHeaders
from rag_dolly.chain import RagChain
from rag_dolly.evidence import find_evidence
from rag_dolly.retrieve import HybridRetriever
from tests.fakes import ScriptedPipeline
from tests.redteam.attacks import QUESTION, attacks

ATTACKS = attacks()
SCRIPT = Path(__file__).parents[2] / "streamlit_app.py"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e01ef]")
BADGES = "\x1b]8;;https://evil.example\x07 \u009b31m \u202e \r\n\u2028forged \u200f\U000e0041 \u2069"


OWN = {"class", "id", "dir", "href", "tabindex", "role", "aria-label", "aria-current", "target"}


class Seen(HTMLParser):
    """The tags of a piece of HTML and all their attributes."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_comment(self, data):
        self.tags.append("comment")


def texts():
    """Return all that the documents hold, raw, as what a text of unknown origin might be."""
    for attack in ATTACKS:
        yield from (attack.content, attack.says, attack.name, attack.source)


def check_html(html):
    seen = Seen(html)
    assert set(seen.tags) <= {"div", "p", "ul", "li", "a", "span", "mark", "h1", "h2", "h3"}
    assert {name for name, _ in seen.attributes} <= OWN
    links = [value for name, value in seen.attributes if name == "href"]
    assert all(re.fullmatch(r"#cite-\d+-\d+|\./\?doc=[\w.%+-]*&at=\d+-\d+&is=[0-9a-f]{8}", link) for link in links)
    assert all(value == "_self" for name, value in seen.attributes if name == "target")
    assert all(value == "auto" for name, value in seen.attributes if name == "dir")
    assert not STEERS.search(html)


def test_html_of_the_page_is_made_of_its_own_tags_alone():
    for text in texts():
        check_html(markup.answer(text, {1, 2}, 0))
        check_html(markup.marked(text, text, text))
        check_html(markup.element("p", "rd-note", text))


def test_markdown_of_the_page_shows_its_text_literally():
    """Buttons and alerts of Streamlit take Markdown: whatever stands in it, it is one paragraph of text."""
    parser = MarkdownIt("commonmark", {"html": True})
    for text in texts():
        label = markup.label(text)
        (opened, inline, _closed) = parser.parse(label) or parser.parse("empty")
        assert opened.type == "paragraph_open"
        assert {child.type for child in inline.children} <= {"text", "text_special"}, label
        assert not STEERS.search(label)
        assert not re.search(r"https?://|www\.|:\w+:|:\w+\[", label.replace("\\", ""))


def test_a_forged_name_says_its_true_ending_on_the_page():
    name = next(attack.name for attack in ATTACKS if attack.id == "file-name-bidi")
    entry = {"source": name, "place": "", "page": None, "heading": ""}
    assert "honeytxt\\.exe\\.txt" in markup.label(sources.place(entry))


@pytest.fixture
def answers(obeyed):
    return [obeyed(attack) for attack in ATTACKS]


def test_the_terminal_gets_no_sequence_and_no_line_of_its_own(answers, capsys):
    for answer in answers:
        show.answer(iter([answer]), False)
        shown = capsys.readouterr()
        assert not STEERS.search(shown.out + shown.err)
        listed = [line for line in shown.out.splitlines() if re.match(r"\s+\[\d+\] ", line)]
        assert len(listed) == len(answer["citations"])
        assert len([line for line in shown.out.splitlines() if line.startswith("Sources")]) == bool(listed)


def test_a_search_shown_in_the_terminal(hostile_index, capsys):
    found = HybridRetriever(hostile_index).search(QUESTION, 60)
    show.hits(found, False)
    out = capsys.readouterr().out
    assert not STEERS.search(out) and len(re.findall(r"^ +\d+  \d\.\d{3}  ", out, re.MULTILINE)) == len(found)
    show.documents(hostile_index.documents(), False)
    out = capsys.readouterr().out
    assert not STEERS.search(out) and len(out.splitlines()) == len(hostile_index.documents())


def test_json_is_one_line_that_steers_nothing_and_reads_back_the_same(answers, capsys):
    for answer in answers:
        show.answer(iter([answer]), True)
        out = capsys.readouterr().out
        assert out.count("\n") == 1 and not STEERS.search(out.rstrip("\n"))
        assert json.loads(out) == {key: answer[key] for key in show.JSON_KEYS}


def test_json_escapes_what_json_allows(capsys):
    show.print_json({BADGES: [BADGES]})
    out = capsys.readouterr().out
    assert json.loads(out) == {BADGES: [BADGES]}
    assert not STEERS.search(out.rstrip("\n")) and len(out.splitlines()) == 1


def test_a_note_steers_nothing(capsys):
    show.note(BADGES)
    typer.echo(show.place(BADGES, 3, BADGES))
    shown = capsys.readouterr()
    assert not STEERS.search(shown.err.rstrip("\n") + shown.out.rstrip("\n"))
    assert len(shown.out.splitlines()) == 1


class HostileBackend:
    """The page's seam over the hostile index and a model that obeys one document."""

    model = "auto"
    max_tokens = 256
    keeps_conversations = False

    def __init__(self, chain, index_dir):
        self.chain, self.index_dir = chain, index_dir

    def open_chain(self, tell):
        return self.chain

    def load_model(self, tell):
        return self.chain.warm()


def test_the_page_as_it_is_drawn(hostile_index, tmp_path):
    """Streamlit's own runner draws answers about all documents at once, the source panel and the library."""
    says = " ".join(attack.says for attack in ATTACKS if attack.held in ("page", "stated"))
    search = partial(find_evidence, HybridRetriever(hostile_index))
    engine = Engine(HostileBackend(RagChain(hostile_index, search, lambda: ScriptedPipeline(says), top_k=20), tmp_path))
    resources.install(engine)
    engine.start()
    wait(lambda: engine.state not in ("opening", "loading"))
    page = AppTest.from_file(SCRIPT, default_timeout=20).run()
    page.chat_input[0].set_value(QUESTION).run()
    wait(lambda: page.session_state["jobs"][-1].finished)
    page.run()
    buttons = [button for button in page.button if button.key.startswith("open-0-")]
    assert len(buttons) > 5 and not page.exception
    for button in buttons[:6]:
        page.button(key=button.key).click().run()
        assert not page.exception
        for element in page.get("html"):
            if not element.proto.body.startswith("<style>"):
                check_html(element.proto.body)
    for button in page.button:
        assert not STEERS.search(button.label) and not re.search(r"(?<!\\)[<>]|(?<!\\)!\[", button.label)


def wait(until, seconds=20):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_over_http_the_browser_is_told_to_fetch_from_nowhere_else():
    app = SecureHeaders(Starlette(routes=[Route("/", lambda request: PlainTextResponse("x"))]))
    policy = TestClient(app).get("/").headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and "unsafe-inline" not in rules["script-src"]
    for rule in ("img-src", "connect-src", "script-src", "frame-src", "form-action", "font-src"):
        hosts = [part for part in rules[rule].split() if "." in part or "*" in part or part.startswith("http")]
        assert all(re.fullmatch(r"ws://(localhost|127\.0\.0\.1):\*", host) for host in hosts), rule
