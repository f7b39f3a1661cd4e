"""Looking through an index: counts, folders, some documents at a time; and reading them again."""

import pytest

from ingest import listing
from ingest.errors import IndexMissing, NothingToIngest
from ingest.listing import Look
from ingest.reread import paths_of, reread
from ingest.store import Store


@pytest.fixture
def papers(tmp_path, ingest):
    """An index of a small tree with a broken file, one that is passed over, and a second folder."""
    folder = tmp_path / "papers"
    for name in ("a.md", "deep/b.md", "deep/er/Äpfel 100%.md", "deepest/c.md"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n\nText of {name}.\n")
    (folder / "torn.pdf").write_bytes(b"%PDF-1.4 torn")
    (folder / "tool.bin").write_bytes(b"\0")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "d.md").write_text("More.")
    ingest(folder)
    ingest(tmp_path / "more")
    store = Store(tmp_path / "index" / "index.sqlite3")
    yield store
    store.close()


def names(store, **asked):
    return [row.source for row in listing.files(store, Look(**asked), 0, 100, is_flat=True)]


def test_counts_are_those_of_all_documents(papers):
    found = listing.tally(papers)
    assert (found.indexed, found.partial, found.failed, found.skipped) == (5, 0, 1, 1)
    assert found.bytes == papers.counts()["bytes"]
    assert listing.tally(papers, Look("deep"))[:4] == (2, 0, 0, 0)


def test_folders_are_those_right_below(papers):
    assert [(f.path, f.read, f.failed) for f in listing.folders(papers, Look())] == [
        ("deep", 2, 0), ("deepest", 1, 0), ("more", 1, 0)]  # fmt: skip
    assert [f.path for f in listing.folders(papers, Look("deep"))] == ["deep/er"]


def test_documents_come_some_at_a_time(papers):
    assert [row.source for row in listing.files(papers, Look(), 0, 1)] == ["a.md"]
    assert [row.source for row in listing.files(papers, Look(), 1, 9)] == ["torn.pdf"]
    assert listing.count_here(papers, Look()) == 2
    assert names(papers, state="skipped") == ["tool.bin"] and names(papers, state="failed") == ["torn.pdf"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("äpfel", ["deep/er/Äpfel 100%.md"]),
        ("ÄPFEL deep", ["deep/er/Äpfel 100%.md"]),
        ("100%", ["deep/er/Äpfel 100%.md"]),
        ("%", ["deep/er/Äpfel 100%.md"]),
        ("_", []),
        ("'; DROP TABLE documents; --", []),
    ],
)
def test_words_are_found_literally_whatever_their_case(papers, text, found):
    assert names(papers, text=text) == found
    assert sum(listing.tally(papers, Look(text=text))[:3]) == len(found)


def test_the_passages_of_a_document_come_some_at_a_time(papers):
    (piece,) = listing.pieces(papers, "deep/b.md", 0, 10)
    assert piece.ordinal == 0 and "Text of deep/b.md." in piece.text
    assert listing.pieces(papers, "deep/b.md", 1, 10) == []
    assert listing.row_of(papers, "deep/b.md").passages == 1 and listing.row_of(papers, "no.md") is None
    assert listing.sources_below(papers, "deep") == ["deep/b.md", "deep/er/Äpfel 100%.md"]


def test_a_name_in_the_index_is_found_on_the_disk(papers, tmp_path):
    index = tmp_path / "index"
    assert paths_of("deep/b.md", index) == [tmp_path / "papers/deep/b.md"]
    assert paths_of("more/d.md", index) == [tmp_path / "more/d.md"]
    assert paths_of("more", index) == [tmp_path / "more"]
    assert paths_of("", index) == [tmp_path / "papers", tmp_path / "more"]
    with pytest.raises(NothingToIngest, match="not on this machine any more"):
        paths_of("deep/gone.md", index)
    with pytest.raises(IndexMissing):
        paths_of("", tmp_path)


def test_reading_again_opens_what_has_not_changed_only_if_asked(papers, tmp_path, embedder):
    index = tmp_path / "index"
    assert reread("", index, embedder).unchanged == 5
    report = reread("deep", index, embedder, anew=True)
    assert (report.updated, report.unchanged) == (2, 0)
    (tmp_path / "papers" / "a.md").write_text("# New\n\nAnother text.\n")
    assert reread("a.md", index, embedder).updated == 1


def test_a_file_that_was_mended_is_read(papers, tmp_path, embedder):
    (tmp_path / "papers" / "torn.pdf").unlink()
    (tmp_path / "papers" / "deep" / "b.md").unlink()
    assert reread("", tmp_path / "index", embedder).deleted == 1
