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
    highest) and 0 for everything else; `title` is a heading's text without markup, and the header row of a
    table whose rows do not name their columns themselves.
    """

    start: int
    end: int
    kind: BlockKind = "text"
    level: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """From offset `start` on, the text stands at `kind` `number` of its file: row 12, cell 3, message 40.

    `inside` is what that is counted in, with its separator: "sheet Orders, ". Numbers are those that the reader
    sees when the file is opened with the program it is meant for, so they mostly count from 1.
    """

    start: int
    kind: str
    number: int
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One file, parsed: its text, and the structure that chunking respects.

    `blocks` are in order and do not overlap; text outside any block (blank lines, running heads) belongs to no
    passage. `page_starts` holds the offset at which each page or slide begins, empty for kinds that have no pages;
    `places`, by rising offset, say where in the file a text stands if it has something finer or other than pages.
    `warnings` name, one line each, what of the file could not be read although the rest could.
    """

    source: str
    kind: str
    title: str
    text: str
    blocks: tuple[Block, ...]
    page_starts: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document, small enough for the embedder to read whole.

    `ordinal` counts passages within the document from 0; `page` counts from 1 and is None where the kind
    has no pages; `heading` is the path of headings above the passage, outermost first; `place` says in words where
    in its file the passage stands ("sheet Orders, rows 2-30"), "" where pages or nothing finer are known.
    """

    source: str
    ordinal: int
    text: str
    start: int
    end: int
    page: int | None
    heading: tuple[str, ...]
    place: str = ""
