"""The blocks of a reStructuredText file."""

import re
from collections.abc import Iterator, Sequence

from ingest.loaders.markup_lines import LONGEST_TITLE, Span, cells, indent_of, indented_end, skip

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1{1,}\s*$")
_DIRECTIVE = re.compile(r"\s*\.\.\s+(?:\|[^|]+\|\s+)?(?P<name>[\w:.+-]+?)\s?::(?:\s+(?P<told>\S.*))?$")
_NOTE = re.compile(r"\s*\.\.\s+\[[^\]]+\]\s")
_EXPLICIT = re.compile(r"\s*(?:\.\.|__)(?:\s|$)")
_OPTION = re.compile(r"\s+:[\w][\w\s.-]*:(?:\s|$)")
_ITEM = re.compile(r"\s*(?:[-*+\u2022]|(?:\d{1,4}|#|[a-zA-Z])[.)]|\((?:\d{1,4}|[a-zA-Z])\))\s+\S")
_GRID = re.compile(r"\s*\+[-=+]{3,}\+\s*$")
_GRID_HEAD_END = re.compile(r"\s*\+[=+]{3,}\+\s*$")
_SIMPLE = re.compile(r"\s*={2,}(?:\s+={2,})+\s*$")
_ROLE = re.compile(r":[\w:.+-]+:`([^`<]*?)(?:\s*<[^`]*>)?`")
_LINK = re.compile(r"`([^`<]*?)(?:\s*<[^`]*>)?`_{0,2}")
_CODE = frozenset(
    "code code-block sourcecode parsed-literal prompt ipython math doctest testcode literal highlight-code".split()
)
_TABLES = frozenset("table list-table csv-table flat-table".split())
_HIDDEN = frozenset(
    "toctree contents index meta highlight default-role default-domain include literalinclude raw role currentmodule "
    "module-author sectnum header footer target-notes sectionauthor codeauthor automodule autoclass autofunction "
    "image".split()
)
"""Directives that put nothing on the page that is in the file, or only numbers and pictures."""

_UNTOLD = frozenset("figure container class rst-class cssclass only tab-set grid".split())
"""Directives whose argument is no text, while what they hold is."""


def scan(lines: Sequence[str]) -> Iterator[Span]:
    """Yield the blocks of a file."""
    styles: list[tuple[str, bool]] = []
    at, end = 0, len(lines)
    while at < end:
        line = lines[at]
        if not line.strip():
            at += 1
        elif heading := _heading(lines, at, styles):
            yield heading
            at = heading.last
        elif _EXPLICIT.match(line) and not line.lstrip().startswith("..."):
            span, at = _explicit(lines, at)
            if span:
                yield span
        elif line.strip() != "::" and _RULE.match(line) and _alone(lines, at):
            at += 1
        else:
            span = Span(at, at + 1) if line.strip() == "::" else _body(lines, at)
            at = span.last
            if line.strip() != "::":
                yield span
            if span.kind == "text" and (literal := _literal(lines, at, indent_of(line))):
                yield literal
                at = literal.last


def _alone(lines: Sequence[str], at: int) -> bool:
    return len(lines[at].strip()) >= 4 and (at + 1 == len(lines) or not lines[at + 1].strip())


def _heading(lines: Sequence[str], at: int, styles: list[tuple[str, bool]]) -> Span | None:
    """Return the section title that begins at a line; `styles` are those seen so far, outermost first."""
    over = _RULE.match(lines[at])
    title_at = at + 1 if over else at
    if title_at + 1 >= len(lines):
        return None
    title, under = lines[title_at].rstrip(), _RULE.match(lines[title_at + 1])
    if not title.strip() or not under or (over and over[1] != under[1]) or (not over and title[0].isspace()):
        return None
    if len(under[0].strip()) < min(len(title.strip()), 4) or _RULE.match(title):
        return None
    style = (under[1], bool(over))
    if style not in styles:
        styles.append(style)
    return Span(at, title_at + 2, "heading", styles.index(style) + 1, plain(title))


def plain(title: str) -> str:
    """Return a title without its inline markup."""
    title = title[:LONGEST_TITLE]
    words = _LINK.sub(r"\1", _ROLE.sub(r"\1", title.replace("``", "\0")))
    return " ".join(re.sub(r"\*{1,2}([^*]+)\*{1,2}", r"\1", words).replace("\0", "").split()) or title.strip()


