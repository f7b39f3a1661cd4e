"""Narrowing a question on the page, and what the page says of passages left out and of copies."""

import re
from datetime import date

from test_app_pages import GUIDE, ask_and_wait, html, labels, page, press  # noqa: F401  page: fixture

from ingest.filters import Filters
from rag_dolly.app.ask import filtering

TEXTS = {"garden.md": GUIDE, "reports/2024/soil.txt": "Sandy soil drains fast.", "reports/<b>old.txt": "Old soil."}


def opened(at):
    at.session_state["filter"] = True
    return at.run()


def said(at):
    return re.findall(r'rd-filter">([^<]*)<', html(at))


def test_nothing_is_narrowed_at_first(page):  # noqa: F811
    at = page(TEXTS)
    assert said(at) == [] and not at.multiselect
    ask_and_wait(at, "When do I water tomatoes?")
    assert at.engine.chain.asked[-1]["filter"] == "" and "Only in" not in html(at)


def test_folders_kinds_and_a_day_are_chosen_kept_said_and_undone(page):  # noqa: F811
    at = opened(page(TEXTS))
    assert at.multiselect(key="filter-folders").options == ["reports", "reports/2024"]
    assert at.multiselect(key="filter-kinds").options == ["md", "txt"]
    at.multiselect(key="filter-folders").set_value(["reports/2024"]).run()
    at.multiselect(key="filter-kinds").set_value(["txt", "md"]).run()
    at.date_input(key="filter-since").set_value(date(2024, 1, 31)).run()
    words = "Only in: reports/2024 · txt · md · changed since 2024-01-31"
    assert said(at) == [words]
    ask_and_wait(at, "How does sandy soil drain?")
    assert at.engine.chain.asked[-1]["filter"] == "folder:reports/2024 kind:txt kind:md since:2024-01-31"
    assert html(at).count(words) == 2  # above the answer and by the question box
    at.session_state["filter"] = False
    assert said(at.run()) == [words] and not at.multiselect
    opened(at)
    assert at.multiselect(key="filter-folders").value == ["reports/2024"]
    press(at, "filter-none")
    assert said(at) == []
    ask_and_wait(at, "And compost?")
    assert at.engine.chain.asked[-1]["filter"] == ""
    assert html(at).count("Only in:") == 1  # the first answer goes on saying so


def test_single_documents_are_chosen(page):  # noqa: F811
    at = opened(page(TEXTS))
    assert at.multiselect(key="filter-sources").options == sorted(TEXTS)
    at.multiselect(key="filter-sources").set_value(["garden.md"]).run()
    assert said(at) == ["Only in: garden.md"]
    ask_and_wait(at, "When do I water tomatoes?")
    assert at.engine.chain.asked[-1]["filter"] == "source:garden.md"


def test_of_many_documents_those_are_listed_that_have_the_words(page):  # noqa: F811
    many = {f"notes/{number:03}/note {number}.md": f"Note {number}." for number in range(filtering.MOST_LISTED + 50)}
    at = opened(page(many))
    assert at.multiselect(key="filter-sources").options == []
    assert len(at.multiselect(key="filter-folders").options) == filtering.MOST_LISTED
    assert "notes" in at.multiselect(key="filter-folders").options
    at.text_input(key="filter-words").set_value("note 17").run()
    assert len(at.multiselect(key="filter-sources").options) == 13 and "13 of them are listed" in html(at)
    at.multiselect(key="filter-sources").set_value(["notes/017/note 17.md"]).run()
    assert said(at) == ["Only in: notes/017/note 17.md"]
    at.text_input(key="filter-words").set_value("note").run()
    assert f"The first {filtering.MOST_FOUND} are listed" in html(at)
    assert at.multiselect(key="filter-sources").value == ["notes/017/note 17.md"]
    at.text_input(key="filter-words").set_value("opera").run()
    assert "None has them." in html(at) and said(at) == ["Only in: notes/017/note 17.md"]


def test_a_folder_that_has_left_the_index_stays_to_be_seen(page):  # noqa: F811
    at = page(TEXTS)
    at.session_state["filters"] = Filters(folders=("gone",))
    at = opened(at)
    assert at.multiselect(key="filter-folders").value == ["gone"] and not at.exception


def test_the_words_for_filters():
    assert filtering.said(Filters()) == "" and filtering.said_of('source:"a b" kind:pdf') == "Only in: a b · pdf"


def test_a_passage_that_did_not_fit_is_marked(page):  # noqa: F811
    at = page({"garden.md": GUIDE})
    ask_and_wait(at, "crowded water")
    assert any(label.startswith("**Did not fit** garden") for label in labels(at))
    assert "window was full" in html(at)


def test_the_other_places_of_a_text_are_named_beside_it(page):  # noqa: F811
    at = page({"garden.md": "# Soil\n\nThis was copied.\n\nMore soil.\n"})
    ask_and_wait(at, "What was copied?")
    assert "also in" not in html(at)
    press(at, "open-0-cite-1")
    assert "The same text is also in: copy.md, page 3" in html(at)
