"""Which lines of a PDF's pages are running heads, footers and page numbers.

A row at the top or bottom edge of a page is one if the same words stand at the same height of enough pages nearby
(of more pages if only the digits differ), or if it begins or ends with a number that counts the pages there; a number
alone may then stand at any height. Only when the row at the edge is one, the next row is looked at. Rows in larger
letters than the text's are headings and stay. Fewer than `_PAGES` pages have nothing to compare. Headings that really
stand on top of each of several neighbouring pages, in the same words and the size of the text, are taken for running
heads.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf
from statistics import median
from typing import NamedTuple

from ingest.loaders.pdf_layout import Line

_PAGES = 3
"""A row at the edge stands on so many pages nearby, itself included."""
_PAGES_FURTHER_IN = 6
_SHARE_FURTHER_IN = 0.8
"""One further in, or with other digits on each page, on so many, or on so large a share of a short file."""
_NEARBY = 10
_DEPTH = 4
"""So many rows at either edge are looked at."""
_SAME_HEIGHT = 5.0
_COUNTING_HEIGHT = 15.0
"""Rows that count pages may stand so much higher or lower than each other, in points."""
_LONGEST = 160
_NUMBER_ALONE = 5
"""A row with no more letters and digits than so many is but a number."""
_LARGER = 1.25
_MOST_OF_ALL = 0.4
"""Share of a file's characters above which what repeats is no running head but the text (a form, say); if it is
less with the rows at the very edge alone, those are taken."""
_DIGITS = re.compile(r"\d+")
_FIRST = re.compile(r"\W*(?:page |seite |p\. ?)?(\d{1,5}|[ivxl]{1,7})(?!\w)", re.IGNORECASE)
_LAST = re.compile(r"(?<!\w)(\d{1,5}|[ivxl]{1,7})\W*\Z", re.IGNORECASE)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}

PageLines = tuple[str, Sequence[Line]]
"""The text of a page and its lines."""


class _Row(NamedTuple):
    page: int
    y: float
    words: str
    lines: tuple[int, ...]


class _Key(NamedTuple):
    """What rows have in common: their words, or a number counted from that of the page; how far apart they stand."""

    words: str
    offset: int
    higher: float


def running_lines(pages: Sequence[PageLines]) -> list[set[int]]:
    """Return for each page the numbers of its lines that are running heads, footers or page numbers."""
    if len(pages) < _PAGES:
        return [set() for _ in pages]
    usual = median([line.height for _, lines in pages for line in lines] or [1.0])
    further_in = min(_PAGES_FURTHER_IN, max(_PAGES, round(_SHARE_FURTHER_IN * len(pages))))
    rows = [_rows(number, text, lines, usual) for number, (text, lines) in enumerate(pages)]
    for depth in (_DEPTH, 1):
        running: list[set[int]] = [set() for _ in pages]
        for edge in (rows, [page[::-1] for page in rows]):
            for row in _peeled(edge, further_in, depth):
                running[row.page].update(row.lines)
        if _dropped(pages, running) < _MOST_OF_ALL:
            return running
    return [set() for _ in pages]


def _peeled(pages: Sequence[Sequence[_Row]], further_in: int, most: int) -> Iterator[_Row]:
    """Yield the running rows from the edge inwards, `most` of a page; each page's rows begin at that edge."""
    left = pages
    for depth in range(most):
        at_edge = [page[depth] for page in left if depth < len(page)]
        found = _repeated(at_edge, further_in, depth == 0)
        yield from found
        left = [pages[row.page] for row in found]


def _rows(page: int, text: str, lines: Sequence[Line], usual: float) -> list[_Row]:
    """Return the rows of a page from top to bottom; one in larger letters has no words to compare."""
    rows: list[list[int]] = []
    for number in sorted(range(len(lines)), key=lambda number: -lines[number].top_y):
        if rows and lines[rows[-1][0]].top_y - lines[number].top_y < 0.5 * usual:
            rows[-1].append(number)
        else:
            rows.append([number])
    return [_row(page, text, lines, sorted(row, key=lambda number: lines[number].left), usual) for row in rows]


def _row(page: int, text: str, lines: Sequence[Line], numbers: Sequence[int], usual: float) -> _Row:
    words = " ".join(text[lines[number].start : lines[number].end] for number in numbers)
    large = max(lines[number].height for number in numbers) > _LARGER * usual
    unlike = large or len(words) > _LONGEST
    return _Row(page, lines[numbers[0]].top_y, "" if unlike else " ".join(words.split()), tuple(numbers))


def _repeated(rows: Sequence[_Row], further_in: int, is_edge: bool) -> list[_Row]:
    """Return the rows that stand on enough pages nearby, in the same words or counting the pages."""
    alike: dict[_Key, list[_Row]] = defaultdict(list)
    for row in rows:
        for key in _keys(row, is_edge):
            alike[key].append(row)
    found: dict[int, _Row] = {}
    for key, group in alike.items():
        least = _PAGES if is_edge and "#" not in key.words else further_in
        if len(group) >= least:
            found |= {row.page: row for row in _near_enough(group, least, key.higher)}
    return [found[page] for page in sorted(found)]


def _keys(row: _Row, is_edge: bool) -> set[_Key]:
    """Return what a row has in common with those that it repeats: its words, its distance to the page's number.

    Further in than the edge, a number with words is that of a heading.
    """
    words = row.words.casefold()
    alone = sum(map(str.isalnum, words)) <= _NUMBER_ALONE
    numbers = _numbers(words) if alone or is_edge else ()
    keys = {_Key("", number - row.page, inf if alone else _COUNTING_HEIGHT) for number in numbers}
    if any(map(str.isalpha, words)):
        keys |= {_Key(words, 0, _SAME_HEIGHT), _Key(_DIGITS.sub("#", words), 0, _SAME_HEIGHT)}
    return keys


def _numbers(words: str) -> Iterator[int]:
    for found in (_FIRST.match(words), _LAST.search(words)):
        if found:
            yield int(found[1]) if found[1].isdecimal() else _from_roman(found[1].lower())


def _from_roman(letters: str) -> int:
    values = [_ROMAN[letter] for letter in letters]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))


def _near_enough(group: Sequence[_Row], least: int, higher: float) -> Iterator[_Row]:
    """Yield the rows, given by page, with `least` rows on pages nearby and not more than `higher` points away."""
    pages = [row.page for row in group]
    for row in group:
        nearby = group[bisect_left(pages, row.page - _NEARBY) : bisect_right(pages, row.page + _NEARBY)]
        if sum(abs(other.y - row.y) < higher for other in nearby) >= least:
            yield row


def _dropped(pages: Sequence[PageLines], running: Sequence[set[int]]) -> float:
    """Return the share of the characters that stand in running lines."""
    lengths = [[line.end - line.start for line in lines] for _, lines in pages]
    dropped = sum(page[number] for page, numbers in zip(lengths, running, strict=True) for number in numbers)
    return dropped / max(1, sum(map(sum, lengths)))
