"""Source code and configuration: the decoded file itself is the document's text.

Each function, class header and top-level run is a block of kind "code", with the comments and decorators above
it. Every visible line is in a block and has a place, counted from 1, in what it is part of: "function parse,
line 12". Python is split by its own parser (`code_python`); other languages, and Python with a syntax error, at
lines that look like the start of a definition (`code_braces`, `code_indent`), which can be wrong about odd
code: then a place names the enclosing or no function, and nothing else is lost. Offsets hold in
`Path(...).read_text(encoding="utf-8-sig")` of a UTF-8 file.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from ingest.loaders.compose import trim
from ingest.loaders.encoding import decode
from ingest.loaders.title import pick
from ingest.passage import Block, Document, Place

CODE_SUFFIXES = {
    ".py": "python",
    ".pyi": "python",
    ".pyw": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "typescript",
    ".java": "java",
    ".c": "c",
    ".h": "c",
    ".cc": "c++",
    ".cpp": "c++",
    ".cxx": "c++",
    ".hh": "c++",
    ".hpp": "c++",
    ".hxx": "c++",
    ".cu": "c++",
    ".cuh": "c++",
    ".cs": "c#",
    ".go": "go",
    ".rs": "rust",
    ".swift": "swift",
    ".kt": "kotlin",
    ".kts": "kotlin",
    ".scala": "scala",
    ".dart": "dart",
    ".php": "php",
    ".rb": "ruby",
    ".pl": "perl",
    ".pm": "perl",
    ".lua": "lua",
    ".r": "r",
    ".jl": "julia",
    ".sh": "shell",
    ".bash": "shell",
    ".zsh": "shell",
    ".ps1": "powershell",
    ".psm1": "powershell",
    ".sql": "sql",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".css": "css",
    ".scss": "css",
    ".less": "css",
}
"""File suffix, in lower case, -> language."""


Mark = tuple[int, str]
"""From this line on (counted from 0) stands what the words name: "function parse", or "" for nothing named."""
_INDENTED = frozenset("python ruby lua julia yaml toml ini sql".split())


def load(source: str, data: bytes) -> Document:
    """Return a source file as a `Document`. Raises `UnreadableFile` if it is not text."""
    text = decode(data)
    lines = text.split("\n")
    starts = _line_starts(lines)
    blocks: list[Block] = []
    places: list[Place] = []
    for first, last, name in _runs(lines, _marks(text, lines, _language(source))):
        start, end = trim(text, starts[first], starts[last])
        blocks.append(Block(start, end, "code"))
        inside = f"{name}, " if name else ""
        places += [Place(starts[n], "line", n + 1, inside) for n in range(first, last) if lines[n].strip()]
    return Document(source, "code", pick(source, [PurePosixPath(source).name]), text, tuple(blocks), (), tuple(places))


def _language(source: str) -> str:
    return CODE_SUFFIXES.get(PurePosixPath(source).suffix.lower(), "")


def _line_starts(lines: Sequence[str]) -> list[int]:
    """Return the offset of each line, and the end of the text."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] -= 1
    return starts


def _marks(text: str, lines: Sequence[str], language: str) -> list[Mark]:
    """Return the marks of a file by rising line, the first of them at line 0."""
    from ingest.loaders import code_braces, code_indent, code_python

    marks = code_python.marks(text, lines) if language == "python" else None
    if not language:
        marks = []
    elif marks is None and language in _INDENTED:
        marks = code_indent.marks(lines, language)
    elif marks is None:
        marks = code_braces.marks(text, lines, language)
    return marks if marks and marks[0][0] == 0 else [(0, ""), *marks]


def _runs(lines: Sequence[str], marks: Sequence[Mark]) -> Iterator[tuple[int, int, str]]:
    """Yield (first line, line behind the last, name) of each block; what has no name is split at blank lines."""
    for (first, name), (last, _) in pairwise([*marks, (len(lines), "")]):
        if name:
            if any(line.strip() for line in lines[first:last]):
                yield first, last, name
            continue
        begun = first
        for number in range(first, last + 1):
            if number == last or not lines[number].strip():
                if begun < number:
                    yield begun, number, ""
                begun = number + 1
