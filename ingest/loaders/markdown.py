"""Markdown (CommonMark with tables): the decoded file itself is the document's text.

markdown-it-py says on which lines each block lies, so a block is a span of the raw file with its markup.
Front matter, link definitions, rules, scripts and HTML without words are in no block; nor are HTML comments,
which a reader of the page would not see. Offsets hold in `Path(...).read_text(encoding="utf-8-sig")` of a
UTF-8 file.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.loaders.compose import LONG_LIST, trim
from ingest.loaders.encoding import decode
from ingest.loaders.title import first_heading, pick
from ingest.passage import Block, BlockKind, Document

_KINDS: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "text",
    "blockquote_open": "text",
    "html_block": "text",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
}
_FRONT_KEY = re.compile(r"[\w\"'][^:]*:.*|#.*")
_FRONT_LINE = re.compile(r"\s.*|[-#].*|[\w\"'][^:]*:.*|")
_FRONT_TITLE = re.compile(r"^title:[^\S\n]*(?:\"(.*)\"|'(.*)'|(.*?))[^\S\n]*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HIDDEN_BLOCK = re.compile(r"\s*<(?:script|style|template)\b", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def load(source: str, data: bytes) -> Document:
    """Return a Markdown file as a `Document`. Raises `UnreadableFile` if it is not text."""
    text = decode(data)
    body = _front_matter_end(text)
    blocks = tuple(_blocks(text, body))
    title = _front_title(text[:body])
    return Document(source, "markdown", pick(source, [title, first_heading(blocks)]), text, blocks)


def _front_matter_end(text: str) -> int:
    """Return where the YAML at the top of the file ends, 0 if there is none."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---" or len(lines) < 3 or not _FRONT_KEY.fullmatch(lines[1]):
        return 0
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return min(len(text), sum(len(line) + 1 for line in lines[: number + 1]))
        if not _FRONT_LINE.fullmatch(line):
            return 0
    return 0


def _front_title(matter: str) -> str:
    match = _FRONT_TITLE.search(matter)
    return next(filter(None, match.groups()), "") if match else ""


def _blocks(text: str, body: int) -> Iterator[Block]:
    """Yield the blocks of `text` from the offset `body` on."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text[body:])
    starts = [body, *(match.end() for match in re.compile("\n").finditer(text, body)), len(text)]
    for group in _groups(tokens):
        kind = _KINDS.get(group[0].type)
        if kind is None or _wordless(group):
            continue
        hidden = [] if kind == "code" else _comments(text, starts, group)
        for start, end in _spans(text, starts, group, kind):
            yield from _visible(text, start, end, hidden, kind, group)


def _groups(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield the tokens of each top-level block together."""
    first = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[first : index + 1]
            first = index + 1


def _wordless(group: Sequence[Token]) -> bool:
    """Whether a block is an empty heading, a paragraph of tags alone, or HTML that shows no words."""
    markup = group[0].content
    if group[0].type in ("heading_open", "paragraph_open"):
        return not _plain(group[1])
    if group[0].type != "html_block":
        return False
    words = _TAG.sub("", _COMMENT.sub("", markup))
    return bool(_HIDDEN_BLOCK.match(markup)) or not any(char.isalnum() for char in words)


def _region(starts: Sequence[int], token: Token) -> tuple[int, int]:
    """Return the span of the lines that the token lies on."""
    first, last = token.map or (0, 0)
    return starts[first], starts[min(last, len(starts) - 1)]


def _spans(text: str, starts: Sequence[int], group: Sequence[Token], kind: BlockKind) -> list[tuple[int, int]]:
    start, end = _region(starts, group[0])
    if kind != "list" or end - start <= LONG_LIST:
        return [(start, end)]
    return [_region(starts, token) for token in group if token.type == "list_item_open" and token.level == 1]


def _comments(text: str, starts: Sequence[int], group: Sequence[Token]) -> list[tuple[int, int]]:
    """Return the spans of the HTML comments in a block, those in code excepted."""
    found: list[tuple[int, int]] = []
    for token in group:
        inline = [child.content for child in token.children or () if child.type == "html_inline"]
        if token.type == "html_block" or any(content.startswith("<!--") for content in inline):
            start, end = _region(starts, token)
            found += [match.span() for match in _COMMENT.finditer(text, start, end)]
    return found


def _visible(
    text: str,
    start: int,
    end: int,
    hidden: Sequence[tuple[int, int]],
    kind: BlockKind,
    group: Sequence[Token],
) -> Iterator[Block]:
    """Yield what remains of a block without the hidden spans."""
    level = int(group[0].tag[1]) if kind == "heading" else 0
    title = _plain(group[1]) if kind == "heading" else ""
    edges = [start, *(edge for span in hidden if start <= span[0] < end for edge in span), end]
    for left, right in zip(edges[::2], edges[1::2], strict=True):
        first, last = trim(text, left, right)
        if first < last:
            yield Block(first, last, kind, level, title)


def _plain(inline: Token) -> str:
    """Return the words of a heading or paragraph without their markup, in one line."""
    parts = []
    for child in inline.children or ():
        if child.type in ("text", "code_inline", "image"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
    return " ".join("".join(parts).split())
