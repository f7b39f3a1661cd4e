"""The blocks of an AsciiDoc file."""

import re
from collections.abc import Iterator, Sequence

from ingest.loaders.markup_lines import LONGEST_TITLE, Span, cells, indent_of, skip

_HEADING = re.compile(r"(={1,6}|#{1,6})\s+(\S.*?)(?:\s+\1)?\s*$")
_UNDERLINES = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_UNDERLINE = re.compile(r"([=\-~^+])\1{3,}\s*$")
_CODE = re.compile(r"(-{4,}|\.{4,}|\+{4,})\s*$|(```).*$")
_COMMENT = re.compile(r"/{4,}\s*$")
_TABLE = re.compile(r"[|,:!]={3,}\s*$")
_CONTAINER = re.compile(r"(?:={4,}|\*{4,}|_{4,}|--)\s*$")
_HIDDEN = re.compile(
    r"//(?!/)|:!?[\w][\w-]*!?:(?:\s|$)|\[(?!quote|verse)[^\]\n]*\]\s*$|\[\[[^\]\n]*\]\]\s*$|(?:include|ifdef|ifndef|ifeval|endif|toc)::|'''\s*$|<<<+\s*$|\+\s*$"
)
_ITEM = re.compile(r"\s*(?:\*{1,6}|-|\.{1,6}|\d{1,4}\.|[a-zA-Z]\.|<[\d.]+>)\s+\S")
_ANCHOR = re.compile(r"\[\[[^\]]*\]\]|(?:xref|link):[^\[\s]*(?=\[)")


def scan(lines: Sequence[str]) -> Iterator[Span]:
    """Yield the blocks of a file."""
    at, end = 0, len(lines)
    while at < end:
        line = lines[at]
        if not line.strip() or _HIDDEN.match(line):
            at += 1
        elif heading := _heading(lines, at):
            yield heading
            at = heading.last
        elif _COMMENT.match(line):
            last = _closing(lines, at)
            if last == end:
                yield Span(at + 1, last)  # nothing closes it, so it may be no comment
            at = min(end, last + 1)
        elif _CODE.match(line):
            last = _closing(lines, at)
            if not line.startswith("++++") or "stem" in lines[max(0, at - 1)]:
                yield Span(at + 1, last, "code")
            at = min(end, last + 1)
        elif _TABLE.match(line):
            last = _closing(lines, at)
            yield Span(at + 1, last, "table", 0, _head(lines, at + 1, last))
            at = min(end, last + 1)
        elif _CONTAINER.match(line):
            at += 1
        else:
            span = _body(lines, at)
            yield span
            at = span.last


def _heading(lines: Sequence[str], at: int) -> Span | None:
    """Return the title that begins at a line, marked before it or underlined."""
    line = lines[at][:LONGEST_TITLE].rstrip()
    if match := _HEADING.match(line):
        return Span(at, at + 1, "heading", len(match[1]), _plain(match[2]))
    under = _UNDERLINE.match(lines[at + 1]) if at + 1 < len(lines) else None
    fits = under and abs(len(under[0].rstrip()) - len(line)) <= 2 and line[:1].isalnum()
    return Span(at, at + 2, "heading", _UNDERLINES[under[1]], _plain(line)) if under and fits else None


def _plain(title: str) -> str:
    return " ".join(_ANCHOR.sub("", title).split()) or title


def _closing(lines: Sequence[str], at: int) -> int:
    """Return the line that closes the block opened at a line, the end of the file if none does."""
    fence = "```" if lines[at].startswith("```") else lines[at].rstrip()
    return skip(lines, at + 1, len(lines), lambda line: line.rstrip() != fence)


def _head(lines: Sequence[str], first: int, last: int) -> str:
    """Return the words of a table's first row, if that has several cells in a line, as headers mostly have."""
    first = skip(lines, first, last, lambda line: not line.strip())
    row = lines[first] if first < last else ""
    return cells(row) if row.lstrip().startswith("|") and row.count("|") > 1 else ""


def _body(lines: Sequence[str], at: int) -> Span:
    """Return the list, caption, bare table, literal text or paragraph that begins at a line."""
    line, end = lines[at], len(lines)
    if _ITEM.match(line):
        return Span(at, _list_end(lines, at), "list")
    if line.startswith(".") and len(line) > 1 and line[1] not in ". ":
        return Span(at, at + 1)
    last = skip(lines, at + 1, end, _goes_on)
    if line.startswith("|") and all(row.startswith("|") for row in lines[at:last]):
        return Span(at, last, "table", 0, _head(lines, at, last))
    return Span(at, last, "code" if line[0].isspace() else "text")


def _goes_on(line: str) -> bool:
    """Whether a paragraph goes on in a line."""
    opens = _CODE.match(line) or _TABLE.match(line) or _CONTAINER.match(line) or _COMMENT.match(line)
    return bool(line.strip()) and not opens and not _HIDDEN.match(line)


def _list_end(lines: Sequence[str], at: int) -> int:
    """Return the line behind a list: a line that is no item ends it if a blank one is before it, as does a block."""
    last = at + 1
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if not line.strip() or line.rstrip() == "+":
            continue
        begins = _heading(lines, number) or (not _ITEM.match(line) and not _goes_on(line))
        after_blank = not lines[number - 1].strip()
        if begins or (after_blank and not _ITEM.match(line) and not indent_of(line)):
            break
        last = number + 1
    return last
