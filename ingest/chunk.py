"""A document to passages: along its structure, counted with the embedder's own tokenizer, offsets exact.

Neighbouring blocks under the same heading and on the same page are packed together. A block that is too
large is cut between sentences (between lines for code and tables), and only a sentence longer than a whole
passage is cut inside, between tokens. Parts are balanced: 300 tokens become two of 150, not one of 254 and one of 46.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import groupby

from ingest.passage import Block, Document, Passage
from ingest.sentences import sentence_spans

VERSION = 1
PASSAGE_TOKENS = 256
HEADING_TOKENS = 64

Span = tuple[int, int]
TokenSpans = Callable[[str], list[Span]]


def chunk(document: Document, token_spans: TokenSpans, max_tokens: int) -> list[Passage]:
    """Cut a document into passages.

    `token_spans(text)` gives the character span of each token, without special tokens; `max_tokens` is what
    `embedding_text(passage)` may have of them, heading path included. The text of a passage begins and ends
    with a visible character.
    """
    cost = _token_cost(document.text, token_spans)
    passages: list[Passage] = []
    for heading, page, blocks in _sections(document):
        room = max_tokens - _count(token_spans, context_line(document.title, heading))
        for start, end in _pack(document.text, blocks, cost, token_spans, max(room, max_tokens // 4)):
            text = document.text[start:end]
            passages.append(Passage(document.source, len(passages), text, start, end, page, heading))
    return passages


def context_line(title: str, heading: tuple[str, ...]) -> str:
    """Return what stands above a passage when it is embedded: its heading path, else the title."""
    return " > ".join(heading) or title


def embedding_text(title: str, passage: Passage) -> str:
    """Return the text that is embedded for a passage: its context line, then its own text."""
    line = context_line(title, passage.heading)
    return f"{line}\n{passage.text}" if line else passage.text


def _token_cost(text: str, token_spans: TokenSpans) -> Callable[[int, int], int]:
    starts = [start for start, _ in token_spans(text)]
    return lambda start, end: bisect_left(starts, end) - bisect_left(starts, start)


def _count(token_spans: TokenSpans, text: str) -> int:
    return len(token_spans(text)) if text else 0


def _sections(document: Document) -> Iterator[tuple[tuple[str, ...], int | None, list[Block]]]:
    """Yield (heading path, page, blocks) for each run of blocks under one heading and on one page."""
    path: list[Block] = []
    placed: list[tuple[tuple[str, ...], int | None, Block]] = []
    lonely: list[Block] = []
    for block in document.blocks:
        if block.kind == "heading":
            path = [above for above in path if above.level < block.level] + [block]
            lonely.append(block)
            continue
        placed.append((tuple(b.title for b in path), _page(document, block.start), block))
    if not placed:  # a document of headings only: they are all there is to find
        placed = [((), _page(document, block.start), block) for block in lonely]
    for (heading, page), group in groupby(placed, key=lambda item: item[:2]):
        yield _shorten(heading), page, [block for _, _, block in group]


def _shorten(heading: tuple[str, ...]) -> tuple[str, ...]:
    """Keep heading paths to a fraction of a passage: drop the outermost first, then cut what remains."""
    while len(heading) > 1 and sum(map(len, heading)) > HEADING_TOKENS * 3:
        heading = heading[1:]
    return tuple(title[: HEADING_TOKENS * 3] for title in heading)


def _page(document: Document, offset: int) -> int | None:
    return bisect_right(document.page_starts, offset) or None


def _pack(
    text: str, blocks: list[Block], cost: Callable[[int, int], int], token_spans: TokenSpans, room: int
) -> Iterator[Span]:
    """Join units into spans of at most `room` tokens, breaking between blocks where that costs little."""
    units = [unit for block in blocks for unit in _units(text, block, cost, token_spans, room)]
    if not units:
        return
    total = sum(cost(*unit) for unit in units)
    target = total / max(1, math.ceil(total / room))
    start, end = units[0]
    for unit in units[1:]:
        if cost(start, unit[1]) > room or cost(start, end) >= target * 0.95:
            yield start, end
            start = unit[0]
        end = unit[1]
    yield start, end


def _units(
    text: str, block: Block, cost: Callable[[int, int], int], token_spans: TokenSpans, room: int
) -> Iterator[Span]:
    """Yield the pieces a block may be cut into: itself if it fits, else its sentences or lines."""
    if cost(block.start, block.end) <= room:
        yield block.start, block.end
        return
    by_line = block.kind in ("code", "table")
    pieces = _lines(text, block) if by_line else sentence_spans(text, block.start, block.end)
    for start, end in pieces:
        if cost(start, end) <= room:
            yield start, end
        else:
            yield from _cut(text, start, end, token_spans, room)


def _lines(text: str, block: Block) -> list[Span]:
    spans, start = [], block.start
    for line in text[block.start : block.end].splitlines(keepends=True):
        if line.strip():
            lead = len(line) - len(line.lstrip("\n"))
            spans.append((start + lead, start + len(line.rstrip())))
        start += len(line)
    return spans


def _cut(text: str, start: int, end: int, token_spans: TokenSpans, room: int) -> Iterator[Span]:
    """Cut one over-long run of text between tokens, at a space where there is one near."""
    tokens = [(start + a, start + b) for a, b in token_spans(text[start:end])]
    first = 0
    while first < len(tokens):
        last = min(first + room, len(tokens))
        if last < len(tokens):
            spaced = (i for i in range(last, first + room // 2, -1) if text[tokens[i][0] - 1].isspace())
            last = next(spaced, last)
        yield tokens[first][0], tokens[last - 1][1]
        first = last
