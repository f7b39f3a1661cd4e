"""How an answer came about is told as it was: each check, each stage, each passage; and only when it is asked for."""

import json
from functools import partial

import pytest

from rag_dolly.answer import answer_pieces
from rag_dolly.asked import Parts
from rag_dolly.chain import TRACE_EVENT, RagChain
from rag_dolly.evidence import find_evidence
from rag_dolly.explain import explain
from rag_dolly.ground import COVERAGE, SAME_MEANING, SAME_ORDER, find_support, why_not
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.types import Hit
from rag_dolly.words import numbers
from tests.fakes import ScriptedPipeline, ScriptedReranker

TRUE = "A hive needs 15 kilograms of honey to survive the winter in central Europe."
OTHER = "The old queen leaves with half of the workers."
QUESTION = "How many kilograms of honey does a hive need, and who leaves with half of the workers?"


def ask(index, pipeline, question=QUESTION, history=(), stop=lambda: False, top_k=3, max_tokens=100, reranker=None):
    found = []
    parts = Parts(
        partial(find_evidence, HybridRetriever(index, reranker), on_found=found.append),
        lambda: pipeline,
        pipeline.stream if pipeline else None,
        index.embedder.embed_sentences,
        top_k,
        max_tokens,
        explain=partial(explain, found),
    )
    pieces = list(answer_pieces(question, history, parts, stop))
    assert json.loads(json.dumps(pieces[-1]["trace"])) == pieces[-1]["trace"]
    return pieces[-1]["trace"], pieces


def test_shown_and_dropped_sentences_are_told_with_the_reason(index):
    false = "A hive needs 99 kilograms of honey to survive the winter in central Europe."
    named = "The old queen leaves with half of the workers for Zanzibar."
    denied = "The old queen never leaves with half of the workers."
    shuffled = "Workers half the of leaves old queen the drones with Xylo."
    trace, _ = ask(index, ScriptedPipeline(f"{TRUE} {false} {OTHER} {named}"))
    told = [(one["outcome"], one["check"], one["n"]) for one in trace["sentences"]]
    assert told == [("shown", "", 1), ("dropped", "number", None), ("shown", "", 2), ("dropped", "name", None)]
    assert "99" in trace["sentences"][1]["reason"] and "Zanzibar" in trace["sentences"][3]["reason"]
    assert "15 kilograms" in trace["sentences"][1]["where"]["text"], "the nearest text is shown"
    assert trace["sentences"][0]["score"] == 1.0 and trace["mode"] == "generated"
    assert trace["reason"] == "Generated: 2 of 4 sentences of the model are supported and shown."
    trace, _ = ask(index, ScriptedPipeline(f"{denied} {shuffled}"))
    assert [one["outcome"] for one in trace["sentences"]] == ["replaced", "replaced"]
    assert trace["sentences"][0]["check"] == "denial" and trace["sentences"][0]["reason"].startswith(
        "it denies something"
    )
    assert trace["mode"] == "quoted" and trace["reason"].startswith("Quoted: none of 2 sentences")


def test_a_sentence_that_says_it_again_and_one_that_is_cut_off(index):
    trace, _ = ask(index, ScriptedPipeline(f"{TRUE} {TRUE}"))
    assert [one["check"] for one in trace["sentences"]] == ["", "repeated"]
    trace, _ = ask(index, ScriptedPipeline(f"{TRUE} The old queen leaves with half"), max_tokens=18)
    assert [one["check"] for one in trace["sentences"]] == ["", "cut off"]
    assert "18 tokens" in trace["sentences"][1]["reason"]


def test_the_reason_never_disagrees_with_the_check(index):
    """What is unsupported fails the check that is named; what is supported is asked for no reason."""
    hits = HybridRetriever(index).search(QUESTION, 5)
    embed = index.embedder.embed_sentences
    sentences = [sentence for hit in hits for sentence in hit.text.split(". ")]
    changed = [
        word.join(sentence.split(" the ")) for sentence in sentences for word in (" ", " not ", " Paris ", " 7 ")
    ]
    checks = set()
    for sentence in [*sentences, *changed, "", "Why?", "Jazz is blue."]:
        if find_support(sentence, hits, embed) is not None:
            continue
        lack = why_not(sentence, hits, embed)
        checks.add(lack.check)
        if lack.check == "words":
            assert lack.coverage < COVERAGE and lack.missing
        if lack.check == "order and meaning":
            assert lack.order < SAME_ORDER and lack.cosine < SAME_MEANING
        if lack.check == "number":
            assert lack.missing and not numbers(lack.nearest.text) & set(lack.missing)
    assert {"number", "name", "denial", "words", "states nothing"} <= checks
    assert why_not("Jazz is blue.", [], embed).check == "no passage"


