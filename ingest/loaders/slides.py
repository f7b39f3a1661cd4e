"""Slides to a `Document` whose pages are the slides, with a heading for each, so that none is taken for the one before.

A slide without a title is headed "Slide 3"; so is one with nothing but a title, which then is its text. A slide that
is empty keeps its number.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ingest.loaders.compose import Piece, compose
from ingest.loaders.title import pick
from ingest.passage import Block, Document, Place


class Slide(NamedTuple):
    """What a slide holds: its title in one line, "" if it has none, and everything else."""

    title: str
    pieces: list[Piece]


def slides_document(
    source: str, kind: str, titles: Iterable[str], slides: list[Slide], warnings: Iterable[str] = ()
) -> Document:
    """Return the slides as a `Document`; its title is the first of `titles`, else of the slides', that is not blank."""
    parts: list[str] = []
    blocks: list[Block] = []
    starts: list[int] = []
    at = 0
    for number, slide in enumerate(slides, start=1):
        text, found = compose(_headed(slide, number))
        starts.append(at)
        blocks += (Block(at + b.start, at + b.end, b.kind, b.level, b.title) for b in found)
        parts.append(f"{text}\n\n" if text else "\n")
        at += len(parts[-1])
    places = tuple(Place(start, "slide", number) for number, start in enumerate(starts, start=1))
    title = pick(source, [*titles, *(slide.title for slide in slides)])
    return Document(source, kind, title, "".join(parts), tuple(blocks), tuple(starts), places, tuple(warnings))


def _headed(slide: Slide, number: int) -> list[Piece]:
    title = " ".join(slide.title.split())
    pieces = [piece for piece in slide.pieces if piece.text.strip()]
    if title and pieces:
        return [Piece(title, "heading", 1), *pieces]
    return [Piece(f"Slide {number}", "heading", 1), *pieces, Piece(title)] if title or pieces else []
