"""A parsed document to bytes and back: as a worker process sends it, and as the index keeps its structure.

The bytes are JSON, so that reading them can run nothing.
"""

import json
from typing import Any

from ingest.passage import Block, Document, Place


def dump(document: Document) -> bytes:
    """Return a whole document as bytes for `load`."""
    head = [document.source, document.kind, document.title, document.text, list(document.page_starts)]
    return json.dumps([*head, list(document.warnings), _parts(document)], ensure_ascii=False).encode()


def load(data: bytes) -> Document:
    """Return the document that `dump` was given."""
    source, kind, title, text, pages, warnings, (blocks, places) = json.loads(data)
    return Document(source, kind, title, text, *_built(blocks, tuple(pages), places), warnings=tuple(warnings))


def dump_structure(document: Document) -> bytes:
    """Return a document's blocks and places as bytes for `with_structure`."""
    return json.dumps(_parts(document), ensure_ascii=False).encode()


def with_structure(source: str, kind: str, title: str, text: str, pages: tuple[int, ...], structure: bytes) -> Document:
    """Return a document put together from its text and what `dump_structure` gave."""
    blocks, places = json.loads(structure)
    return Document(source, kind, title, text, *_built(blocks, pages, places))


def _parts(document: Document) -> list[list[Any]]:
    blocks = [[b.start, b.end, b.kind, b.level, b.title] for b in document.blocks]
    return [blocks, [[p.start, p.kind, p.number, p.inside] for p in document.places]]


def _built(
    blocks: list[Any], pages: tuple[int, ...], places: list[Any]
) -> tuple[tuple[Block, ...], tuple[int, ...], tuple[Place, ...]]:
    return tuple(Block(*block) for block in blocks), pages, tuple(Place(*place) for place in places)
