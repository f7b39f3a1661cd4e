"""The nouns of ingestion: a parsed `Document` and the `Passage`s cut from it.

All offsets are character offsets into `Document.text`; `document.text[p.start:p.end] == p.text` holds for
every passage `p`, so a citation can always be found again in its source.
"""

from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["heading", "text", "list", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text that belongs together: a heading, a paragraph, a list, a table, a code block.

    `start` and `end` are offsets into the document's text; `level` is the depth of a heading (1 is the
    highest) and 0 for everything else; `title` is a heading's text without markup.
    """

    start: int
    end: int
    kind: BlockKind = "text"
    level: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One file, parsed: its text, and the structure that chunking respects.

    `blocks` are in order and do not overlap; text outside any block (blank lines) belongs to no passage.
    `page_starts` holds the offset at which each page begins, empty for kinds that have no pages.
    """

    source: str
    kind: str
    title: str
    text: str
    blocks: tuple[Block, ...]
    page_starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document, small enough for the embedder to read whole.

    `ordinal` counts passages within the document from 0; `page` counts from 1 and is None where the kind
    has no pages; `heading` is the path of headings above the passage, outermost first.
    """

    source: str
    ordinal: int
    text: str
    start: int
    end: int
    page: int | None
    heading: tuple[str, ...]