def _explicit(lines: Sequence[str], at: int) -> tuple[Span | None, int]:
    """Return what a line that begins with two dots puts on the page, if anything, and the line to go on from."""
    line, indent = lines[at], indent_of(lines[at])
    end = indented_end(lines, at + 1, len(lines), indent)
    if _NOTE.match(line):
        return Span(at, end), end
    match = _DIRECTIVE.match(line)
    if not match or match["name"] in _HIDDEN:
        return None, end
    content = skip(lines, at + 1, end, lambda below: bool(_OPTION.match(below)))
    first = at if match["told"] else content
    if match["name"] in _CODE:
        return Span(first if match["name"] == "math" else content, end, "code"), end
    if match["name"] in _TABLES:
        return Span(first, end, "table", 0, _table_head(lines, at, content, end)), end
    if not match["told"] or match["name"] in _UNTOLD:
        return None, content
    last = skip(lines, at + 1, end, lambda below: bool(below.strip())) if content == at + 1 else at + 1
    return Span(at, last), max(last, content)


def _table_head(lines: Sequence[str], at: int, content: int, end: int) -> str:
    """Return the words of the header row of a table directive."""
    told = next((line for line in lines[at:content] if line.strip().startswith(":header:")), "")
    if told:
        return " | ".join(cell.strip(' "') for cell in told.partition(":header:")[2].split(","))
    first = skip(lines, content, end, lambda line: not line.strip())
    if first < end and lines[first].lstrip().startswith("* -"):
        last = skip(lines, first + 1, end, lambda line: not line.lstrip().startswith("* "))
        return " | ".join(line.strip(" *-") for line in lines[first:last] if line.strip(" *-"))
    return _head(lines, first, end)


def _head(lines: Sequence[str], first: int, end: int) -> str:
    """Return the words of the header row of a grid or a simple table."""
    if first + 2 < end and _SIMPLE.match(lines[first]) and _SIMPLE.match(lines[first + 2]):
        return cells(lines[first + 1])
    if first < end and _GRID.match(lines[first]):
        last = skip(lines, first + 1, min(end, first + 6), lambda line: not _GRID.match(line))
        if last < end and _GRID_HEAD_END.match(lines[last]):
            return cells(" ".join(lines[first + 1 : last])) if last == first + 2 else ""
    return ""


def _body(lines: Sequence[str], at: int) -> Span:
    """Return the table, list, doctest or paragraph that begins at a line."""
    line, end = lines[at], len(lines)
    if _GRID.match(line):
        last = skip(lines, at, end, lambda below: below.lstrip().startswith(("+", "|")))
        return Span(at, last, "table", 0, _head(lines, at, last))
    if _SIMPLE.match(line) and (last := _simple_end(lines, at)):
        return Span(at, last, "table", 0, _head(lines, at, last))
    if _ITEM.match(line):
        return Span(at, _list_end(lines, at), "list")
    last = skip(lines, at, end, lambda below: bool(below.strip()))
    return Span(at, last, "code" if line.lstrip().startswith(">>> ") else "text")


def _simple_end(lines: Sequence[str], at: int) -> int:
    """Return the line behind a table of the simple kind, 0 if it has no end."""
    borders = 0
    for number in range(at, len(lines)):
        borders += bool(_SIMPLE.match(lines[number]))
        closed = borders >= 2 and _SIMPLE.match(lines[number])
        if closed and (number + 1 == len(lines) or not lines[number + 1].strip()):
            return number + 1
        if not borders or number - at > 2000:
            return 0
    return 0


def _list_end(lines: Sequence[str], at: int) -> int:
    """Return the line behind a list: at a line that is neither an item nor further in, with a blank one before it."""
    indent = indent_of(lines[at])
    last = at + 1
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        further = indent_of(line) > indent
        after_blank = not lines[number - 1].strip()
        if not further and (after_blank or indent_of(line) < indent) and not _ITEM.match(line):
            break
        if indent_of(line) < indent or (further and after_blank and _EXPLICIT.match(line)):
            break
        last = number + 1
    return last


def _literal(lines: Sequence[str], at: int, indent: int) -> Span | None:
    """Return the literal block below a paragraph that announces one by two colons."""
    if not lines[at - 1].rstrip().endswith("::"):
        return None
    first = skip(lines, at, len(lines), lambda line: not line.strip())
    end = indented_end(lines, first, len(lines), indent)
    return Span(first, end, "code") if first < end else None
