"""Where the definitions of a file begin whose blocks are told by braces: JavaScript, Java, C, Go, Rust and others.

One pass over the tokens that matter: strings and comments are skipped, brackets are counted, and a line is looked
at where only classes, namespaces and their like are open around it. A closing brace at the start of a line also
closes what was left open further in, so a misread quote spoils one function, not the rest of the file.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ingest.loaders.code_definitions import Definition, definition_at

_HASH_COMMENTS = frozenset(("shell", "perl", "php", "r", "powershell"))
_CHARACTERS = frozenset(("c", "c++", "java", "c#", "go", "rust", "swift", "kotlin", "scala"))
_LEAD = re.compile(r"\s*(?://|/\*|\*|@[\w(]|#\[|template\s*<|\[[\w(: ,.)\"]+\]\s*$)")
_HASH_LEAD = re.compile(r"\s*(?:#|//|/\*|\*|@[\w(])")
_TYPE_ONLY = re.compile(r"[A-Za-z_][\w \t*&:<>,]*$")
_CONTAINING = frozenset(
    "class interface trait struct impl protocol extension object record namespace mod module package actor".split()
)
_WHOLE = frozenset(("namespace", "mod", "module", "package"))
"""What is open around nearly everything in a file, so that its name says nothing."""
_LONGEST_LINE = 400


class _Open(NamedTuple):
    """A bracket that is open, the indent of the statement it is in, and the class or namespace that it begins."""

    bracket: str
    indent: int
    name: str | None = None


def marks(text: str, lines: Sequence[str], language: str) -> list[tuple[int, str]]:
    """Return the marks of a file (see `code.Mark`)."""
    scan = _Scan(lines, language)
    for token in _tokens(language).finditer("\n" + text):
        scan.see(token[0])
    return scan.found


def _tokens(language: str) -> re.Pattern[str]:
    """Return the pattern of comments, strings, brackets, `;` and line ends of a language."""
    parts = [r"/\*(?s:.*?)(?:\*/|\Z)", r"//[^\n]*+"]
    if language in _HASH_COMMENTS:
        parts = [r"(?<![^\s;])#(?!\[)[^\n]*+", *(parts if language == "php" else [])]
    if language == "powershell":
        parts.insert(0, r"<#(?s:.*?)(?:#>|\Z)")
    if language not in _HASH_COMMENTS:
        parts.append(r'"""(?s:.*?)(?:"""|\Z)')
    parts.append(r'"(?:[^"\\\n]|(?s:\\.))*+"?')
    parts.append(r"'(?:\\[^\n']{1,8}|\\'|[^\\'\n])'" if language in _CHARACTERS else r"'(?:[^'\\\n]|\\.)*+'?")
    if language in ("javascript", "typescript", "go"):
        parts.append(r"`(?s:[^`\\]|\\.)*+`?")
    if language in ("javascript", "typescript"):
        parts.append(r"(?<=[=(,:!&|?;{\[])[ \t]{0,4}/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.){1,99}+\]){1,200}+/")
    return re.compile("|".join([*parts, r"[()\[\]{};\n]"]))


class _Scan:
    """The state of the pass: the line, what is open, and the definition whose brace has not come yet."""

    def __init__(self, lines: Sequence[str], language: str) -> None:
        self.found: list[tuple[int, str]] = []
        self._lines = lines
        self._language = language
        self._lead = _HASH_LEAD if language in _HASH_COMMENTS else _LEAD
        self._line = -1
        self._floor = 0  # the first line that no definition has taken
        self._indent = 0
        self._closes_first = False  # nothing but white space stands before the next closing brace
        self._open: list[_Open] = []
        self._inner = 0  # of what is open, all but the classes and namespaces
        self._pending: tuple[Definition, int, int] | None = None  # with its line, and how much is open around it
        self._ended = False  # what was named last has come to its end

    def see(self, token: str) -> None:
        """Take note of the next token."""
        if token == "\n":
            self._begin_line()
            return
        if token in "([{":
            self._push(token)
        elif token == "}":
            self._close_brace()
        elif token in ")]":
            self._close(token)
        elif token == ";" and self._waits():
            self._ended = self._ended or not (self._pending and self._pending[0].needs_brace)
            self._cancel()
        else:
            self._line += token.count("\n")
        self._closes_first = False

    def _begin_line(self) -> None:
        self._line += 1
        line = self._lines[self._line][:_LONGEST_LINE]
        bare = line.lstrip()
        self._indent = len(line) - len(bare)
        self._closes_first = bare.startswith("}")
        if not bare and self._waits():
            self._cancel()
            self._ended = True
        elif bare and not self._inner and bare[0] not in "{})]" and not self._lead.match(line):
            self._candidate(line)

    def _candidate(self, line: str) -> None:
        """Look at a line where a definition may begin."""
        around = self._around()
        definition = definition_at(line, self._language, bool(around))
        if definition is None:
            if self._ended and not self._pending:
                self._mark(self._line, around, None)
            return
        self._cancel()
        self._pending = (definition, self._line, len(self._open))
        if not definition.needs_brace:
            self._mark(self._line, self._words(definition), definition)

    def _waits(self) -> bool:
        """Whether a definition has begun whose brace has not come, and nothing is open in it."""
        return self._pending is not None and self._pending[2] == len(self._open)

    def _cancel(self) -> None:
        """What looked like the start of a definition has none; if it needed a brace, it was not one."""
        if self._pending and self._pending[0].needs_brace and self._ended:
            self._mark(self._pending[1], self._around(), None)
        self._pending = None

    def _words(self, definition: Definition) -> str:
        around = self._around().partition(" ")[2]
        if definition.word != "function" or not around:
            return f"{definition.word} {definition.name}"
        return f"method {around}.{definition.name}"

    def _around(self) -> str:
        """Return the words for the class that is open, "" if none is."""
        return next((entry.name for entry in reversed(self._open) if entry.name), "")

    def _mark(self, line: int, words: str, definition: Definition | None) -> None:
        self._ended = False
        if definition is None and words == (self.found[-1][1] if self.found else ""):
            return
        while line > self._floor and self._belongs_to_next(self._lines[line - 1], definition):
            line -= 1
        while self.found and self.found[-1][0] >= line:
            self.found.pop()
        self.found.append((line, words))
        if definition:
            self._floor = line + 1

    def _belongs_to_next(self, line: str, definition: Definition | None) -> bool:
        if self._lead.match(line):
            return True
        typed = definition is not None and definition.needs_brace and self._language in ("c", "c++")
        return typed and len(line) < 100 and bool(_TYPE_ONLY.match(line))

    def _push(self, bracket: str) -> None:
        name, indent = None, self._indent
        if bracket == "{" and self._pending and self._waits():
            definition, line, _ = self._pending
            words = self._words(definition)
            indent = len(self._lines[line]) - len(self._lines[line].lstrip())
            if definition.needs_brace:
                self._mark(line, words, definition)
            if definition.word in _CONTAINING:
                name = "" if definition.word in _WHOLE else words
            self._pending = None
        self._open.append(_Open(bracket, indent, name))
        self._inner += name is None

    def _close(self, bracket: str) -> None:
        """Close a parenthesis; a brace behind it counts as standing on the line where the parenthesis was opened."""
        if self._open and self._open[-1].bracket + bracket in ("()", "[]"):
            self._indent = self._open[-1].indent
            self._drop()

    def _close_brace(self) -> None:
        while self._closes_first and self._open and self._open[-1].indent > self._indent:
            self._drop()
        while self._open and self._drop() != "{":
            pass
        self._ended = self._ended or not self._inner

    def _drop(self) -> str:
        entry = self._open.pop()
        self._inner -= entry.name is None
        return entry.bracket
