"""EPUB books to text: the documents of the spine in their order, each read as HTML is.

Title and author come from the package file. A place is the number of the document in the spine ("section 5"), which
need not be that of a chapter; the headings say which chapter it is. A document that begins without a heading gets the
one that the table of contents has for it, if it has one; otherwise it goes on under the heading before, as books that
were cut into files at any place want it. What stands outside the reading order (notes, mostly) comes last, the table of
contents is left out. Pictures are not read. Books under DRM are refused; obfuscated fonts are no DRM.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag

from ingest.errors import UnreadableFile
from ingest.loaders import html
from ingest.loaders.archive import open_archive, parse_xml, read_member, refuse_bomb
from ingest.loaders.compose import Piece, Where, compose_placed
from ingest.loaders.encoding import clean, decode
from ingest.loaders.title import first_heading, pick
from ingest.passage import Document

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_NCX = "application/x-dtbncx+xml"
_FONT = re.compile(r"\.(?:otf|ttf|ttc|woff2?|eot)$", re.IGNORECASE)
_EMPTY_ELEMENT = re.compile(r"<([a-zA-Z][\w:-]*)((?:\s[^<>]*)?)/>")
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_MOST_NAMED = 3


class _Book(NamedTuple):
    """`pages` are the documents of the spine in the order of reading: number in the spine -> name in the archive.

    `titles` is what the table of contents calls them.
    """

    title: str
    authors: list[str]
    pages: dict[int, str]
    titles: dict[str, str]


def load(source: str, data: bytes) -> Document:
    """Return an EPUB book as a `Document`. Raises `UnreadableFile` if it is broken, blown up or under DRM."""
    refuse_bomb(data)
    missing: list[str] = []
    with open_archive(data) as archive:
        book = _book(archive)
        _refuse_drm(archive, book.pages)
        pieces = list(_pieces(archive, book, missing))
    text, blocks, places = compose_placed(pieces)
    title = pick(source, [book.title, first_heading(blocks)])
    if book.title and book.authors:
        title = pick(source, [f"{book.title} ({', '.join(book.authors)})"])
    return Document(source, "epub", title, text, blocks, places=places, warnings=tuple(missing))


def _book(archive: zipfile.ZipFile) -> _Book:
    container = parse_xml(read_member(archive, _CONTAINER))
    name = next((root.get("full-path", "") for root in container.iter("{*}rootfile")), "")
    package = parse_xml(read_member(archive, name))
    items = {item.get("id"): item for item in package.iterfind("{*}manifest/{*}item")}
    spine = list(enumerate(package.iterfind("{*}spine/{*}itemref"), start=1))
    spine.sort(key=lambda entry: entry[1].get("linear") == "no")
    pages = {number: items.get(entry.get("idref")) for number, entry in spine}
    return _Book(
        next(_metadata(package, "title"), ""),
        list(_metadata(package, "creator"))[:_MOST_NAMED],
        {number: "" if item is None else _resolve(name, item) for number, item in pages.items() if _is_read(item)},
        _titles(archive, name, items),
    )


def _is_read(item: Any) -> bool:
    """Whether an entry of the spine is text other than a table of contents; one that refers to nothing is missed."""
    return item is None or (item.get("media-type") in _PAGES and not _is_contents(item))


def _is_contents(item: Any) -> bool:
    return "nav" in item.get("properties", "").split()


def _metadata(package: Any, name: str) -> Iterator[str]:
    for element in package.iter("{http://purl.org/dc/elements/1.1/}" + name):
        if text := " ".join(clean("".join(element.itertext())).split()):
            yield text


def _resolve(base: str, item: Any) -> str:
    """Return the name in the archive of what an item of the manifest refers to."""
    return _join(base, item.get("href", ""))


def _join(base: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(urldefrag(reference).url)))


def _titles(archive: zipfile.ZipFile, package: str, items: dict[str | None, Any]) -> dict[str, str]:
    """Return the titles of documents that the table of contents refers to as a whole."""
    titles: dict[str, str] = {}
    for item in items.values():
        if not _is_contents(item) and item.get("media-type") != _NCX:
            continue
        name = _resolve(package, item)
        try:
            root = parse_xml(read_member(archive, name))
        except UnreadableFile:  # a table of contents is a help, no more
            continue
        entries = [(point.find("{*}content"), "src", point.find("{*}navLabel")) for point in root.iter("{*}navPoint")]
        entries += [(link, "href", link) for link in root.iter("{*}a")]
        for link, attribute, label in entries:
            reference = "" if link is None else link.get(attribute, "")
            words = "" if label is None else " ".join(clean("".join(label.itertext())).split())
            if words and reference and "#" not in reference:
                titles.setdefault(_join(name, reference), words)
    return titles


def _refuse_drm(archive: zipfile.ZipFile, pages: dict[int, str]) -> None:
    if _ENCRYPTION not in archive.namelist():
        return
    root = parse_xml(read_member(archive, _ENCRYPTION))
    locked = {unquote(part.get("URI", "")) for part in root.iter("{*}CipherReference")}
    if any(page in locked for page in pages.values()) or any(
        not _FONT.search(name) and name.endswith("html") for name in locked
    ):
        raise UnreadableFile("encrypted: the EPUB book is under DRM, which cannot be read; use a copy without it")


def _pieces(archive: zipfile.ZipFile, book: _Book, missing: list[str]) -> Iterator[Piece]:
    """Yield the pieces of each document with its place; `missing` is told of those that cannot be read."""
    for number, name in book.pages.items():
        try:
            data = read_member(archive, name)
            _, pieces = html.read_markup(_as_html(decode(data, html.declared_encoding(data))))
        except UnreadableFile as error:
            missing.append(f"section {number} could not be read: {error}")
            continue
        yield from (piece._replace(where=Where("section", number)) for piece in _headed(pieces, book.titles.get(name)))


def _as_html(markup: str) -> str:
    """Return XHTML with its empty elements written as HTML wants them: "<title/>" would swallow all that follows."""
    return _EMPTY_ELEMENT.sub(
        lambda match: match[0] if match[1].lower() in _VOID else f"<{match[1]}{match[2]}></{match[1]}>", markup
    )


def _headed(pieces: list[Piece], title: str | None) -> list[Piece]:
    """Return the pieces with `title` as their heading, if they do not begin with one."""
    shown = [piece for piece in pieces if piece.text.strip()]
    if not title or not shown or shown[0].kind == "heading":
        return shown
    if " ".join(shown[0].text.split()).casefold() == title.casefold():
        shown = shown[1:]
    return [Piece(title, "heading", 1), *shown]
