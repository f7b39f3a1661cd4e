"""Where the functions and classes of a Python file begin, told by Python's own parser; nothing is executed.

A file is parsed only if it is of at most two million characters. Definitions inside functions, `if` and `try`
belong to what is around them.
"""

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence

_MOST_CHARACTERS = 2_000_000
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def marks(text: str, lines: Sequence[str]) -> list[tuple[int, str]] | None:
    """Return the marks of a file (see `code.Mark`), None if it cannot be parsed."""
    tree = _parse(text) if len(text) <= _MOST_CHARACTERS else None
    if tree is None:
        return None
    found: dict[int, str] = {}
    for line, name in _of_body(tree.body, lines, "", 0):
        found.setdefault(line, name)
    return sorted(found.items())


def _parse(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _of_body(body: Iterable[ast.stmt], lines: Sequence[str], around: str, floor: int) -> Iterator[tuple[int, str]]:
    """Yield the marks of a module's or class's statements; `around` is the class, `floor` its first line."""
    after_definition = False
    for node in body:
        if isinstance(node, _Definition):
            first = _with_lead(node, lines, floor)
            path = f"{around}.{node.name}" if around else node.name
            yield first, _name(node, path)
            if isinstance(node, ast.ClassDef):
                yield from _of_body(node.body, lines, path, node.lineno)
        elif after_definition:
            yield _rest(lines, floor, node), f"class {around}" if around else ""
        after_definition = isinstance(node, _Definition)
        floor = node.end_lineno or node.lineno


def _name(node: _Definition, path: str) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {path}"
    return f"method {path}" if "." in path else f"function {path}"


def _with_lead(node: _Definition, lines: Sequence[str], floor: int) -> int:
    """Return the line (from 0) where a definition with its decorators and the comments right above begins."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
    while first > floor and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first


def _rest(lines: Sequence[str], floor: int, node: ast.stmt) -> int:
    """Return the line where what follows a definition begins: not at a comment further in than `node`."""
    while floor < node.lineno - 1 and len(lines[floor]) - len(lines[floor].lstrip()) > node.col_offset:
        floor += 1
    return floor
