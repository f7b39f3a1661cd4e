"""The functions behind the pages: links, the privacy line, suggestions, sizes, one model for all visitors."""

import threading

import pytest
from page_fakes import FakeBackend
from test_app_jobs import until

from rag_dolly.app import session, sizes
from rag_dolly.app.ask import sources, suggest
from rag_dolly.app.engine import Engine
from rag_dolly.app.privacy import what_leaves
from rag_dolly.jobs import Job


def test_forged_links_open_nothing():
    job = Job("q", state="done", result={"citations": [{"n": 1}]})
    import streamlit as st

    st.session_state["jobs"] = [job]
    for value in ("0-2", "1-1", "0-99", "x", "0-1; alert(1)", "-1-1", "0-1\n"):
        session.open_link(value)
        assert session.opened() is None
    session.open_link("0-1")
    assert session.opened() == session.Opened(0, "cite", 1)


@pytest.mark.parametrize(
    ("model", "leaves"),
    [("auto", False), ("none", False), ("http://localhost:8080/v1", False), ("https://models.example/v1", True)],
)
def test_the_privacy_line_is_true(model, leaves):
    line = what_leaves(model)
    assert ("Nothing leaves" in line) is not leaves
    assert ("models.example" in line) is leaves


def test_suggestions_leave_out_dull_headings_and_numbers():
    headings = [
        "Introduction",
        "1.2 Watering",
        "Why mulch?",
        "References",
        "----",
        "Watering",
        "x" * 90,
        "2.1. Pruning roses",
    ]
    assert suggest.questions(headings) == [
        "What is Watering?",
        "Why mulch?",
        "How does pruning roses work?",
    ]


def test_suggestions_are_spread_over_the_documents():
    assert suggest.questions([f"Heading number {word}" for word in "abcdefgh"], 2) == [
        "What is Heading number a?",
        "What is Heading number e?",
    ]


def test_what_can_be_done_and_what_things_are_take_turns():
    headings = [*(f"Install part {word}" for word in "abcdef"), *(f"Heading number {word}" for word in "abcdef")]
    assert [question[:8] for question in suggest.questions(headings)] == [
        "How do I",
        "How do I",
        "What is ",
        "What is ",
    ]
    assert len(suggest.questions(headings[:4])) == 4 and len(suggest.questions(headings[6:])) == 4


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("How to install Rust", "How do I install Rust?"),
        ("How passages are found", "Explain how passages are found."),
        ("Add files on the page", "How do I add files on the page?"),
        ("Creating a New Hash Map", "How do I create a New Hash Map?"),
        ("Running the tests", "How do I run the tests?"),
        ("Defining and Instantiating Structs", "How does Defining and Instantiating Structs work?"),
        ("Test Organization", "What is Test Organization?"),
        ("Operating Expenses", "What are Operating Expenses?"),
        ("Item 1A. Risk Factors", "What are Risk Factors?"),
        ("Water the garden", "How do I water the garden?"),
        ("Behind the scenes", "What do the documents say about “Behind the scenes”?"),
        ("Appendix B: Operators", "What are Operators?"),
        ("Errors with Result", "What are Errors with Result?"),
        ("PRODUCT DEVELOPMENT", "What is product development?"),
        ("Liquidity and capital resources", "Tell me about Liquidity and capital resources."),
        ("The Slice Type", "What is the Slice Type?"),
        ("Was ist ein Maß?", "Was ist ein Maß?"),
        ("Haftung für Schäden", "What do the documents say about “Haftung für Schäden”?"),
        ("<b>Bold</b> headings", "What do the documents say about “<b>Bold</b> headings”?"),
    ],
)
def test_a_heading_becomes_a_question_as_a_person_asks_it(heading, question):
    assert suggest.questions([heading]) == [question]


def test_questions_in_quotation_marks_are_the_last_choice():
    headings = ["“Odd” <b>heading</b>", *(f"Heading number {word}" for word in "abcd")]
    assert not any("“" in question for question in suggest.questions(headings))


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (999, "999 B"), (1500, "2 kB"), (2_340_000, "2.3 MB"), (5e9, "5.0 GB")]
)
def test_sizes(count, shown):
    assert sizes.size(count) == shown


@pytest.mark.parametrize(
    ("page", "place", "shown"),
    [
        (None, "", "a/b.xlsx · Orders"),
        (3, "", "a/b.xlsx · page 3 · Orders"),
        (3, "slide 3", "a/b.xlsx · slide 3 · Orders"),
        (None, "sheet Orders, rows 2-30", "a/b.xlsx · sheet Orders, rows 2-30 · Orders"),
    ],
)
def test_a_place_is_shown_before_a_page(page, place, shown):
    entry = {"source": "a/b.xlsx", "page": page, "place": place, "heading": "Orders"}
    assert sources.place(entry) == shown
    assert sources.place(entry, "b.xlsx") == shown.removeprefix("a/")


def test_two_visitors_load_the_model_once(tmp_path):
    opened = []

    class Counting(FakeBackend):
        def open_chain(self, tell):
            opened.append(1)
            return super().open_chain(tell)

    engine = Engine(Counting(tmp_path, {"a.md": "A."}, pause=0.05))
    threads = [threading.Thread(target=engine.start) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: engine.state == "ready")
    assert len(opened) == 1
