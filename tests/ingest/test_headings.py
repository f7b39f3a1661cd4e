"""Headings of an index, to make questions of: spread over the documents, and quick however many there are."""

import pytest

from ingest.passage import Block, Document, Passage
from ingest.store import FileFacts, Store


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "index.sqlite3", create=True)
    yield made
    made.close()


def fill(store, documents, headings=("First", "Second")):
    with store.transaction():
        root = store.add_root("/nonexistent", "")
        for number in range(documents):
            source = f"{number:05}.md"
            text = "x" * len(headings)
            rows = [
                (Passage(source, at, "x", at, at + 1, None, ("Top", f"{name} {number}")), f"{number} {at}", b"")
                for at, name in enumerate(headings)
            ]
            document = Document(source, "markdown", "", text, (Block(0, len(text)),))
            store.put_document(root, document, FileFacts(f"{number:064x}", 1, "1:2:3:4", "x"), rows)


def test_each_document_gives_its_first_before_any_gives_its_second(store):
    fill(store, 3)
    assert store.headings(4) == ["First 0", "First 1", "First 2", "Second 0"]
    assert len(store.headings(60)) == 6 and store.headings(0) == []


def test_of_many_documents_a_sample_from_all_of_them_is_taken(store):
    fill(store, 2500, ("First",))
    numbers = [int(title.split()[1]) for title in store.headings(2500)]
    assert 500 <= len(numbers) <= 1000 and numbers == sorted(set(numbers))
    assert min(numbers) < 10 and max(numbers) > 2490


def test_documents_without_headings_give_none(store):
    fill(store, 2, ())
    assert store.headings(60) == []