def test_the_prompt_is_the_one_that_was_sent_and_its_tokens_add_up(index):
    pipeline = ScriptedPipeline(TRUE, window=85)
    trace, pieces = ask(index, pipeline, history=[("old question", "old answer " * 40), ("new", "turn")], max_tokens=10)
    prompt = trace["prompt"]
    assert prompt["text"] == pipeline.prompts[0] and prompt["was_sent"] and prompt["window"] == 85
    inside = [one for one in trace["passages"] if one["n"]]
    assert prompt["tokens"] == prompt["frame"] + sum(one["tokens"] for one in inside) <= prompt["room"] == 75
    assert (prompt["turns"], prompt["turns_given"]) == (1, 2)
    left = [one for one in trace["passages"] if one["n"] is None]
    assert len(left) == pieces[0]["left_out"] > 0
    assert all(one["reason"] == f"did not fit: it takes {one['tokens']} tokens, {75 - prompt['tokens']} are left"
               and one["tokens"] > 75 - prompt["tokens"] for one in left)  # fmt: skip


def test_candidates_have_scores_and_ranks_of_each_stage(index):
    trace, _ = ask(index, None)
    candidates = trace["candidates"]
    assert [one["rank"] for one in candidates] == [*range(1, len(candidates) + 1)] and len(candidates) > 3
    assert trace["proposed"] >= len(candidates)
    assert [one["ranks"]["fused"] for one in candidates] == [one["rank"] for one in candidates]
    assert [one["fused"] for one in candidates] == sorted((one["fused"] for one in candidates), reverse=True)
    for stage in ("dense", "keyword"):
        by_score = sorted(candidates, key=lambda one: (-one[stage], one["ranks"][stage]))
        ranks = [one["ranks"][stage] for one in by_score]
        assert ranks == sorted(ranks) and len(set(ranks)) == len(ranks)
    assert {one["passage"] for one in candidates} == {1, 2, 3, None}
    assert "not among the best 3" in {one["became"] for one in candidates}


def test_a_reranker_has_its_own_column(index):
    trace, _ = ask(index, None, reranker=ScriptedReranker(lambda question, texts: range(len(texts))))
    candidates = trace["candidates"]
    assert [one["ranks"]["rerank"] for one in candidates] == [one["rank"] for one in candidates]
    assert [one["ranks"]["fused"] for one in candidates] != [one["rank"] for one in candidates]


def test_what_was_folded_and_joined_is_told(folder, ingest, index):
    (folder / "copy.md").write_text((folder / "bees.md").read_text())
    ingest(folder)
    trace, pieces = ask(index, None, top_k=6)
    same = [one for one in trace["candidates"] if one["became"].startswith("same text as passage")]
    assert same and all(one["where"]["source"] in ("copy.md", "bees.md") for one in same)
    for one in same:
        passage = pieces[0]["retrieved"][one["passage"] - 1]
        assert any(other.startswith(one["where"]["source"]) for other in passage["also"])
    assert any(one["also"] for one in trace["passages"])
    parts = [one for one in trace["candidates"] if one["became"].startswith("part of passage")]
    for one in parts:
        assert one["where"]["text"] in pieces[0]["retrieved"][one["passage"] - 1]["text"]


def test_a_passage_that_repeats_a_better_one_is_told(folder, ingest, index):
    words = "the amber kiln fires seventy porcelain bowls every second week of june".split()
    for n in range(1, 5):
        (folder / f"kiln{n}.txt").write_text(f"{' '.join(words[n:] + words[:n])}.\n")
    ingest(folder)
    trace, _ = ask(index, None, "Which kiln fires seventy porcelain bowls? Bees, lighthouse.", top_k=3)
    became = {one["where"]["source"]: one["became"] for one in trace["candidates"]}
    assert "says only what better passages say" in [became[f"kiln{n}.txt"] for n in range(1, 5)]
    over = [one for one in trace["candidates"] if one["became"] == "says only what better passages say"]
    assert all(one["passage"] is None for one in over)


