"""What was noted on the way to an answer, made into its trace.

All of it is made after the answer is there, so that timings are those of an answer that nobody asks to explain. It
takes a count of tokens for each passage, and the embedding of two texts for each sentence that was dropped.
"""

import re
from collections.abc import Iterator, Sequence

from ingest.nearness import near
from rag_dolly.answer import bearing, least_bearing
from rag_dolly.asked import Asked, Judged, Piece
from rag_dolly.context import Packed
from rag_dolly.ground import COVERAGE, SAME_MEANING, SAME_ORDER, Lack, Support, nearness, why_not
from rag_dolly.quote import Quote
from rag_dolly.retrieve import Found
from rag_dolly.trace import Candidate, Nearness, Outcome, Passage, Prompt, QuoteConsidered, Sentence, Trace, Where
from rag_dolly.types import Hit, Pipeline, place_of
from rag_dolly.words import content_words, is_negated

MOST_QUOTES = 10
"""How many of the quotes considered are told of."""


def explain(found: Sequence[Found], state: Asked) -> Piece:
    """Return the trace of an answer as JSON. `found` is what the retriever told, empty if it told nothing."""
    sentences = tuple(_sentence(judged, state) for judged in state.judged)
    return Trace(
        question=state.question,
        searched=state.asked,
        filters=found[-1].filters if found else "",
        proposed=found[-1].total if found else len(state.evidence),
        candidates=tuple(_candidates(found[-1], state.evidence, state.parts.top_k)) if found else (),
        nearness=_nearness(state),
        passages=tuple(_passages(state)),
        model=state.pipeline.name if state.pipeline else "none",
        prompt=_prompt(state, state.pipeline, state.packed) if state.pipeline and state.packed else None,
        sentences=sentences,
        quotes=tuple(_quotes(state)),
        mode=state.mode,
        reason=_reason(state, sentences),
        seconds={step: round(seconds, 4) for step, seconds in state.seconds.items()},
    ).to_json()


def _where(span: Hit | Support | Quote) -> Where:
    hit = span if isinstance(span, Hit) else span.hit
    return Where(hit.source, hit.page, hit.place, span.start, span.end, span.text)


def _candidates(found: Found, evidence: Sequence[Hit], top_k: int) -> Iterator[Candidate]:
    """Yield what the retriever found, and what became of each."""
    read = sorted((hit.rerank for hit in found.hits if hit.rerank is not None), reverse=True)
    last = max((hit.rank for hit in found.hits if _owner(hit, evidence)), default=0)
    for hit, fused, named, ranks in zip(found.hits, found.fused, found.named, found.ranks, strict=True):
        owner = _owner(hit, evidence)
        passage, became = _became(hit, owner, last, top_k)
        places = ranks | ({"rerank": read.index(hit.rerank) + 1} if hit.rerank is not None else {})
        scores = (hit.dense, hit.keyword, round(fused, 4), named, hit.rerank)
        yield Candidate(hit.rank, _where(hit), *scores, places, passage, became)


def _owner(hit: Hit, evidence: Sequence[Hit]) -> Hit | None:
    """Return the passage that holds a candidate, or that names its place as another one with the same text."""
    holds = (one for one in evidence if one.source == hit.source and one.start <= hit.start and hit.end <= one.end)
    names = (one for one in evidence if place_of(hit) in one.also)
    return next(holds, None) or next(names, None)


def _became(hit: Hit, owner: Hit | None, last: int, top_k: int) -> tuple[int | None, str]:
    """Return the passage that a candidate went into, and in words what became of it."""
    if owner is None:
        passed_over = hit.rank < last
        return None, "says only what better passages say" if passed_over else f"not among the best {top_k}"
    if owner.source != hit.source or not owner.start <= hit.start < owner.end:
        return owner.rank, f"same text as passage {owner.rank}"
    is_part = (owner.start, owner.end) != (hit.start, hit.end)
    return owner.rank, f"{'part of ' if is_part else ''}passage {owner.rank}"


def _nearness(state: Asked) -> Nearness:
    cosine, share = nearness(state.asked, state.hits, state.is_known)
    score = round(near(cosine, share), 4)
    return Nearness(round(cosine, 4), round(share, 4), score, round(state.needed, 4), state.is_near)


def _passages(state: Asked) -> Iterator[Passage]:
    """Yield each passage that was found, by rank: whether it is in the prompt, and what it takes of it."""
    tokens = _tokens(state, state.pipeline, state.packed) if state.pipeline and state.packed else {}
    packed = state.packed.hits if state.packed else ()
    numbers = {hit.rank: n for n, hit in enumerate(packed, 1)}
    room = state.packed.room - state.packed.tokens if state.packed else 0
    for hit, found in zip(state.hits, state.evidence, strict=True):
        n, size = numbers.get(hit.rank), tokens.get(hit.rank, 0)
        widened = (hit.start, hit.end) != (found.start, found.end)
        reason = "widened to its paragraph" if widened else ""
        if state.packed and n is None:
            reason = f"did not fit: it takes {size} tokens, {room} are left"
        yield Passage(hit.rank, _where(hit), hit.also, n, size, widened, reason)


def _tokens(state: Asked, pipeline: Pipeline, packed: Packed) -> dict[int, int]:
    """Return by rank how many tokens each passage adds to the prompt, or would add to the whole of it."""

    def size(texts: Sequence[str]) -> int:
        return pipeline.count(pipeline.render(state.question, texts, packed.history))

    texts = [hit.text for hit in packed.hits]
    sizes = [size(texts[:n]) for n in range(len(texts))] + [packed.tokens]
    inside = {hit.rank: sizes[n + 1] - sizes[n] for n, hit in enumerate(packed.hits)}
    return inside | {hit.rank: size([*texts, hit.text]) - packed.tokens for hit in packed.not_fitting}


