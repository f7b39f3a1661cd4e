"""For each question its passage, and one that looks like it and is wrong: from the user's index or from the data.

Limits: a passage that answers in other words may be taken for a wrong one; those that say the answer word for word, or
that stand in the right text, are not.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag_dolly.answer_measures import find_any
from rag_dolly.finetune.records import Record
from rag_dolly.finetune.shelf import Shelf

if TYPE_CHECKING:
    from ingest.embed import Embedder

SEARCHED = 20
Search = Callable[[str], list[str]]
"""A question to the texts of passages, the likeliest first."""


class Triple(NamedTuple):
    """A question, the passage that answers it, and one that does not, "" if none was found."""

    question: str
    right: str
    wrong: str


def mine(records: Sequence[Record], shelf: Shelf, searches: Sequence[Search]) -> list[Triple]:
    """Return a triple for each record; the wrong passage is the first that a search proposes, in their order."""
    return [_triple(record, shelf, searches) for record in records]


def open_searches(index_dir: Path, embedder: "Embedder", shelf: Shelf) -> list[Search]:
    """Return the search of the index, if there is one, and keyword search of the data. Raises `IndexMismatch`."""
    from ingest.index import FILE, Index
    from rag_dolly.retrieve import HybridRetriever

    def in_data(question: str) -> list[str]:
        return [shelf.passages[place].text for place in shelf.search(question, SEARCHED)]

    if not (index_dir / FILE).exists():
        return [in_data]
    retriever = HybridRetriever(Index.open(index_dir, embedder))
    return [lambda question: [hit.text for hit in retriever.search(question, SEARCHED)], in_data]


def _triple(record: Record, shelf: Shelf, searches: Sequence[Search]) -> Triple:
    right = shelf.passages[shelf.telling(record.context, record.response)[0]].text
    for search in searches:
        for text in search(record.instruction):
            is_right = text.strip() in record.context or right in text or find_any([record.response], text)
            if not is_right:
                return Triple(record.instruction, right, text)
    return Triple(record.instruction, right, "")