def test_a_refusal_is_told_with_score_and_threshold(index):
    pipeline = ScriptedPipeline(TRUE)
    trace, pieces = ask(index, pipeline, "xylophone zeppelin quasar")
    near = trace["nearness"]
    assert pieces[-2]["abstained"] and not near["enough"] and near["score"] < near["needed"]
    assert f"{near['score']:.3f}" in trace["reason"] and str(near["needed"]) in trace["reason"]
    assert trace["prompt"]["was_sent"] is False and not pipeline.prompts
    assert trace["sentences"] == [] and trace["quotes"] == []
    near = ask(index, pipeline)[0]["nearness"]
    assert near["enough"] and near["score"] >= near["needed"]


def test_quotes_considered_are_told_with_their_markers(index):
    trace, pieces = ask(index, None)
    assert trace["mode"] == "quoted" and trace["prompt"] is None and trace["model"] == "none"
    shown = [one for one in trace["quotes"] if one["n"]]
    cited = [cited for piece in pieces for cited in piece.get("citations", [])]
    assert sorted(one["n"] for one in shown) == [one["n"] for one in cited]
    assert {one["where"]["text"] for one in shown} == {one["text"] for one in cited}
    assert len(trace["quotes"]) > len(shown)


def test_a_follow_up_shows_what_was_searched_for(index):
    history = [("Who built the lighthouse of Marrow Point?", "Ada Finch [1].")]
    trace, _ = ask(index, None, "How tall is it?", history)
    assert trace["question"] == "How tall is it?" and "lighthouse" in trace["searched"]


def test_the_steps_take_the_time_that_the_answer_took(index):
    trace, pieces = ask(index, ScriptedPipeline(f"{TRUE} {OTHER}"))
    assert {"search", "wait for the model", "pack", "check", "write"} <= set(trace["seconds"])
    assert all(seconds >= 0 for seconds in trace["seconds"].values())
    assert sum(trace["seconds"].values()) == pytest.approx(pieces[-2]["timings"]["total"], abs=0.05)


@pytest.fixture
def chain(index):
    pipeline = ScriptedPipeline(f"{TRUE} {OTHER}")
    return RagChain(index, partial(find_evidence, HybridRetriever(index)), lambda: pipeline, top_k=3)


def test_the_chain_gives_a_trace_only_when_asked(chain):
    assert "trace" not in chain.invoke(QUESTION) and "trace" not in chain.invoke({"question": QUESTION})
    told = chain.invoke({"question": QUESTION, "explain": True})
    assert told["trace"]["sentences"][0]["outcome"] == "shown" and told["trace"]["candidates"]
    plain = chain.invoke(QUESTION)
    assert {key for key in told if key != "trace"} == set(plain)
    assert all(told[key] == plain[key] for key in plain if key != "timings")


def test_the_trace_names_the_filter(chain):
    asked = {"question": QUESTION, "explain": True, "filter": "source:bees.md"}
    assert chain.invoke(asked)["trace"]["filters"] == "source:bees.md"


async def test_callbacks_get_the_same_trace(chain):
    asked = {"question": QUESTION, "explain": True}
    events = [event async for event in chain.astream_events(asked, version="v2")]
    told = [event["data"] for event in events if event["event"] == "on_custom_event" and event["name"] == TRACE_EVENT]
    ends = [event["data"]["output"] for event in events if event["event"] == "on_chain_end"]
    assert told == [ends[-1]["trace"]]
    silent = [event["event"] async for event in chain.astream_events(QUESTION, version="v2")]
    assert "on_custom_event" not in silent


def test_a_passage_without_text_that_counts_has_no_support():
    hit = Hit(1, "a.md", 0, None, 0, 0, (), "", 1.0, 0.5)
    assert why_not("Bees dance.", [hit], lambda texts: None).check == "no passage"
