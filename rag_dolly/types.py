"""The nouns between question and answer, and the seams. Read this first.

A question goes through `Retriever` (question -> hits), `Pipeline` (prompt -> text) and grounding
(text + hits -> `Answer`). The protocols here are all that the chain knows of its parts; tests put fakes
behind them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mode = Literal["generated", "quoted", "abstained"]
Turn = tuple[str, str]
"""One earlier exchange: (question, answer)."""


HEADING_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage and the score of each stage that saw it (None where a stage did not).

    `score` decides the order and lies in 0..1 for fused results; `dense` is the cosine similarity;
    `keyword` is the BM25 score, higher is better; `rerank` is the reranker's output. `page` counts from 1. `heading` is
    the path of headings above the passage, the document's title where there is none. `place` says in words where in
    the file the passage stands ("sheet Orders, rows 2-30"), "" where pages or nothing finer are known. `also` names
    other places with the same text ("guide.pdf, page 3").
    """

    rank: int
    source: str
    ordinal: int
    page: int | None
    start: int
    end: int
    heading: tuple[str, ...]
    text: str
    score: float
    dense: float | None = None
    keyword: float | None = None
    rerank: float | None = None
    place: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement of the answer can be checked: `text` is the document's text at start..end.

    `n` is the number of the marker `[n]` in the answer; offsets are into the document's text, so the
    citation can be found and highlighted exactly; `score` is the support, 0..1; `place` is that of the passage.
    """

    n: int
    source: str
    page: int | None
    start: int
    end: int
    text: str
    score: float
    place: str = ""


def hit_json(hit: Hit) -> dict[str, Any]:
    """Return a hit as the JSON contract has it: the heading path is one string."""
    return {**asdict(hit), "heading": HEADING_SEPARATOR.join(hit.heading), "also": list(hit.also)}


def place_of(hit: Hit) -> str:
    """Return in words where a hit stands: its source, and the place, page or characters in it."""
    within = hit.place or (f"page {hit.page}" if hit.page else f"characters {hit.start}-{hit.end}")
    return f"{hit.source}, {within}"


class Retriever(Protocol):
    """Finds the passages that a question is about."""

    def search(self, question: str, top_k: int) -> list[Hit]:
        """Return at most `top_k` hits, best first."""


class Reranker(Protocol):
    """A model that reads question and passage together; `name` says which. Safe to share between threads.

    It reads the best `depth` passages, of these only what is at most `margin` behind the best in the fused score
    (None: all), and nothing where the best has no rival. Its scores, times `weight`, are added to the fused ones
    (`fuse`); with no weight they decide alone.
    """

    name: str
    depth: int
    margin: float | None
    weight: float | None

    def scores(self, question: str, texts: Sequence[str]) -> "NDArray[np.float32] | None":
        """Return how well each of n texts answers, shape (n,), higher is better, on a scale of the model's own.

        None if it cannot judge this question: the order then stays as it is.
        """


class Reading(NamedTuple):
    """Where an answer stands in a text (character offsets), and its log-odds against "no answer in this text"."""

    start: int
    end: int
    score: float


class Reader(Protocol):
    """Finds the words in passages that answer a question. Safe to share between threads."""

    def read(
        self, question: str, texts: Sequence[str], ranges: Sequence[Sequence[tuple[int, int]]]
    ) -> list[list[Reading]]:
        """Return for each text, for each of its character ranges, the best answer within the range.

        A range that holds no word has the score -inf.
        """


class Pipeline(Protocol):
    """A language model: renders its own prompt format, counts with its own tokenizer, streams text.

    `name` says which model it is; `window` is how many tokens prompt and answer may have together.
    """

    name: str
    window: int

    def render(self, question: str, passages: Sequence[str], history: Sequence[Turn] = ()) -> str:
        """Return the exact prompt. Passages are numbered from 1 in the order given.

        Question, passages and history are data: whatever they contain, they cannot forge control tokens.
        """

    def count(self, prompt: str) -> int:
        """Return how many tokens the model will see for a prompt made by `render`."""

    def stream(self, prompt: str, max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        """Yield the answer in pieces of text, greedily decoded, until the end mark or `max_tokens`.

        The model stops within one token after `stop()` turns true, and when the iterator is closed.
        """

    def batch(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        """Return one answer for each prompt, the same as `stream` gives one by one."""
