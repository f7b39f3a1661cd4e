"""The blocks of an Org file."""

import re
from collections.abc import Iterator, Sequence

from ingest.loaders.markup_lines import LONGEST_TITLE, Span, cells, indent_of, skip

_HEADLINE = re.compile(
    r"(\*+)\s+(?:(?:TODO|DONE|NEXT|WAITING|CANCELLED)\s+)?(?:\[#\w\]\s+)?(\S.*?)(?:\s+(?::[\w@#%]+)+:)?\s*$"
)
_TITLE = re.compile(r"\s*#\+TITLE:\s*(\S.*)$", re.IGNORECASE)
_BEGIN = re.compile(r"\s*#\+BEGIN_(\w+)", re.IGNORECASE)
_VISIBLE_KEY = re.compile(r"\s*#\+(?:CAPTION|SUBTITLE|AUTHOR|DATE|DESCRIPTION)\b[^:]*:\s*\S", re.IGNORECASE)
_HIDDEN = re.compile(r"\s*#(?:\s|\+|$)|\s*:[\w-]+:\s*$|\s*-{5,}\s*$")
_DRAWER = re.compile(r"\s*:(?:PROPERTIES|LOGBOOK):\s*$", re.IGNORECASE)
_DRAWER_END = re.compile(r"\s*:END:\s*$", re.IGNORECASE)
_ITEM = re.compile(r"(?:\s*(?:[-+]|\d+[.)]|[a-zA-Z][.)])|\s+\*)\s+\S")
_FIXED = re.compile(r"\s*:(?:\s|$)")
_TABLE = re.compile(r"\s*\|")
_CODE = frozenset(("src", "example", "latex", "verbatim"))
_UNSEEN = frozenset(("comment", "export", "html"))
_LINK = re.compile(r"\[\[[^\[\]]*\]\[([^\[\]]*)\]\]|\[\[([^\[\]]*)\]\]")


def scan(lines: Sequence[str]) -> Iterator[Span]:
    """Yield the blocks of a file. Headlines stand below the #+TITLE, if there is one."""
    below, at, end = 0, 0, len(lines)
    while at < end:
        line = lines[at]
        if title := _TITLE.match(line[:LONGEST_TITLE]):
            below = 1
            yield Span(at, at + 1, "heading", 1, title[1].strip())
            at += 1
        elif headline := _HEADLINE.match(line[:LONGEST_TITLE]):
            yield Span(at, at + 1, "heading", len(headline[1]) + below, _plain(headline[2]))
            at += 1
        elif begin := _BEGIN.match(line):
            span, at = _block(lines, at, begin[1].lower())
            if span:
                yield span
        elif _DRAWER.match(line):
            at = _drawer_end(lines, at)
        elif not line.strip() or _is_hidden(line):
            at += 1
        else:
            span = _body(lines, at)
            yield span
            at = span.last


def _plain(title: str) -> str:
    return " ".join(_LINK.sub(lambda link: link[1] or link[2] or "", title).split()) or title


def _is_hidden(line: str) -> bool:
    return bool(_HIDDEN.match(line)) and not _VISIBLE_KEY.match(line)


def _block(lines: Sequence[str], at: int, name: str) -> tuple[Span | None, int]:
    """Return the code in a block, if it is one, and the line to go on from: for quotes and the like, the next one."""
    if name not in _CODE | _UNSEEN:
        return None, at + 1
    closing = re.compile(rf"\s*#\+END_{name}\b", re.IGNORECASE)
    end = skip(lines, at + 1, len(lines), lambda line: not closing.match(line))
    if name in _UNSEEN:
        return (None if end < len(lines) else Span(at + 1, end)), min(end + 1, len(lines))
    return Span(at + 1, end, "code"), min(end + 1, len(lines))


def _drawer_end(lines: Sequence[str], at: int) -> int:
    """Return the line behind a drawer, the next line if nothing closes it."""
    end = skip(lines, at + 1, len(lines), lambda line: not _DRAWER_END.match(line) and not _opens(line))
    return end + 1 if end < len(lines) and _DRAWER_END.match(lines[end]) else at + 1


def _opens(line: str) -> bool:
    return line.startswith("*") or bool(_DRAWER.match(line))


def _body(lines: Sequence[str], at: int) -> Span:
    """Return the table, list, fixed-width text or paragraph that begins at a line."""
    line, end = lines[at], len(lines)
    if _TABLE.match(line):
        last = skip(lines, at, end, lambda below: bool(_TABLE.match(below)))
        headed = at + 1 < last and lines[at + 1].lstrip().startswith("|-")
        return Span(at, last, "table", 0, cells(line) if headed else "")
    if _FIXED.match(line):
        return Span(at, skip(lines, at, end, lambda below: bool(_FIXED.match(below))), "code")
    if _ITEM.match(line):
        return Span(at, _list_end(lines, at), "list")
    return Span(at, skip(lines, at + 1, end, _goes_on))


def _goes_on(line: str) -> bool:
    """Whether a paragraph goes on in a line."""
    ends = (
        not line.strip()
        or _HEADLINE.match(line[:LONGEST_TITLE])
        or _BEGIN.match(line)
        or _TABLE.match(line)
        or _ITEM.match(line)
    )
    return not ends and not _is_hidden(line) and not _FIXED.match(line)


def _list_end(lines: Sequence[str], at: int) -> int:
    """Return the line behind a list: two blank lines end it, or a line that is no item and not further in."""
    indent, last = indent_of(lines[at]), at + 1
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            if not lines[number - 1].strip():
                break
            continue
        if not (indent_of(line) > indent or (indent_of(line) == indent and _ITEM.match(line))) or _BEGIN.match(line):
            break
        last = number + 1
    return last
