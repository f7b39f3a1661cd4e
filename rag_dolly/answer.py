"""Question to answer, step by step: retrieve, pack, generate, check each sentence, or quote, or refuse.

Plain functions over the seams; `chain.py` makes a LangChain Runnable of it. The answer comes in pieces, dicts that add
up: first what was retrieved, then text with its citations sentence by sentence, last the mode, usage and timings.
Only sentences that the packed passages support are ever given out.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ingest.sentences import sentence_spans
from rag_dolly.context import Packed, Widen, pack
from rag_dolly.errors import EmptyQuestion, QuestionTooLong
from rag_dolly.followup import search_text
from rag_dolly.ground import Support, answerable, find_support
from rag_dolly.quote import Embed, Quote, best_quotes, score_sentences
from rag_dolly.types import Citation, Hit, Mode, Pipeline, Turn, hit_json
from rag_dolly.words import content_words

REFUSAL = "I could not find an answer to this in the documents."
MAX_QUESTION = 20_000
GIVE_UP_AFTER = 2
"""Unsupported sentences in a row, with nothing supported yet, after which quoting is better than waiting."""
RELEVANT = 0.6
"""A supported sentence must rest on text that scores this fraction of the best quote for the question."""

_LIST_MARK = re.compile(r"^(?:[-*+•>]|\d+[.)])\s+")
# Comments, closing tags, tags with attributes, common inline tags; "Vec<i32>" and "x < y" are text.
_TAG = re.compile(
    r"<!--.*?-->|</[A-Za-z]\w*>|<[A-Za-z]\w*\s+[\w-]+=[^<>]*>|<(?:b|i|u|em|strong|code|kbd|span|p|br)\s*/?>"
)

Piece = dict[str, Any]
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Parts:
    """What answering is made of. `pipeline()` gives None for quotes alone; `generate` streams from it.

    The pipeline is asked for after retrieval, so that it may load in the meantime. `widen` grows the best passage
    where the prompt has room.
    """

    retrieve: Callable[[str, int], list[Hit]]
    pipeline: Callable[[], Pipeline | None]
    generate: Callable[[str, int, Stop], Iterator[str]]
    embed: Embed
    top_k: int
    max_tokens: int
    widen: Widen | None = None


@dataclass(slots=True)
class _Cited:
    """Gives out citation numbers: the same place in a document has the same number."""

    numbers: dict[tuple[str, int, int], int] = field(default_factory=dict)
    is_first: bool = True

    def piece(self, sentence: str, span: Support | Quote, score: float, separator: str) -> Piece:
        """Return the piece for one sentence: its text with the marker, and its citation if that is a new one."""
        hit = span.hit
        key = (hit.source, span.start, span.end)
        is_new = key not in self.numbers
        n = self.numbers.setdefault(key, len(self.numbers) + 1)
        before = "" if self.is_first else separator
        self.is_first = False
        found = Citation(n, hit.source, hit.page, span.start, span.end, span.text, round(score, 4), hit.place)
        return {"answer": f"{before}{_one_line(sentence)} [{n}]", "citations": [asdict(found)] if is_new else []}


@dataclass(slots=True)
class _Question:
    """One question under way."""

    question: str
    asked: str
    parts: Parts
    stop: Stop
    began: float
    hits: list[Hit]
    pipeline: Pipeline | None
    mode: Mode = "abstained"
    packed: Packed | None = None
    answer_tokens: int = 0
    cited: _Cited = field(default_factory=_Cited)
    _scored: list[Quote] | None = None

    def scored(self) -> list[Quote]:
        """Return the sentences of the hits, best first; made when first wanted."""
        if self._scored is None:
            self._scored = score_sentences(self.asked, self.hits, self.parts.embed)
        return self._scored


def _one_line(sentence: str) -> str:
    """Return a sentence as it reads in an answer: on one line, without HTML tags or the mark of a list item."""
    line = _LIST_MARK.sub("", " ".join(_TAG.sub("", sentence).split()))
    return line or " ".join(sentence.split())


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
    hits = parts.retrieve(asked, parts.top_k)
    retrieved = time.monotonic() - began
    state = _Question(question, asked, parts, stop, began, hits, parts.pipeline())
    if state.pipeline:
        state.packed = pack(state.pipeline, question, hits, parts.max_tokens, history, parts.widen)
        packed = {hit.rank: hit for hit in state.packed.hits}
        state.hits = [packed.get(hit.rank, hit) for hit in hits]
    not_fitting = state.packed.not_fitting if state.packed else ()
    yield {
        "question": question,
        "retrieved": [hit_json(hit) for hit in state.hits],
        "left_out": len(not_fitting),
        "left_out_hits": [_left_out(hit) for hit in not_fitting],
        "model": state.pipeline.name if state.pipeline else "none",
        "answer": "",
        "citations": [],
    }
    first: float | None = None
    for mode, piece in _body(state):
        state.mode = mode
        first = first if first is not None else time.monotonic() - began
        yield piece
    yield _last(state, retrieved, first)


def _left_out(hit: Hit) -> Piece:
    """Return what is said of a hit that the model does not see."""
    where = {"rank": hit.rank, "source": hit.source, "page": hit.page, "place": hit.place}
    return {**where, "reason": "did not fit"}


def _body(state: _Question) -> Iterator[tuple[Mode, Piece]]:
    """Yield the text of the answer: generated if it holds, else quoted, else the refusal."""
    if not answerable(state.asked, state.hits):
        yield "abstained", {"answer": REFUSAL}
        return
    shown = False
    if state.packed and state.packed.hits:
        for piece in _generated(state, state.packed):
            shown = True
            yield "generated", piece
    if shown or state.stop():
        return
    for quote in best_quotes(state.scored()):
        shown = True
        yield "quoted", state.cited.piece(quote.text, quote, max(0.0, min(1.0, quote.cosine)), "\n")
    if not shown:
        yield "abstained", {"answer": REFUSAL}


def _generated(state: _Question, packed: Packed) -> Iterator[Piece]:
    """Yield the supported sentences as the model writes them.

    The model is stopped when it says again what it said, and when nothing it says is supported.
    """
    unsupported = 0
    said: set[frozenset[str]] = set()
    for sentence in _sentences(state, packed):
        words = frozenset(content_words(sentence))
        if any(words <= earlier for earlier in said):
            return
        said.add(words)
        support = find_support(sentence, packed.hits, state.parts.embed)
        if support and _is_relevant(support, state.scored()):
            unsupported = 0
            yield state.cited.piece(sentence, support, support.score, " ")
            continue
        unsupported += 1
        if unsupported >= GIVE_UP_AFTER:
            return


def _sentences(state: _Question, packed: Packed) -> Iterator[str]:
    """Yield each sentence of the model's text once it is complete; one cut off at the limit is not given out."""
    text, given = "", 0
    pieces = state.parts.generate(packed.prompt, state.parts.max_tokens, state.stop)
    try:
        for piece in pieces:
            text += piece
            spans = sentence_spans(text, given)
            for start, end in spans[:-1]:
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


def _is_relevant(support: Support, scored: Sequence[Quote]) -> bool:
    """Whether what supports a sentence also bears on the question."""
    here = [
        quote.score
        for quote in scored
        if quote.hit.source == support.hit.source and quote.start < support.end and support.start < quote.end
    ]
    return bool(here) and max(here) >= RELEVANT * scored[0].score


def _last(state: _Question, retrieved: float, first: float | None) -> Piece:
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
