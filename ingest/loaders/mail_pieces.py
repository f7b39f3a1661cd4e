"""A message to pieces: subject, headers, body, and what its attachments hold, each below a heading.

Pictures shown in the text are passed over; every other attachment that cannot be read is a warning with its name.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from ingest.errors import UnreadableFile
from ingest.loaders.compose import Piece, Where
from ingest.loaders.mail_parts import Attached, Mail
from ingest.loaders.reading import MAX_DEPTH, Reading
from ingest.passage import Document

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_BOM = b"\xef\xbb\xbf"
_MOST_ATTACHMENTS = 200
_MOST_BYTES = 256 << 20
"""The attachments of one message may have so many bytes together."""
_SUFFIXES = {
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/json": ".json",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-outlook": ".msg",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/xml": ".xml",
    "message/rfc822": ".eml",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/rtf": ".rtf",
    "text/xml": ".xml",
}
"""What to read a file as whose name does not say."""


class _Told(NamedTuple):
    """What a message's pieces are made with: the reading, the warnings to add to, where the message stands."""

    reading: Reading
    warnings: list[str]
    where: Where | None


def message_pieces(mail: Mail, reading: Reading, warnings: list[str], where: Where | None) -> Iterator[Piece]:
    """Yield a message as pieces, at `where` if it stands in a mailbox; tell `warnings` what is not among them."""
    if mail.subject or where:
        yield Piece(mail.subject or "(no subject)", "heading", 1, where)
    yield Piece("\n".join(f"{name}: {value}" for name, value in mail.fields), where=where)
    warnings += mail.problems
    for is_html, text in mail.texts:
        yield from (piece._replace(where=where) for piece in _text_pieces(text, is_html, warnings))
    told = _Told(reading, warnings, where)
    size = 0
    shown = [attached for attached in mail.attached if not _is_inline_picture(attached)]
    for number, attached in enumerate(shown, 1):
        size += len(attached.data)
        if size > _MOST_BYTES or number > _MOST_ATTACHMENTS:
            warnings.append(f"attachments from the {number}. on: too many or too large, not read")
            return
        yield from _attachment(attached, number, told)


def html_pieces(markup: str) -> list[Piece]:
    """Return what a reader of the HTML sees, headings below that of the subject. May raise `UnreadableFile`."""
    from ingest.loaders import html

    document = html.load("", _BOM + markup.encode("utf-8", "replace"))  # the mark beats what the page declares
    return [_lower(piece, 1)._replace(where=None) for piece in _placed(document)]


def _text_pieces(text: str, is_html: bool, warnings: list[str]) -> list[Piece]:
    if not is_html:
        return [Piece(paragraph) for paragraph in _BLANK_LINES.split(text)]
    try:
        return html_pieces(text)
    except UnreadableFile as error:
        warnings.append(f"the HTML of the message: {error}")
        return []


def _is_inline_picture(attached: Attached) -> bool:
    return attached.inline and attached.media_type.startswith("image/")


def _attachment(attached: Attached, number: int, told: _Told) -> Iterator[Piece]:
    """Yield the heading and the content of an attachment, or tell why not."""
    name = attached.name or (f"message {attached.mail.subject}".strip() if attached.mail else f"number {number}")
    notes: list[str] = []
    try:
        pieces = _opened(attached, told.reading, notes)
    except UnreadableFile as error:
        pieces = []
        notes.append(str(error))
    told.warnings.extend(f"attachment {name}: {note}" for note in notes)
    around = _prefix(told.where)
    if pieces:
        here = Where("attachment", number, around)
        yield Piece(f"Attachment: {name}", "heading", 2, here)
        for piece in pieces:
            inside = f"{around}attachment {name}, "
            at = piece.where and piece.where._replace(inside=inside + piece.where.inside)
            yield _lower(piece, 2)._replace(where=at or here)


def _opened(attached: Attached, reading: Reading, notes: list[str]) -> list[Piece]:
    """Return what an attachment holds. Raises `UnreadableFile`."""
    from ingest.loaders import kind_of, load, magic

    if attached.problem:
        raise UnreadableFile(attached.problem)
    if reading.depth >= MAX_DEPTH:
        raise UnreadableFile(f"not opened, it lies more than {MAX_DEPTH} files deep: save it on its own")
    if attached.mail:
        return list(message_pieces(attached.mail, reading.deeper(), notes, None))
    name = _read_as(attached)
    if kind_of(name) is None and magic.sniff(attached.data) is None:
        raise UnreadableFile(f"a file of a kind that cannot be read ({attached.media_type or 'not named'})")
    document = load(name, attached.data, reading.deeper())
    notes += document.warnings
    return list(_placed(document))


def _read_as(attached: Attached) -> str:
    """Return the name to load a file by: its own, with a suffix of its media type if it has none that is known."""
    from ingest.loaders import kind_of

    if attached.name and kind_of(attached.name):
        return attached.name
    suffix = _SUFFIXES.get(attached.media_type) or (".txt" if attached.media_type.startswith("text/") else "")
    return (attached.name or "attachment") + suffix


def _placed(document: Document) -> Iterator[Piece]:
    """Yield the blocks of a document as pieces, which stand where their first character does."""
    starts = [place.start for place in document.places]
    for block in document.blocks:
        where = None
        if before := bisect_right(starts, block.start):
            place = document.places[before - 1]
            where = Where(place.kind, place.number, place.inside)
        elif page := bisect_right(document.page_starts, block.start):
            where = Where("page", page)
        text = block.title if block.kind == "heading" else document.text[block.start : block.end]
        yield Piece(text, block.kind, block.level, where)


def _lower(piece: Piece, levels: int) -> Piece:
    return piece._replace(level=piece.level + levels) if piece.kind == "heading" else piece


def _prefix(where: Where | None) -> str:
    return f"{where.inside}{where.kind} {where.number}, " if where else ""
