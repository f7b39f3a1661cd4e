"""Filters: their text and their meaning, over an index of real files with real dates."""

import os
from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import BadFilter
from ingest.filters import Filters, as_filters, parse_filters, select
from ingest.store import Store
from ingest.texts import add_texts

NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip), max_size=3)
DAYS = st.none() | st.dates()


def distinct(values, clean=lambda value: value):
    return tuple(dict.fromkeys(filter(None, map(clean, values))))


@given(NAMES, NAMES, NAMES, DAYS, DAYS)
def test_the_text_of_filters_reads_back_as_they_were(sources, folders, kinds, since, until):
    if since and until and since > until:
        since, until = until, since
    folders = distinct(folders, lambda folder: folder.strip("/"))
    kinds = distinct(kinds, lambda kind: kind.lower().removeprefix("."))
    kinds = tuple(kind for kind in kinds if kind == kind.lower().removeprefix(".") and kind.strip())
    folders = tuple(folder for folder in folders if folder.strip())
    filters = Filters(distinct(sources), folders, kinds, since, until)
    assert parse_filters(str(filters)) == filters


def test_keys_values_and_dates():
    found = parse_filters("source:guide* KIND:.PDF folder:/reports/ since:2024-02", 'source:"my ""own"" file.md"')
    assert found == Filters(("guide*", 'my "own" file.md'), ("reports",), ("pdf",), date(2024, 2, 1), None)
    assert parse_filters("until:2024-02").until == date(2024, 2, 29) and parse_filters("until:2023").until.month == 12
    assert parse_filters("since:2024-03-05 since:2023 until:2025").since == date(2023, 1, 1)
    assert not parse_filters("  ") and as_filters("") is None and as_filters(None) is None
    assert as_filters(["kind:pdf", "kind:docx"]) == Filters(kinds=("pdf", "docx"))
    assert str(parse_filters("kind:pdf source:'a b'")) == 'source:"a b" kind:pdf'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pdf", "'pdf'"),
        ("kind=pdf", "kind=pdf"),
        ("author:me", "'author'"),
        ("kind:", "no value"),
        ('source:""', "no value"),
        ('source:"open', "open"),
        ('source:"a"b', "not understood"),
        ("since:yesterday", "no date"),
        ("since:2024-13", "no date"),
        ("until:2024-02-30", "no date"),
        ("since:0000", "no date"),
        ("since:2024-05 until:2023", "turn the two around"),
        ("folder:/", "no folder"),
    ],
)
def test_what_is_not_understood_is_said_in_one_line(text, says):
    with pytest.raises(BadFilter) as error:
        parse_filters(text)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.fixture
def store(folder, ingest, tmp_path, embedder):
    """The samples, dated 2020 (bees), 2022 (lighthouse) and 2024 (tea), a file with marks in its name, and a text."""
    (folder / "odd [1] file.md").write_text("# Odd\n\nAn odd file of 2024.\n")
    days = {"bees.md": (2020, 5, 5), "guide/lighthouse.txt": (2022, 3, 31), "guide/tea.html": (2024, 1, 1)}
    for name, day in {**days, "odd [1] file.md": (2024, 6, 1)}.items():
        moment = datetime(*day, 12).timestamp()
        os.utime(folder / name, (moment, moment))
    ingest(folder)
    add_texts(tmp_path / "index", embedder, [("note-1", "A note.", "{}")])
    opened = Store(tmp_path / "index" / "index.sqlite3")
    yield opened
    opened.close()


def found(store, text):
    ids = select(store, parse_filters(text))
    assert ids.dtype == np.int64 and list(ids) == sorted(set(ids))
    passages = store.passages([int(key) for key in ids])
    sources = {passage.passage.source for passage in passages}
    assert len(passages) == len(ids) == sum(len(store.passages_of(source)) for source in sources)
    return sorted(sources)


ALL = ["bees.md", "guide/lighthouse.txt", "guide/tea.html", "note-1", "odd [1] file.md"]


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("source:bees.md", ALL[:1]),
        ("source:guide*", ALL[1:3]),
        ("source:*", ALL),
        ("source:*.md source:note-1", [ALL[0], *ALL[3:]]),
        ('source:"odd [1] file.md"', ALL[4:]),
        ("folder:guide", ALL[1:3]),
        ("folder:guide kind:html", ALL[2:3]),
        ("kind:markdown kind:HTML", [ALL[0], ALL[2], ALL[4]]),
        ("since:2022-03-31", [*ALL[1:3], ALL[4]]),
        ("since:2022-04", [ALL[2], ALL[4]]),
        ("until:2022-03", ALL[:2]),
        ("since:2022 until:2024-01-01", ALL[1:3]),
        ("until:2024 kind:text", ALL[1:2]),
        ("since:0001 until:9999", [*ALL[:3], ALL[4]]),
    ],
)
def test_which_documents_match(store, text, sources):
    assert found(store, text) == sources


def test_nothing_asked_is_no_restriction(store):
    assert select(store, None) is None and select(store, Filters()) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source:tea.html", "Did you mean source:guide/tea.html?"),
        ("source:Bees.md", "Did you mean source:bees.md?"),
        ("folder:guid", "Did you mean folder:guide?"),
        ("folder:reports", "The folders there are: guide."),
        ("kind:pdf", "The kinds there are: html, markdown, text."),
        ("kind:html until:2020", "Ask for less at once."),
        ("source:bees.md'; DROP TABLE documents; --", "not understood"),
        ('source:"bees.md\'; DROP TABLE documents; --"', "No document matches"),
    ],
)
def test_no_match_says_what_there_is(store, text, says):
    with pytest.raises(BadFilter) as error:
        select(store, parse_filters(text))
    assert says in str(error.value) and found(store, "source:*") == ALL


def test_what_could_not_be_read_does_not_match(store, folder, ingest):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    ingest(folder)
    with pytest.raises(BadFilter, match="The kinds there are"):
        select(store, parse_filters("kind:pdf"))


def test_a_selection_follows_the_index(index, folder, ingest):
    only = parse_filters("kind:markdown")
    before = index.select(only)
    assert index.select(only) is before and index.select(Filters()) is None
    (folder / "more.md").write_text("# More\n\nMore of it.\n")
    ingest(folder)
    after = index.select(only)
    assert len(after) == len(before) + 1
    assert {passage.passage.source for passage in index.passages([int(key) for key in after])} == {"bees.md", "more.md"}
    assert [key for key, _ in index.keyword("lighthouse honey more", 9, after)]
    assert {key for key, _ in index.keyword("lighthouse honey more", 9, after)} <= set(map(int, after))
