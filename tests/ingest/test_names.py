"""The name of a document: its words are found, and count for nothing else."""

from pathlib import Path

import pytest

from ingest import terms
from ingest.index import Index
from ingest.names import asked_names, name_terms
from ingest.nearness import word_share
from ingest.sync import ingest_paths
from rag_dolly.retrieve import HybridRetriever
from tests.fakes import HashingEmbedder

FILINGS = {
    "BESTBUY_2019_10K.txt": "Net sales were 42 billion. Inventories at the end of the year were 5 billion.",
    "BESTBUY_2023_10K.txt": "Net sales were 46 billion. Inventories at the end of the year were 5.1 billion.",
    "acme-corp/annualReport.txt": "Net sales were 3 billion. Inventories at the end of the year were 1 billion.",
    "notes/tea.txt": "Green tea is steeped for two minutes.",
    "notes/milk.txt": "Milk is warmed and never boiled.",
}


def words(source: str) -> set[str]:
    return {term.lstrip("\x1f") for term in name_terms(source, "en")}


def test_a_path_is_cut_at_signs_digits_and_humps():
    assert words("BESTBUY_2019_10K.pdf") == {"bestbuy", "2019", "10"}
    assert {"corp", "annual", "report"} <= words("acme-corp/annualReport.pdf")
    assert words("a/b/c.txt") == set()


def test_words_of_a_question_are_joined_in_pairs_and_numbers_stand_apart():
    letters, numbers = asked_names("What did Best Buy sell in FY2019?", {"en"})
    assert "\x1fbestbuy" in letters and "\x1ffy" in letters and numbers == ["\x1f2019"]


def test_a_text_says_the_words_by_which_its_document_is_named():
    text, source = ["Inventories were 5 billion."], ["BESTBUY_2019_10K.txt"]
    assert word_share("What were the inventories of Best Buy?", text, source) == 1
    assert word_share("What were the inventories of Best Buy?", text, ["notes.txt"]) == pytest.approx(1 / 3)
    assert word_share("What were the inventories of Best Oil?", text, source) == pytest.approx(1 / 3)


def test_chinese_names_are_found_by_pairs():
    letters, _ = asked_names("年度报告说了什么?", {"zh"})
    assert set(letters) & set(name_terms("年度报告2023.pdf", "zh"))


def test_a_name_weighs_nothing_in_the_text():
    records, _ = terms.unpack([terms.pack("tea.txt", "", [], "Milk.", "en")])
    counts = {int(one["term"]): (int(one["body"]), int(one["head"])) for one in records}
    assert counts == {terms.number("\x1ftea"): (0, 0), terms.number("milk"): (1, 0)}


@pytest.fixture
def index(tmp_path: Path):
    folder = tmp_path / "filings"
    for name, text in FILINGS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    embedder = HashingEmbedder()
    ingest_paths([folder], tmp_path / "index", embedder)
    opened = Index.open(tmp_path / "index", embedder)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("What were the inventories of Best Buy in FY2019?", "BESTBUY_2019_10K.txt"),
        ("What were the inventories of Best Buy in FY2023?", "BESTBUY_2023_10K.txt"),
        ("What were the inventories of Acme Corp?", "acme-corp/annualReport.txt"),
    ],
)
def test_a_question_finds_the_document_that_it_names(index, question, source):
    assert HybridRetriever(index).search(question, 3)[0].source.endswith(source)


def test_a_question_that_names_no_document_is_searched_as_ever(index):
    assert not len(index.named("What were the inventories at the end of 2019?").ids)
    assert not len(index.named("How long is it steeped?").ids)


def test_a_removed_document_is_not_named(index, tmp_path):
    (tmp_path / "filings" / "notes" / "tea.txt").unlink()
    assert len(index.named("What is in tea?").ids)
    ingest_paths([tmp_path / "filings"], tmp_path / "index", index.embedder)
    assert not len(index.named("What is in tea?").ids)


def test_a_renamed_document_has_its_new_name(index, tmp_path):
    notes = tmp_path / "filings" / "notes"
    (notes / "tea.txt").rename(notes / "oolong.txt")
    ingest_paths([tmp_path / "filings"], tmp_path / "index", index.embedder)
    assert len(index.named("What is in oolong?").ids) and not len(index.named("What is in tea?").ids)


def test_a_filter_leaves_the_named_documents_that_it_allows(index):
    from ingest.filters import parse_filters

    among = index.select(parse_filters('source:"*2019*"'))
    assert {one.passage.source for one in index.passages(index.named("Best Buy", among).ids.tolist())} == {
        "BESTBUY_2019_10K.txt"
    }
