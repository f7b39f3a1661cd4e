"""A document to passages: along its structure, counted with the embedder's own tokenizer, offsets exact.

Neighbouring blocks under the same heading and on the same page are packed together. A block that is too
large is cut between sentences (between lines for code and tables), and only a sentence longer than a whole
passage is cut inside, between tokens. Parts are balanced: 300 tokens become two of 150, not one of 254 and one of 46.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import PurePosixPath

from ingest.passage import Block, Document, Passage
from ingest.sentences import sentence_spans

VERSION = 2
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
    starts = [place.start for place in document.places]
    for heading, page, blocks in _sections(document):
        heading = _bounded(document.title, heading, token_spans, max_tokens * 3 // 4)
        room = max_tokens - _count(token_spans, context_line(document.title, heading))
        for start, end in _pack(document.text, blocks, cost, token_spans, room):
            text = document.text[start:end]
            place = _place(document, starts, start, end)
            passages.append(Passage(document.source, len(passages), text, start, end, page, heading, place))
    return passages


def embedding_title(source: str, title: str) -> str:
    """Return a document's title as `embedding_text` is given it: "" for one that is only the name of the file.

    So a file that is renamed, or lies there twice, is embedded once.
    """
    name = PurePosixPath(source)
    return "" if title in (name.stem, name.name) else title


def _place(document: Document, starts: list[int], start: int, end: int) -> str:
    """Return where in the file a span stands, in words: "sheet Orders, rows 2-30"."""
    first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
    if last < 0:
        return ""
    a, b = document.places[max(first, 0)], document.places[last]
    if a.kind == b.kind and (a.inside == b.inside or a.kind == "line"):
        inside = a.inside if a.inside == b.inside else ""
        return f"{inside}{a.kind} {a.number}" if a.number == b.number else f"{inside}{a.kind}s {a.number}-{b.number}"
    return f"{a.inside}{a.kind} {a.number} to {b.inside}{b.kind} {b.number}"


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


def _bounded(title: str, heading: tuple[str, ...], token_spans: TokenSpans, most: int) -> tuple[str, ...]:
    """Return the heading path, cut to its innermost title and that to `most` tokens where it would take more.

    A document's title that is too long itself is cut likewise and stands in for the path.
    """
    if _count(token_spans, context_line(title, heading)) <= most:
        return heading
    last = heading[-1] if heading else title
    spans = token_spans(last)
    return (last[: spans[most][0]].rstrip() if len(spans) > most else last,)


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
    """Cut one over-long run of text between tokens, at a space where there is one near.

    A character that is several tokens stays whole, and one that is none goes with the token before it.
    """
    tokens = [(start + a, start + b) for a, b in token_spans(text[start:end])]
    first, begin = 0, start
    while first < len(tokens):
        last = min(first + room, len(tokens))
        if last < len(tokens):
            whole = [i for i in range(last, first, -1) if tokens[i][0] >= tokens[i - 1][1]]
            spaced = (i for i in whole if i > first + room // 2 and text[tokens[i][0] - 1].isspace())
            last = next(spaced, whole[0] if whole else last)
        stop = tokens[last][0] if last < len(tokens) else end
        yield begin, begin + len(text[begin:stop].rstrip())
        first, begin = last, stop
