"""Question to answer, step by step: retrieve, pack, generate, check each sentence, or quote, or refuse.

Plain functions over the seams; `chain.py` makes a LangChain Runnable of it. The answer comes in pieces, dicts that add
up: first what was retrieved, then text with its citations sentence by sentence, last the mode, usage and timings.
Only sentences that the packed passages support are ever given out.
"""

import math
import time
from collections.abc import Iterator, Sequence

from ingest.sentences import sentence_spans
from rag_dolly.asked import Asked, Fate, Judged, Parts, Piece, Stop
from rag_dolly.context import Packed, pack
from rag_dolly.errors import EmptyQuestion, QuestionTooLong
from rag_dolly.followup import search_text
from rag_dolly.ground import Support, answerable, find_support
from rag_dolly.inert import answer_line, line_before, without_markers
from rag_dolly.question_type import question_type
from rag_dolly.quote import Quote, best_quotes, short_answer
from rag_dolly.types import Hit, Mode, Turn, hit_json
from rag_dolly.words import content_words

REFUSAL = "I could not find an answer to this in the documents."
MAX_QUESTION = 20_000
GIVE_UP_AFTER = 2
"""Unsupported sentences in a row, with nothing supported yet, after which quoting is better than waiting."""
_CODE = 100
"""Letters after which a backtick that nothing closed is taken for a mark of its own."""
RELEVANT = 0.035
"""A supported sentence must rest on text that is this fraction as likely the answer as the best quote is."""


def check_question(question: str) -> str:
    """Return the question without surrounding space. Raises `EmptyQuestion` or `QuestionTooLong`."""
    question = question.strip()
    if not question:
        raise EmptyQuestion("The question is empty: ask something.")
    if len(question) > MAX_QUESTION:
        raise QuestionTooLong(f"The question has {len(question)} characters, {MAX_QUESTION} are the limit: ask less.")
    return question


def answer_pieces(question: str, history: Sequence[Turn], parts: Parts, stop: Stop) -> Iterator[Piece]:
    """Yield the answer in pieces that add up. Raises `EmptyQuestion` or `QuestionTooLong`."""
    began = time.monotonic()
    question = check_question(question)
    asked = search_text(question, history)
    state = Asked(question, asked, history, parts, stop, began)
    hits = state.evidence = state.hits = parts.retrieve(asked, parts.top_k)
    retrieved = time.monotonic() - began
    state.lap("search")
    if not _needs_no_model(state):
        state.pipeline = parts.pipeline()
        state.lap("wait for the model")
    if state.pipeline:
        state.packed = pack(state.pipeline, question, hits, parts.max_tokens, history, parts.widen)
        packed = {hit.rank: hit for hit in state.packed.hits}
        state.hits = [packed.get(hit.rank, hit) for hit in hits]
        state.considered = state.considered if state.hits == hits else None  # a passage was widened: read it whole
        state.lap("pack")
    not_fitting = state.packed.not_fitting if state.packed else ()
    yield {
        "question": question,
        "retrieved": [hit_json(hit) for hit in state.hits],
        "left_out": len(not_fitting),
        "left_out_hits": [_left_out(hit) for hit in not_fitting],
        "model": state.pipeline.name if state.pipeline else "none",
        "answer": "",
        "short_answer": None,
        "citations": [],
    }
    first: float | None = None
    for mode, piece in _body(state):
        state.mode = mode
        first = first if first is not None else time.monotonic() - began
        yield piece
    yield _last(state, retrieved, first)
    if parts.explain:
        yield {"trace": parts.explain(state)}


def _needs_no_model(state: Asked) -> bool:
    """Whether the reader comes first, and it is sure, or the question is for a fact, or will be refused anyway."""
    if not state.parts.reader_first:
        return False
    if not answerable(state.asked, state.hits, state.needed, state.is_known):
        return True
    found = bool(state.scored()) and short_answer(state.scored()[0]) is not None
    state.lap("read")
    return found or question_type(state.asked) is not None


def _left_out(hit: Hit) -> Piece:
    """Return what is said of a hit that the model does not see."""
    where = {"rank": hit.rank, "source": hit.source, "page": hit.page, "place": hit.place}
    return {**where, "reason": "did not fit"}


def _body(state: Asked) -> Iterator[tuple[Mode, Piece]]:
    """Yield the text of the answer: generated if it holds, else quoted, else the refusal."""
    state.lap("hand out")
    state.is_near = answerable(state.asked, state.hits, state.needed, state.is_known)
    state.lap("check")
    if not state.is_near:
        yield "abstained", {"answer": REFUSAL}
        return
    shown = False
    if state.packed and state.packed.hits:
        for piece in _generated(state, state.packed):
            shown = True
            yield "generated", piece
            state.lap("hand out")
        state.lap("write")
    if shown or state.stop():
        return
    state.quoted = best_quotes(state.scored())
    state.lap("quote")
    for quote in state.quoted:
        shown = True
        yield "quoted", state.cited.piece(quote.text, quote, max(0.0, min(1.0, quote.cosine)), "\n")
    if not shown:
        yield "abstained", {"answer": REFUSAL}
    elif short := _short(state):
        yield "quoted", {"short_answer": short}


