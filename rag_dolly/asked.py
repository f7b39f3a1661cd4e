"""One question under way: what answering is made of, what is given out, and what is noted for an explanation.

Noting costs nothing worth measuring: references and clock readings. Nothing here outlives the question.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ingest.embed import Embedder
from rag_dolly.context import Packed, Widen
from rag_dolly.ground import NEAR_ENOUGH, WORDS_ENOUGH, Support
from rag_dolly.inert import answer_line, line_before
from rag_dolly.quote import Quote, score_sentences
from rag_dolly.sentence_features import LEAST_KNOWN, Embed
from rag_dolly.types import Citation, Hit, Mode, Pipeline, Reader, Turn

Piece = dict[str, Any]
Stop = Callable[[], bool]
Fate = Literal["shown", "unsupported", "off the question", "repeated", "cut off"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What answering is made of. `pipeline()` gives None for quotes alone; `generate` streams from it.

    The pipeline is asked for after retrieval, so that it may load in the meantime. `widen` grows the best passage
    where the prompt has room. `explain` makes the trace, the last piece, of what was noted on the way. With an
    `embedder` that has vectors of tokens, sentences are compared with the question token by token. `near_enough` is the
    nearness that the index needs, None if it was not calibrated. `reader()` gives what finds the words that answer;
    with `reader_first` the language model is asked only where the reader is not sure.
    """

    retrieve: Callable[[str, int], list[Hit]]
    pipeline: Callable[[], Pipeline | None]
    generate: Callable[[str, int, Stop], Iterator[str]]
    embed: Embed
    top_k: int
    max_tokens: int
    widen: Widen | None = None
    explain: "Callable[[Asked], Piece] | None" = None
    embedder: Embedder | None = None
    near_enough: float | None = None
    reader: Callable[[], Reader | None] = lambda: None
    reader_first: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence of the model, what became of it, and what supports it if anything does."""

    text: str
    fate: Fate
    support: Support | None = None


@dataclass(slots=True)
class Cited:
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
        line = answer_line(sentence, line_before(hit.text, span.start - hit.start) if sentence == span.text else "")
        return {"answer": f"{before}{line} [{n}]", "citations": [asdict(found)] if is_new else []}


@dataclass(slots=True)
class Asked:
    """One question under way, and what is noted on the way for who wants it explained.

    `evidence` are the hits as they were found, `hits` the same as they were packed; `seconds` are those of each step.
    """

    question: str
    asked: str
    history: Sequence[Turn]
    parts: Parts
    stop: Stop
    began: float
    evidence: list[Hit] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    pipeline: Pipeline | None = None
    mode: Mode = "abstained"
    packed: Packed | None = None
    answer_tokens: int = 0
    cited: Cited = field(default_factory=Cited)
    is_near: bool = True
    judged: list[Judged] = field(default_factory=list)
    quoted: list[Quote] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    considered: list[Quote] | None = None

    def lap(self, step: str) -> None:
        """Add to a step the time since the last step."""
        self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - self.began - sum(self.seconds.values())

    @property
    def is_known(self) -> bool:
        """Whether the embedder knows the script of the question, as far as that can be told."""
        return self.parts.embedder is None or self.parts.embedder.knows(self.asked) >= LEAST_KNOWN

    @property
    def needed(self) -> float:
        """The nearness that the question must reach to be answered."""
        calibrated = NEAR_ENOUGH if self.parts.near_enough is None else self.parts.near_enough
        return calibrated if self.is_known else WORDS_ENOUGH

    def scored(self) -> list[Quote]:
        """Return the sentences of the hits, best first; made when first wanted."""
        if self.considered is None:
            self.considered = score_sentences(
                self.asked, self.hits, self.parts.embed, self.parts.embedder, self.parts.reader()
            )
        return self.considered
