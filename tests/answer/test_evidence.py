"""Evidence: the same said once, neighbours joined, paragraphs completed, never a text that is not the document's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_dolly.context import pack
from rag_dolly.evidence import diverse, evidence, find_evidence, fold, join, widen
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.types import Hit, hit_json
from tests.fakes import ScriptedPipeline

BEES = "A hive needs 15 kilograms of honey to survive the winter in central Europe, and the keeper leaves it there."


def hit(rank, text, source=None, **given):
    where = {"ordinal": 0, "page": None, "start": 0, "end": len(text), "heading": (), "score": 1 / rank}
    return Hit(rank=rank, source=source or f"{rank}.md", text=text, **{**where, **given})


def folded(*texts):
    return fold([hit(rank, text) for rank, text in enumerate(texts, 1)])


# Folding


@pytest.mark.parametrize(
    "again",
    [
        BEES,
        BEES.upper(),
        BEES.replace(" ", "\n  "),
        BEES.replace(",", ""),
        "the keeper leaves it there",
    ],
)
def test_the_same_text_is_kept_once_and_its_other_places_are_named(again):
    (only,) = folded(BEES, again)
    assert only.text == BEES and only.also == (f"2.md, characters 0-{len(again)}",)
    assert hit_json(only)["also"] == list(only.also)


def test_a_slip_in_a_long_text_is_no_difference():
    text = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(200))
    assert len(folded(text, text.replace("wordkc", "wordkk"))) == 1
    assert len(folded(text, text.replace("word", "other"))) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("15 days", "30 days"),
        ("Anna signs", "Berta signs"),
        ("shall pay", "shall not pay"),
        ("must pay", "mustn't pay"),
        ("3 to 5", "5 to 3"),
        ("蜂蜜", "花蜜"),
    ],
)
def test_texts_that_differ_in_a_fact_are_both_kept(one, other):
    around = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(200))
    assert len(folded(f"{around} {one} {around}", f"{around} {other} {around}")) == 2


def test_a_longer_text_is_not_folded_into_a_shorter_one():
    assert [one.rank for one in folded("the keeper leaves it there", BEES)] == [1, 2]


def test_the_place_that_is_named_is_the_finest_there_is():
    table = hit(2, BEES, page=None, place="rows 2-30")
    assert fold([hit(1, BEES), table, hit(3, BEES, page=7)])[0].also == ("2.md, rows 2-30", "3.md, page 7")


@given(st.lists(st.text("ab 1蜜.\n", max_size=40), max_size=8))
def test_folding_loses_no_place_and_no_word(texts):
    hits = [hit(rank, text) for rank, text in enumerate(texts, 1)]
    kept = fold(hits)
    named = [place.partition(",")[0] for one in kept for place in one.also]
    assert sorted([one.source for one in kept] + named) == sorted(one.source for one in hits)
    assert [one.rank for one in kept] == sorted(one.rank for one in kept)
    assert fold(kept) == kept


# Diversity


def test_what_says_the_same_in_other_words_is_taken_last():
    hits = [hit(rank, text) for rank, text in enumerate(("red apples", "crimson apples", "blue plums", "kites"), 1)]
    vectors = np.array([[1, 0, 0], [0.95, 0.3, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    assert [one.rank for one in diverse(hits, vectors, 2)] == [1, 3]
    assert [one.rank for one in diverse(hits, vectors, 4)] == [1, 2, 3, 4]
    assert [one.rank for one in diverse(hits, None, 2)] == [1, 2]


@pytest.mark.parametrize("more", ["and crimson apples in 1998", "and crimson apples of Normandy"])
def test_what_adds_a_number_or_a_name_is_not_put_back(more):
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    hits = [hit(rank, text) for rank, text in enumerate(("red apples", more, "blue plums"), 1)]
    assert [one.rank for one in diverse(hits, vectors, 2)] == [1, 2]


# Neighbours and paragraphs, over a document that was really cut


@pytest.fixture
def cut(folder, ingest, index):
    """A document of two sections: a paragraph that fills three passages and one of its own; then another."""
    sentences = [f"Sentence {n} tells of the heron at pond {n} and of its {n} eggs." for n in range(12)]
    text = (
        f"# Herons\n\n{' '.join(sentences)}\n\nA paragraph of its own about frogs.\n\n# Storks\n\nStorks stand still.\n"
    )
    (folder / "birds.md").write_text(text)
    ingest(folder)
    return index.passages_of("birds.md")


def as_hit(stored, rank=1):
    p = stored.passage
    heading = p.heading or (stored.title,)
    return hit(rank, p.text, p.source, ordinal=p.ordinal, start=p.start, end=p.end, heading=heading, page=p.page)


def check_spans(index, hits):
    for one in hits:
        assert index.read_document(one.source).text[one.start : one.end] == one.text


def test_the_document_is_cut_as_these_tests_need_it(cut):
    assert len([stored for stored in cut if stored.passage.heading == ("Herons",)]) >= 4
    assert cut[-1].passage.heading == ("Storks",)


def test_neighbours_of_a_section_become_one_hit_at_the_place_of_the_best(index, cut):
    first, second = as_hit(cut[0], 3), replace(as_hit(cut[1], 1), dense=0.5, also=("x.md, page 1",))
    (joined,) = join(index, [second, replace(first, dense=0.7)])
    assert (joined.start, joined.end, joined.ordinal) == (first.start, second.end, 0)
    assert (joined.rank, joined.score, joined.dense, joined.keyword) == (1, 1.0, 0.7, None)
    assert joined.also == ("x.md, page 1",)
    check_spans(index, [joined])


def test_what_is_joined_is_the_documents_text_and_holds_all_hits(index, cut):
    for chosen in range(1, 2 ** len(cut)):
        hits = [as_hit(stored, rank) for rank, stored in enumerate(cut, 1) if chosen >> (rank - 1) & 1]
        joined = join(index, hits)
        check_spans(index, joined)
        for one in hits:
            assert sum(other.start <= one.start and one.end <= other.end for other in joined) == 1
        assert all(len({h.heading for h in hits if o.start <= h.start < o.end}) == 1 for o in joined)
        assert all(sum(o.start <= h.start < o.end for h in hits) <= 3 for o in joined)


def test_sections_pages_and_places_are_never_joined(index, cut):
    storks = as_hit(cut[-1], 2)
    assert len(join(index, [as_hit(cut[-2]), storks])) == 2
    assert len(join(index, [as_hit(cut[0]), replace(as_hit(cut[1], 2), page=2)])) == 2
    assert len(join(index, [as_hit(cut[0]), replace(as_hit(cut[1], 2), place="row 2")])) == 2


def test_a_document_that_was_read_again_is_left_as_it_was_found(index, cut):
    old = [replace(as_hit(cut[0]), text="as it was"), as_hit(cut[1], 2)]
    assert join(index, old) == old and widen(index, old[0], old) == old[0]
    gone = [replace(one, source="gone.md") for one in old]
    assert join(index, gone) == gone and widen(index, gone[0], gone) == gone[0]


def test_a_passage_grows_to_its_paragraph_and_no_further(index, cut):
    wide = widen(index, as_hit(cut[1]), [])
    check_spans(index, [wide])
    assert wide.start == cut[0].passage.start and wide.end == cut[2].passage.end
    frogs = next(stored for stored in cut if "frogs" in stored.passage.text)
    alone = widen(index, as_hit(cut[-1]), [])
    assert alone == as_hit(cut[-1])
    if frogs.passage.text.startswith("A paragraph"):
        assert widen(index, as_hit(frogs), []) == as_hit(frogs)


def test_growing_is_at_most_three_passages_and_not_into_others(index, cut):
    for stored in cut:
        wide = widen(index, as_hit(stored), [])
        inside = [other for other in cut if wide.start <= other.passage.start < wide.end]
        assert len(inside) <= 3 and len({other.passage.heading for other in inside}) == 1
        check_spans(index, [wide])
    others = [as_hit(cut[0], 2), as_hit(cut[2], 3)]
    assert widen(index, as_hit(cut[1]), others) == as_hit(cut[1])
    joined = join(index, [as_hit(stored, rank) for rank, stored in enumerate(cut[:3], 1)])[0]
    assert widen(index, joined, []) == joined


def test_tables_stay_as_they_are(folder, ingest, index):
    rows = "\n".join(f"| heron {n} | pond number {n} | {n} eggs |" for n in range(40))
    (folder / "table.md").write_text(f"# Eggs\n\n| bird | pond | eggs |\n|---|---|---|\n{rows}\n")
    (folder / "birds.csv").write_text("bird,pond,eggs\n" + "\n".join(f"heron {n},pond {n},{n}" for n in range(40)))
    ingest(folder)
    for source in ("table.md", "birds.csv"):
        passages = index.passages_of(source)
        assert len(passages) > 2
        one = replace(as_hit(passages[1]), place=passages[1].passage.place)
        assert widen(index, one, []) == one


def test_the_best_passage_is_widened_where_the_prompt_has_room(index, cut):
    hits = [as_hit(cut[1]), as_hit(cut[-1], 2)]
    grow = lambda one, others: widen(index, one, others)  # noqa: E731
    packed = pack(ScriptedPipeline(window=1000), "heron?", hits, 10, (), grow)
    assert packed.hits[0].end - packed.hits[0].start > len(hits[0].text) and packed.hits[1] == hits[1]
    assert packed.hits[0].text in packed.prompt and packed.tokens == len(packed.prompt.split())
    narrow = pack(ScriptedPipeline(window=packed.tokens - 1 + 10), "heron?", hits, 10, (), grow)
    assert narrow.hits == tuple(hits)


# All together


def test_what_does_not_fit_is_named(index):
    hits = HybridRetriever(index).search("honey", 5)
    packed = pack(ScriptedPipeline(window=70), "honey", hits, 10)
    assert packed.not_fitting and packed.left_out == len(packed.not_fitting)
    assert sorted(one.rank for one in (*packed.hits, *packed.not_fitting)) == [one.rank for one in hits]


def test_copies_of_a_document_make_room_for_others(folder, ingest, index):
    for n in range(4):
        (folder / f"copy-{n}.md").write_text((folder / "bees.md").read_text())
    ingest(folder)
    retriever = HybridRetriever(index)
    question = "How many kilograms of honey does a hive need to survive the winter?"
    raw, found = retriever.search(question, 5), find_evidence(retriever, question, 5)
    assert len({one.text for one in raw}) < 3 <= len({one.text for one in found})
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    assert found[0].source == raw[0].source and len(found[0].also) == 4
    check_spans(index, found)


def test_evidence_of_nothing_is_nothing(index):
    assert evidence(index, [], 5) == []
