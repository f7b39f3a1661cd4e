"""Jupyter notebooks (nbformat 3 and 4): the cells in order, each of them a place, counted from 1.

Markdown cells become headings, paragraphs, lists and tables; code cells become code, followed by what they printed
or returned as text, of which the beginning is kept. Pictures and interactive outputs are passed over, as is a
traceback but for the error itself.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ingest.errors import UnreadableFile
from ingest.loaders import html, markdown
from ingest.loaders.compose import Piece, Where, compose_placed
from ingest.loaders.encoding import clean, decode
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

_LONGEST_OUTPUT = 2000
"""Characters of a cell's outputs that are kept."""
_BOM = b"\xef\xbb\xbf"
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OVERWRITTEN = re.compile(r"[^\n\r]*\r(?=[^\n\r])")
_EMBEDDED_PICTURE = re.compile(r"\(data:image/[^)\s]*\)")


def load(source: str, data: bytes) -> Document:
    """Return a notebook as a `Document`. Raises `UnreadableFile` if it is none."""
    notebook = _parse(data)
    pieces: list[Piece] = []
    cut = 0
    for number, cell in enumerate(_cells(notebook), 1):
        where = Where("cell", number)
        pieces += (piece._replace(where=where) for piece in _source(cell))
        printed = "\n".join(_printed(cell)).strip("\n")
        pieces.append(Piece(printed[:_LONGEST_OUTPUT], "code", where=where))
        cut += len(printed) > _LONGEST_OUTPUT
    text, blocks, places = compose_placed(pieces)
    named = notebook.get("metadata")
    title = _text(named.get("title") or named.get("name")) if isinstance(named, dict) else ""
    warnings = (f"of {cut} cells only the first {_LONGEST_OUTPUT} characters of output were read",) if cut else ()
    return Document(source, "ipynb", pick(source, [title, first_heading(blocks)]), text, blocks, (), places, warnings)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        notebook = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"broken: expected a notebook in JSON, found: {str(error)[:200]}") from error
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise UnreadableFile("broken: expected a notebook, found JSON without cells")
    return notebook


def _cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the cells; format 3 had them in worksheets."""
    sheets = [notebook] if "cells" in notebook else _dicts(notebook["worksheets"])
    for sheet in sheets:
        yield from _dicts(sheet.get("cells"))


def _source(cell: dict[str, Any]) -> list[Piece]:
    """Return what was written in a cell."""
    kind = cell.get("cell_type")
    text = _text(cell.get("source") if "source" in cell else cell.get("input"))
    if kind == "code":
        return [Piece(text, "code")]
    if kind == "heading":
        level = cell.get("level")
        return [Piece(" ".join(text.split()), "heading", level if isinstance(level, int) and 0 < level < 7 else 1)]
    return _markdown(text) if kind == "markdown" else [Piece(text)]


def _markdown(text: str) -> list[Piece]:
    text = _EMBEDDED_PICTURE.sub("()", text)
    try:
        document = markdown.load("", _BOM + b"\n" + text.encode())  # a first line that is blank begins no front matter
    except UnreadableFile:
        return [Piece(text)]
    return [
        Piece(
            block.title if block.kind == "heading" else document.text[block.start : block.end], block.kind, block.level
        )
        for block in document.blocks
    ]


def _printed(cell: dict[str, Any]) -> Iterator[str]:
    """Yield the outputs of a cell that are text."""
    for output in _dicts(cell.get("outputs")) if cell.get("cell_type") == "code" else ():
        kind = output.get("output_type")
        if kind == "stream":
            yield _text(output.get("text"))
        elif kind in ("error", "pyerr"):
            yield f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
        elif kind in ("execute_result", "display_data", "pyout"):
            yield _shown(output)


def _shown(output: dict[str, Any]) -> str:
    """Return what an output shows as text, "" if it is a picture or the like."""
    data = output.get("data")
    data = data if isinstance(data, dict) else {"text/plain": output.get("text"), "text/html": output.get("html")}
    plain = _text(data.get("text/plain"))
    if plain and not (plain.startswith("<") and len(data) > 1):  # not "<Figure size 640x480 with 1 Axes>"
        return plain
    if markup := _text(data.get("text/html")):
        try:
            return html.load("", _BOM + markup.encode()).text
        except UnreadableFile:
            return ""
    return _text(data.get("text/markdown"))


def _dicts(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list, whatever else JSON holds in their place."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return a text, which notebooks keep whole or as lines; "" for anything else."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    if not isinstance(value, str):
        return ""
    plain = _OVERWRITTEN.sub("", _COLOURS.sub("", value.replace("\r\n", "\n")))
    return clean(plain).encode("utf-8", "replace").decode()
