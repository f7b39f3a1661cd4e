"""The panel that tells how an answer came about: closed at first, whole when it is open, and never markup."""

from page_fakes import GUIDE, HOSTILE, sentences, trace
from test_app_pages import ask_and_wait, html, page  # noqa: F401  page is a fixture

from rag_dolly.app.inspect import trace_view

SPANS = sentences({"garden.md": GUIDE}, "When do I water tomatoes?")


def test_the_panel_is_there_and_nothing_of_it_is_sent_while_it_is_closed(page):  # noqa: F811
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    assert at.engine.chain.asked[-1]["explain"] is True
    assert "How this was answered" in [panel.label for panel in at.expander]
    assert "rd-prompt" not in html(at) and "rd-table" not in html(at)


def test_an_open_panel_tells_all_of_it(page):  # noqa: F811
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "When do I water tomatoes?")
    at.session_state["trace-0"] = True
    at.run()
    shown = html(at)
    for title in ("Search", "Candidates", "Passages", "Sentences of the model", "considered for quoting", "Prompt"):
        assert f"{title}</h3>" in shown
    assert "the nearest text does not have the number 99" in shown and "0.97" in shown
    assert "80 tokens, 20 of them for the question" in shown and "also in: copy.md, page 3" in shown


def test_an_answer_without_a_trace_has_no_panel(page):  # noqa: F811
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "unknown")
    assert "How this was answered" not in [panel.label for panel in at.expander]


def test_hostile_text_stays_text():
    hostile = [(HOSTILE, start, end, HOSTILE) for _, start, end, _ in SPANS]
    shown = "".join(trace_view.sections(trace(HOSTILE, hostile)))
    assert not any(tag in shown for tag in ("<img", "<script", "<a ", "</script"))
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in shown


def test_a_trace_of_quotes_has_neither_prompt_nor_sentences():
    quoted = trace("q", SPANS) | {"prompt": None, "sentences": [], "model": "none", "candidates": []}
    shown = "".join(trace_view.sections(quoted))
    assert "Prompt" not in shown and "Sentences of the model" not in shown and "Candidates" not in shown
    assert "considered for quoting" in shown