def _short(state: Asked) -> Piece | None:
    """Return the words of the best quote that answer in short, with the number of its citation."""
    best = state.quoted[0]
    span = short_answer(best)
    if span is None or best.reading is None:
        return None
    text = best.hit.text[best.reading.start : best.reading.end]
    n = state.cited.numbers[best.hit.source, best.start, best.end]
    where = {"n": n, "source": best.hit.source, "page": best.hit.page, "start": span[0], "end": span[1]}
    before = line_before(best.hit.text, best.reading.start)
    return {"text": answer_line(text, before), **where, "score": round(best.reading.score, 4)}


def _generated(state: Asked, packed: Packed) -> Iterator[Piece]:
    """Yield the supported sentences as the model writes them.

    The model is stopped when it says again what it said, and when nothing it says is supported.
    """
    unsupported = 0
    said: set[frozenset[str]] = set()
    for written in _sentences(state, packed):
        state.lap("write")
        sentence = without_markers(written)
        words = frozenset(content_words(sentence))
        if any(words <= earlier for earlier in said):
            state.judged.append(Judged(sentence, "repeated"))
            return
        said.add(words)
        support = find_support(sentence, packed.hits, state.parts.embed)
        fits = support is not None and _is_relevant(support, state.scored())
        state.judged.append(Judged(sentence, _fate(support, fits), support))
        state.lap("check")
        if support and fits:
            unsupported = 0
            yield state.cited.piece(sentence, support, support.score, " ")
            continue
        unsupported += 1
        if unsupported >= GIVE_UP_AFTER:
            return


def _fate(support: Support | None, fits: bool) -> Fate:
    return "unsupported" if support is None else "shown" if fits else "off the question"


def _sentences(state: Asked, packed: Packed) -> Iterator[str]:
    """Yield each sentence of the model's text once it is complete; one cut off at the limit is not given out."""
    text, given = "", 0
    pieces = state.parts.generate(packed.prompt, state.parts.max_tokens, state.stop)
    try:
        for piece in pieces:
            text += piece
            spans = sentence_spans(text, given)
            for start, end in spans[:-1]:
                if _is_open(text, start, end):
                    break
                yield text[start:end]
                given = end
    finally:
        close = getattr(pieces, "close", None)
        if close:
            close()
        state.answer_tokens = state.pipeline.count(text) if state.pipeline and text else 0
    if state.stop():
        return
    was_cut = state.answer_tokens >= state.parts.max_tokens - 1
    for start, end in sentence_spans(text, given):
        if not was_cut or text[end - 1] in ".!?。！？\"'”’)":
            yield text[start:end]
        else:
            state.judged.append(Judged(text[start:end], "cut off"))


def _is_open(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] may end in the middle of code between backticks, whose end is still to be written."""
    return text.count("`", start, end) % 2 == 1 and len(text) - end < _CODE


def _is_relevant(support: Support, scored: Sequence[Quote]) -> bool:
    """Whether what supports a sentence also bears on the question."""
    here = bearing(support, scored)
    return here is not None and here >= least_bearing(scored)


def least_bearing(scored: Sequence[Quote]) -> float:
    """Return the log-odds that what supports a sentence must have. There is a quote at least."""
    return scored[0].score + math.log(RELEVANT)


def bearing(support: Support, scored: Sequence[Quote]) -> float | None:
    """Return the best score for the question of the sentences that a support touches; None if none is scored."""
    here = (
        quote.score
        for quote in scored
        if quote.hit.source == support.hit.source and quote.start < support.end and support.start < quote.end
    )
    return max(here, default=None)


def _last(state: Asked, retrieved: float, first: float | None) -> Piece:
    total = time.monotonic() - state.began
    window = state.pipeline.window if state.pipeline else 0
    prompt_tokens = state.packed.tokens if state.packed and state.mode != "abstained" else 0
    return {
        "mode": state.mode,
        "abstained": state.mode == "abstained",
        "stopped": state.stop(),
        "usage": {"window": window, "prompt_tokens": prompt_tokens, "answer_tokens": state.answer_tokens},
        "timings": {
            "retrieve": round(retrieved, 4),
            "first_token": round(first if first is not None else total, 4),
            "total": round(total, 4),
        },
    }
