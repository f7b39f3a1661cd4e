"""Mail: a message (.eml, Outlook's .msg) or a mailbox of them (mbox), with what is attached.

The subject is a heading, the sender, receivers and date a block, and each file attached that can be read stands under
a heading of its own. Places name the message of a mailbox and the attachment with its pages or rows. What cannot be
read, a message of a mailbox or an attachment, is a warning and costs nothing else. Replies keep what they quote.
Attachments are opened in memory, down to `reading.MAX_DEPTH`.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from ingest.errors import UnreadableFile
from ingest.loaders import mail_box, mail_mime, mail_msg, ole
from ingest.loaders.compose import Piece, Where, compose_placed
from ingest.loaders.mail_parts import Mail
from ingest.loaders.mail_pieces import message_pieces
from ingest.loaders.reading import Reading
from ingest.loaders.title import pick
from ingest.passage import Document

_MOST_WARNINGS = 50


def load(source: str, data: bytes, reading: Reading) -> Document:
    """Return a message or a mailbox as a `Document`.

    Raises `UnreadableFile` if it is no mail, or if no message of a mailbox can be read.
    """
    if data.startswith(ole.MAGIC):
        return _message(source, "msg", mail_msg.parse(data), reading)
    if PurePosixPath(source).suffix.lower() == ".mbox" or data.lstrip().startswith(b"From "):
        return _mailbox(source, data, reading)
    return _message(source, "eml", mail_mime.parse(data), reading)


def _message(source: str, kind: str, mail: Mail, reading: Reading) -> Document:
    warnings: list[str] = []
    pieces = list(message_pieces(mail, reading, warnings, None))
    return _document(source, kind, mail.subject, pieces, warnings)


def _mailbox(source: str, data: bytes, reading: Reading) -> Document:
    warnings: list[str] = []
    pieces: list[Piece] = []
    number = 0
    for number, part in enumerate(mail_box.split(data), 1):
        told: list[str] = []
        try:
            pieces += message_pieces(mail_mime.parse(part), reading, told, Where("message", number))
        except UnreadableFile as error:
            told.append(str(error))
        warnings += (f"message {number}: {warning}" for warning in told)
    if not pieces:
        raise UnreadableFile(f"expected a mailbox of messages, found {number}, of which none can be read")
    return _document(source, "mbox", "", pieces, warnings)


def _document(source: str, kind: str, subject: str, pieces: Iterable[Piece], warnings: list[str]) -> Document:
    text, blocks, places = compose_placed(pieces)
    more = len(warnings) - _MOST_WARNINGS
    lines = (" ".join(warning.split()) for warning in warnings[:_MOST_WARNINGS])
    told = (*lines, *([f"{more} more parts could not be read"] if more > 0 else []))
    return Document(source, kind, pick(source, [subject]), text, blocks, (), places, told)