def _prompt(state: Asked, pipeline: Pipeline, packed: Packed) -> Prompt:
    return Prompt(
        text=packed.prompt,
        window=pipeline.window,
        room=packed.room,
        tokens=packed.tokens,
        frame=pipeline.count(pipeline.render(state.question, (), packed.history)),
        answer_tokens=state.answer_tokens,
        turns=len(packed.history),
        turns_given=len(state.history),
        was_sent=state.is_near and bool(packed.hits),
    )


def _sentence(judged: Judged, state: Asked) -> Sentence:
    """Return what became of a sentence of the model, and why."""
    support = judged.support
    if judged.fate == "shown" and support:
        n = state.cited.numbers.get((support.hit.source, support.start, support.end))
        return Sentence(judged.text, "shown", "", "", round(support.score, 4), n, _where(support))
    outcome: Outcome = "replaced" if state.mode == "quoted" else "dropped"
    if judged.fate == "unsupported" and state.packed:
        lack = why_not(judged.text, state.packed.hits, state.parts.embed)
        nearest = lack.nearest
        score, where = (round(nearest.score, 4), _where(nearest)) if nearest else (None, None)
        return Sentence(judged.text, outcome, lack.check, _why(judged.text, lack), score, None, where)
    if judged.fate == "off the question" and support:
        reason = _off(support, state.considered or [])
        return Sentence(judged.text, outcome, judged.fate, reason, round(support.score, 4), None, _where(support))
    said = "it says again what was said, so the model was stopped"
    reason = said if judged.fate == "repeated" else f"it was cut off at the limit of {state.parts.max_tokens} tokens"
    return Sentence(judged.text, outcome, judged.fate, reason, None, None, None)


def _why(sentence: str, lack: Lack) -> str:
    """Return in words which check a sentence failed."""
    missing = ", ".join(_as_written(sentence, lack.missing))
    some = "s" if len(lack.missing) > 1 else ""
    here, there = ("something", "nothing") if is_negated(sentence) else ("nothing", "something")
    needs = f"{COVERAGE:.0%} are needed; missing: {missing}"
    return {
        "number": f"the nearest text does not have the number{some} {missing}",
        "name": f"the nearest text does not have the name{some} {missing}",
        "denial": f"it denies {here}, the nearest text denies {there}",
        "words": f"the nearest text has {lack.coverage:.0%} of its words, {needs}",
        "order and meaning": (
            f"the nearest text has {lack.order:.0%} of its words in this order ({SAME_ORDER:.0%} are needed), and its "
            f"meaning is {lack.cosine:.2f} near ({SAME_MEANING} is needed)"
        ),
        "states nothing": "it states nothing: it asks, announces, gives an order, or has no words",
        "no passage": "no passage has text that may support anything",
    }[lack.check]


def _as_written(sentence: str, missing: Sequence[str]) -> list[str]:
    """Return what is missing as the sentence writes it, instead of stems or in lower case."""
    wanted = set(missing)
    words = dict.fromkeys(re.findall(r"\w[\w'’-]*\w|\w", sentence))
    found = [word for word in words if word.lower() in wanted or wanted & set(content_words(word))]
    return found if found and not any(part[0].isdigit() for part in wanted) else list(missing)


def _off(support: Support, scored: Sequence[Quote]) -> str:
    here = bearing(support, scored)
    said = f"scores {here:.2f} for the question" if here is not None else "has no score for the question"
    needed = f"; {least_bearing(scored):.2f} is needed" if scored else ""
    return f"it is supported, but by text that does not bear on the question: it {said}{needed}"


def _quotes(state: Asked) -> Iterator[QuoteConsidered]:
    """Yield the best sentences that were considered as quotations, and whichever was taken."""
    considered = state.considered or []
    taken = {id(quote) for quote in state.quoted}
    for n, quote in enumerate(considered):
        if n < MOST_QUOTES or id(quote) in taken:
            number = state.cited.numbers.get((quote.hit.source, quote.start, quote.end)) if id(quote) in taken else None
            scores = round(quote.score, 4), round(quote.cosine, 4)
            yield QuoteConsidered(_where(quote), *scores, number, *_reading(quote))


def _reading(quote: Quote) -> tuple[float, str] | tuple[()]:
    found = quote.reading
    if not found or found.end <= found.start:
        return ()
    return round(found.score, 4), quote.hit.text[found.start : found.end]


def _reason(state: Asked, sentences: Sequence[Sentence]) -> str:
    """Return in one sentence why the answer has its mode."""
    shown = sum(sentence.outcome == "shown" for sentence in sentences)
    if state.mode == "generated":
        return f"Generated: {shown} of {len(sentences)} sentences of the model are supported and shown."
    if not state.is_near:
        near = _nearness(state)
        return f"Refused: the passages come {near.score:.3f} near the question, {near.needed:.3f} is needed."
    if state.mode == "abstained":
        return "Stopped before there was an answer." if state.stop() else "Refused: the passages hold nothing to quote."
    if state.pipeline is None:
        if state.parts.reader_first:
            return "Quoted: the reader is sure of the words that answer, so the small language model was not asked."
        return "Quoted: there is no language model."
    if state.packed and not state.packed.hits:
        return "Quoted: no passage fits the window of the model."
    return f"Quoted: none of {len(sentences)} sentences of the model is supported and bears on the question."
