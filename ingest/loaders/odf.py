"""OpenDocument texts (.odt) and presentations (.odp) to text; `odf_text` tells what is left out.

A text is read in its order, then come its comments and, once each, headers and footers. A presentation is read like
one of PowerPoint: a page for each slide, hidden ones included, with the notes of its speaker. Pictures and embedded
objects (charts, formulas) are not read, which the warnings say. Encrypted files are refused, as are XML entities.
"""

import re
import zipfile
from collections.abc import Iterator
from typing import Any

from ingest.errors import UnreadableFile
from ingest.loaders.archive import open_archive, parse_xml, read_member, refuse_bomb
from ingest.loaders.compose import Piece, compose
from ingest.loaders.encoding import clean
from ingest.loaders.odf_text import DRAW, OFFICE, PRESENTATION, STYLE, SVG, TEXT, Flow, H, P
from ingest.loaders.slides import Slide, slides_document
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

_MANIFEST = "META-INF/manifest.xml"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_RUNNING = tuple(
    STYLE + name for name in ("header", "header-left", "header-first", "footer", "footer-left", "footer-first")
)
_LENGTH = re.compile(r"([\d.]+)(cm|mm|in|pt)")
_CENTIMETRES = {"cm": 1.0, "mm": 0.1, "in": 2.54, "pt": 0.0353}
_LEAST_PICTURE = 3.0
"""Pictures with a side shorter than this, in centimetres, are taken for ornaments."""


def load(source: str, data: bytes) -> Document:
    """Return an OpenDocument file as a `Document`.

    Raises `UnreadableFile` if it is broken, blown up, encrypted, or neither a text nor a presentation.
    """
    refuse_bomb(data)
    with open_archive(data) as archive:
        _refuse_encrypted(archive)
        root = parse_xml(read_member(archive, "content.xml"))
        styles = _optional(archive, "styles.xml")
        meta = _optional(archive, "meta.xml")
    flow = Flow([root] if styles is None else [root, styles])
    named = None if meta is None else meta.find(f".//{_TITLE}")
    title = "" if named is None else clean(named.text or "")
    body = root.find(OFFICE + "body")
    content = None if body is None else next(iter(body), None)
    if content is not None and content.tag == OFFICE + "presentation":
        return _presentation(source, title, content, flow)
    if content is None or content.tag != OFFICE + "text":
        found = "nothing" if content is None else "a " + content.tag.rsplit("}", 1)[-1]
        raise UnreadableFile(f"expected an OpenDocument text or presentation, found {found}")
    return _text(source, title, content, styles, flow)


def _refuse_encrypted(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    if "encrypted-package" in names or (_MANIFEST in names and b"encryption-data" in read_member(archive, _MANIFEST)):
        raise UnreadableFile("encrypted: the OpenDocument file needs a password; save it without one")


def _optional(archive: zipfile.ZipFile, name: str) -> Any:
    return parse_xml(read_member(archive, name)) if name in archive.namelist() else None


def _text(source: str, title: str, content: Any, styles: Any, flow: Flow) -> Document:
    pieces = list(flow.pieces(content))
    heading = first_heading(compose(pieces)[1])
    if flow.comments:
        pieces += [
            Piece("Comments", "heading", 1),
            *(Piece(f"{author}: {said}" if author else said) for author, said in flow.comments),
        ]
    running = [] if styles is None else list(_running(styles, flow))
    if running:
        pieces += [Piece("Headers and footers", "heading", 1), *running]
    text, blocks = compose(pieces)
    return Document(source, "odt", pick(source, [title, heading]), text, blocks, warnings=_unread(content))


def _running(styles: Any, flow: Flow) -> Iterator[Piece]:
    """Yield the lines of headers and footers, each once and without those that only count pages."""
    seen: set[str] = set()
    for part in styles.iter(*_RUNNING):
        if part.get(STYLE + "display") == "false":
            continue
        for paragraph in part.iter(P, H):
            line = flow.line([paragraph])
            counts = next(paragraph.iter(TEXT + "page-number", TEXT + "page-count"), None) is not None
            if any(map(str.isalpha, line)) and line not in seen and not (counts and len(line.split()) < 3):
                seen.add(line)
                yield Piece(line)


def _presentation(source: str, title: str, content: Any, flow: Flow) -> Document:
    slides: list[Slide] = []
    running: set[str] = set()
    for page in content.iter(DRAW + "page"):
        heading, pieces = "", []
        for shape in page:
            kind = shape.get(PRESENTATION + "class", "")
            if kind == "title" and not heading:
                heading = flow.line([shape])
            elif kind in ("footer", "header", "date-time", "page-number"):
                line = flow.line(shape)
                known = kind == "page-number" or line in running
                running.add(line)
                pieces += [] if known else [Piece(line)]
            else:
                pieces += _plain_if_single(list(flow.pieces([shape])))
        comments = [Piece(f"Comment by {who}: {said}" if who else f"Comment: {said}") for who, said in flow.comments]
        flow.comments.clear()
        slides.append(Slide(heading, [*pieces, *comments, *_notes(page, flow)]))
    return slides_document(source, "odp", [title], slides, _unread(content))


def _plain_if_single(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces of a shape; a list of one item is how programs save a line of text."""
    if len(pieces) == 1 and pieces[0].kind == "list" and pieces[0].text.startswith("- ") and "\n" not in pieces[0].text:
        return [Piece(pieces[0].text.removeprefix("- "))]
    return pieces


def _notes(page: Any, flow: Flow) -> Iterator[Piece]:
    for notes in page.iter(PRESENTATION + "notes"):
        text = "\n".join(filter(None, (flow.line([part]) for part in notes.iter(P, H))))
        if text:
            yield Piece(f"Notes: {text}")


def _unread(content: Any) -> tuple[str, ...]:
    """Return a warning for each kind of thing in the body that holds what is not read."""
    pictures = objects = 0
    for frame in content.iter(DRAW + "frame"):
        embedded = frame.find(DRAW + "object") is not None or frame.find(DRAW + "object-ole") is not None
        objects += embedded
        has_text = frame.find(DRAW + "text-box") is not None or next(frame.iter(P), None) is not None
        pictures += not embedded and not has_text and frame.find(DRAW + "image") is not None and _is_large(frame)
    counts = ((pictures, "picture"), (objects, "embedded object"))
    return tuple(f"not read: {count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)


def _is_large(frame: Any) -> bool:
    sides = [_LENGTH.fullmatch(frame.get(SVG + side, "")) for side in ("width", "height")]
    return all(side and float(side[1]) * _CENTIMETRES[side[2]] >= _LEAST_PICTURE for side in sides)
