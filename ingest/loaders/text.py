"""Plain text: the decoded file itself is the document's text.

Paragraphs are what blank lines separate. Headings are recognised only where that is safe: a line underlined
with `===` or `---`, or a paragraph of one line in capitals that begins with a number or with a word such as
CHAPTER and a number. Offsets hold in `Path(...).read_text(encoding="utf-8-sig")` of a UTF-8 file.
"""

import re
from collections.abc import Iterator

from ingest.loaders.compose import trim
from ingest.loaders.encoding import decode
from ingest.loaders.title import first_heading, pick
from ingest.passage import Block, Document

_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n(?![^\S\n]*(?:\n|\Z))[^\n]*)*")
_UNDERLINED = re.compile(r"([^\n]{1,120})\n(={3,}|-{3,})[^\S\n]*(?:\n|\Z)")
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3})*)(?:\.|(?<=\.\d)|(?<=\.\d\d))[^\S\n]+(?=[^\n]*[A-Z]{3})[^a-z\n]{3,80}")
_CHAPTER = re.compile(r"(VOLUME|BOOK|PART|CHAPTER|SECTION|ARTICLE|APPENDIX)\s+(?:[IVXLC]+|\d+)\b[^a-z\n]{0,80}")
_CHAPTER_LEVELS = {"VOLUME": 1, "BOOK": 1, "PART": 1, "CHAPTER": 2, "SECTION": 3, "ARTICLE": 3, "APPENDIX": 2}


def load(source: str, data: bytes) -> Document:
    """Return a plain text as a `Document`. Raises `UnreadableFile` if it is not text."""
    text = decode(data)
    blocks = tuple(_blocks(text))
    title = first_heading(block for block in blocks[:1] if block.level == 1)
    return Document(source, "text", pick(source, [title]), text, blocks)


def _blocks(text: str) -> Iterator[Block]:
    for match in _PARAGRAPH.finditer(text):
        line_start = text.rfind("\n", 0, match.start()) + 1
        start, end = trim(text, line_start, match.end())
        yield from _split_heading(text, start, end)


def _split_heading(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield the heading that a paragraph is or begins with, and what is left of it."""
    underlined = _UNDERLINED.match(text, start, end)
    if underlined and _fits(underlined[1], underlined[2]):
        heading_end = underlined.end(2)
        yield Block(start, heading_end, "heading", 1 if underlined[2][0] == "=" else 2, underlined[1].strip())
        start, end = trim(text, heading_end, end)
        if start < end:
            yield Block(start, end)
        return
    level = _capitals_level(text[start:end].strip())
    yield Block(start, end, "heading", level, text[start:end].strip()) if level else Block(start, end)


def _fits(title: str, line: str) -> bool:
    """Whether a line of `=` or `-` underlines the title, rather than being a rule or part of a table."""
    return any(char.isalnum() for char in title) and len(line) * 2 >= len(title.strip())


def _capitals_level(paragraph: str) -> int:
    if numbered := _NUMBERED.fullmatch(paragraph):
        return numbered[1].count(".") + 1
    if chapter := _CHAPTER.fullmatch(paragraph):
        return _CHAPTER_LEVELS[chapter[1]]
    return 0
