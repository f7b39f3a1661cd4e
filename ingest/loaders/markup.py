"""reStructuredText, Org and AsciiDoc by a light scan: the decoded file itself is the document's text.

Blocks are whole lines of the file: section titles with their levels, code, tables, lists and paragraphs. In no block
is what a reader of the typeset page would not see: comments, link targets, options and the lines that open or close
a block without saying anything themselves. Nothing is included, evaluated or substituted. Offsets hold in
`Path(...).read_text(encoding="utf-8-sig")` of a UTF-8 file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from ingest.loaders import markup_adoc, markup_org, markup_rst
from ingest.loaders.compose import LONG_LIST, trim
from ingest.loaders.encoding import decode
from ingest.loaders.markup_lines import Span, indent_of
from ingest.loaders.title import first_heading, pick
from ingest.passage import Block, Document

_KINDS = {".rst": "rst", ".rest": "rst", ".org": "org", ".adoc": "adoc", ".asciidoc": "adoc", ".asc": "adoc"}
_SCANS: dict[str, Callable[[Sequence[str]], Iterable[Span]]] = {
    "rst": markup_rst.scan,
    "org": markup_org.scan,
    "adoc": markup_adoc.scan,
}


def load(source: str, data: bytes) -> Document:
    """Return a file as a `Document`; its suffix says which markup it has. Raises `UnreadableFile` if it is not text."""
    kind = _KINDS.get(PurePosixPath(source).suffix.lower(), "rst")
    text = decode(data)
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    blocks: list[Block] = []
    for span in (part for whole in _SCANS[kind](lines) for part in _split(whole, lines)):
        start, end = trim(text, starts[span.first], min(starts[span.last], len(text)))
        if start < end:
            blocks.append(Block(start, end, span.kind, span.level, span.title))
    return Document(source, kind, pick(source, [first_heading(blocks)]), text, tuple(blocks))


def _split(span: Span, lines: Sequence[str]) -> Iterator[Span]:
    """Yield a long list as its items, everything else as it is."""
    size = sum(len(line) for line in lines[span.first : span.last]) if span.kind == "list" else 0
    if size <= LONG_LIST:
        yield span
        return
    outer = indent_of(lines[span.first])
    first = span.first
    for number in range(span.first + 1, span.last):
        if lines[number].strip() and indent_of(lines[number]) <= outer:
            yield Span(first, number, "list")
            first = number
    yield Span(first, span.last, "list")
