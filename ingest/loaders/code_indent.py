"""Where the definitions of a file begin whose blocks are told by their indent: Ruby, Lua, YAML, broken Python.

A definition counts where it is indented less than everything before it, classes and modules around it
excepted. It ends at the next line that is indented no more than it, `end` and brackets excepted; a section of a
TOML or INI file ends at the next section.
"""

import re
from collections.abc import Sequence

_PYTHON = re.compile(r"\s*(?:async\s+)?(?P<what>def|class)\s+(?P<name>\w+)")
_RUBY = re.compile(r"\s*(?:private\s+)?(?P<what>def|class|module)\s+(?P<name>[\w.:]+[?!]?)")
_LUA = re.compile(r"\s*(?:local\s+)?(?:(?P<what>function)\s+(?P<name>[\w.:]+)|(?P<name2>[\w.:]+)\s*=\s*function\b)")
_JULIA = re.compile(
    r"\s*(?:@\w+\s+)?(?:(?:mutable\s+)?(?P<what>function|struct|macro|module)\s+(?P<name>[\w.!]+)"
    r"|(?P<name2>[\w.!]{1,80})\([^()=]{0,200}\)\s*=(?!=))"
)
_YAML = re.compile(r"(?P<name>[\w.$/-]{1,80}):(?:\s*$|\s+[|>&!#])")
_SECTION = re.compile(r"\s*\[+\s*(?P<name>[^\[\]\n]{1,80}?)\s*\]+\s*(?:[#;].*)?$")
_SQL = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:GLOBAL\s+|LOCAL\s+)?(?:TEMP(?:ORARY)?\s+|UNIQUE\s+|MATERIALIZED\s+)?"
    r"(?P<what>TABLE|VIEW|FUNCTION|PROCEDURE|TRIGGER|INDEX|TYPE|SCHEMA)\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?P<name>[\w.$\"`\[\]]+)",
    re.IGNORECASE,
)
_DEFINITIONS = {
    "python": _PYTHON,
    "ruby": _RUBY,
    "lua": _LUA,
    "julia": _JULIA,
    "yaml": _YAML,
    "toml": _SECTION,
    "ini": _SECTION,
    "sql": _SQL,
}
_WORDS = {"def": "function", "class": "class", "module": "module", "struct": "struct", "macro": "macro"}
_UNNAMED = {"yaml": "key", "toml": "section", "ini": "section"}
_CONTAINERS = ("class", "module")
_CLOSING = re.compile(r"\s*(?:end\b|[\])}{(]|- )")
_LEAD = re.compile(r"\s*(?:#|--|;|@)")
_LONGEST_LINE = 400


def marks(lines: Sequence[str], language: str) -> list[tuple[int, str]]:
    """Return the marks of a file (see `code.Mark`)."""
    definition = _DEFINITIONS[language]
    found: list[tuple[int, str]] = []
    open_: list[tuple[int, str, str]] = []  # indent, word, name
    for number, line in enumerate(lines):
        if not line.strip() or _LEAD.match(line):
            continue
        match = definition.match(line[:_LONGEST_LINE])
        indent = len(line) - len(line.lstrip())
        if language in ("toml", "ini"):
            if match:
                found.append((_with_lead(lines, number, found), f"section {match['name']}"))
        elif match or not (_CLOSING.match(line) or (language == "sql" and lines[number - 1].strip())):
            closed = _close(open_, indent)
            if match and all(word in _CONTAINERS for _, word, _ in open_):
                open_.append((indent, *_named(match, language, open_)))
                found.append((_with_lead(lines, number, found), " ".join(open_[-1][1:])))
            elif closed:
                found.append((_with_lead(lines, number, found), " ".join(open_[-1][1:]) if open_ else ""))
    return found


def _close(open_: list[tuple[int, str, str]], indent: int) -> bool:
    """End what is indented at least so far; return whether anything was."""
    before = len(open_)
    while open_ and open_[-1][0] >= indent:
        open_.pop()
    return len(open_) < before


def _named(match: re.Match[str], language: str, around: Sequence[tuple[int, str, str]]) -> tuple[str, str]:
    """Return the word for what is defined, and its name with the class that it is in."""
    groups = match.groupdict()
    what = (groups.get("what") or "").lower()
    word = _UNNAMED.get(language) or _WORDS.get(what, what or "function")
    name = groups["name"] or groups.get("name2") or ""
    if around and around[-1][1] == "class":
        word = "method" if word == "function" else word
        name = f"{around[-1][2]}.{name}"
    return word, name


def _with_lead(lines: Sequence[str], number: int, found: Sequence[tuple[int, str]]) -> int:
    """Return the line where the comments and decorators right above a definition begin."""
    floor = found[-1][0] + 1 if found else 0
    while number > floor and _LEAD.match(lines[number - 1]):
        number -= 1
    return number
