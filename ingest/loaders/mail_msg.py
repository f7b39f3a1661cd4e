"""An Outlook message (.msg) to a `Mail`, with python-oxmsg and olefile, which read its parts all into memory.

Texts that name a code page they are not in are read as what they are. A body that there is only as RTF is
decompressed and read as an RTF file would be.
"""

import datetime
import io
import re
from email.parser import HeaderParser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ingest.errors import UnreadableFile
from ingest.loaders.encoding import clean
from ingest.loaders.mail_headers import fields, text_of
from ingest.loaders.mail_parts import Attached, Mail

if TYPE_CHECKING:
    from oxmsg.storage import Storage

_TOP, _INNER, _ATTACHMENT = 32, 24, 8
"""Bytes before the properties of the message itself, of one within it, of an attachment."""
_SUBJECT, _BODY, _HTML, _RTF, _HEADERS = 0x0037, 0x1000, 0x1013, 0x1009, 0x007D
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP, _TO, _CC, _SENT = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04, 0x0E03, 0x0039
_DATA, _FILE_NAMES, _MEDIA_TYPE, _CONTENT_ID, _HIDDEN = 0x3701, (0x3707, 0x3704, 0x3001), 0x370E, 0x3712, 0x7FFE
_CODE_PAGES = (0x3FDE, 0x3FFD)
_PICTURE = re.compile(r".*\.(?:png|jpe?g|gif|bmp|emf|wmz|tiff?|svg)", re.IGNORECASE)
_DEEPEST = 8
"""Messages in messages are read into memory only so far."""


def parse(data: bytes) -> Mail:
    """Return the message in `data`. Raises `UnreadableFile` if it is broken."""
    from olefile import OleFileIO
    from oxmsg.storage import Storage

    try:
        with OleFileIO(io.BytesIO(data)) as opened:
            return _mail(Storage.from_ole(opened), _TOP, 0)
    except UnreadableFile:
        raise
    except Exception as error:  # neither parser says what it may raise
        found = " ".join(str(error).split())[:200]
        raise UnreadableFile(f"broken: expected an Outlook message, found: {type(error).__name__}: {found}") from error


def _mail(storage: "Storage", offset: int, depth: int) -> Mail:
    mail = Mail(_line(storage, _SUBJECT, offset), _fields(storage, offset))
    _add_body(storage, offset, mail)
    mail.attached = [_attached(inner, depth) for inner in storage.iter_attachment_storages()]
    return mail


def _fields(storage: "Storage", offset: int) -> list[tuple[str, str]]:
    """Return who wrote to whom and when: by the headers it came with, else by what Outlook noted."""
    address = _line(storage, _SENDER_SMTP, offset) or _line(storage, _SENDER_ADDRESS, offset)
    sender = f"{_line(storage, _SENDER, offset)} <{address}>" if "@" in address else _line(storage, _SENDER, offset)
    noted = {
        "From": sender,
        "To": _line(storage, _TO, offset),
        "Cc": _line(storage, _CC, offset),
        "Date": _sent(storage, offset),
    }
    noted |= dict(fields(HeaderParser().parsestr(_text(storage, _HEADERS, offset))))
    return [(name, value) for name, value in noted.items() if value.strip()]


def _add_body(storage: "Storage", offset: int, mail: Mail) -> None:
    """Put the body into `mail`: the plain text, else the HTML, else the RTF."""
    from ingest.loaders import load
    from ingest.loaders.mail_rtf import decompress

    try:
        plain, rich = _text(storage, _BODY, offset), _text(storage, _HTML, offset)
        if plain.strip() or rich.strip():
            mail.texts.append((not plain.strip(), plain if plain.strip() else rich))
        elif packed := _stream(storage, _RTF, "0102"):
            mail.texts.append((False, load("body.rtf", decompress(packed)).text))
    except UnreadableFile as error:
        mail.problems.append(f"the text of the message: {error}")


def _attached(storage: "Storage", depth: int) -> Attached:
    """Return what one attachment is."""
    named = next(filter(None, (_line(storage, pid, _ATTACHMENT) for pid in _FILE_NAMES)), "")
    name = PurePosixPath(named.replace("\\", "/")).name[-150:]
    media_type = _line(storage, _MEDIA_TYPE, _ATTACHMENT).lower()
    if not media_type and _PICTURE.fullmatch(name):
        media_type = "image/unknown"
    inner = next((one for one in storage.storages if one.name == f"__substg1.0_{_DATA:04X}000D"), None)
    if inner and depth < _DEEPEST and any(stream.name == "__properties_version1.0" for stream in inner.streams):
        return Attached(name, "message/rfc822", mail=_mail(inner, _INNER, depth + 1))
    data = _stream(storage, _DATA, "0102")
    inline = bool(_line(storage, _CONTENT_ID, _ATTACHMENT) or _number(storage, _HIDDEN, _ATTACHMENT))
    problem = "" if data else "its content is not in the message, or is an embedded object, which is not read"
    return Attached(name, media_type, data, None, inline, problem)


def _line(storage: "Storage", pid: int, offset: int) -> str:
    """Return a short text in one line, "" if there is none."""
    try:
        return " ".join(_text(storage, pid, offset).split())
    except UnreadableFile:
        return ""


def _text(storage: "Storage", pid: int, offset: int) -> str:
    """Return a text, "" if there is none. Raises `UnreadableFile` if it is binary."""
    wide = _stream(storage, pid, "001F")
    if wide:
        return clean(wide.decode("utf-16-le", "replace"))
    narrow = _stream(storage, pid, "001E") or _stream(storage, pid, "0102")
    return text_of(narrow, _code_page(storage, offset)) if narrow else ""


def _stream(storage: "Storage", pid: int, type_: str) -> bytes:
    """Return the bytes of a property, none if it is missing."""
    name = f"__substg1.0_{pid:04X}{type_}"
    return next((stream.bytes_ for stream in storage.streams if stream.name.upper() == name.upper()), b"")


def _code_page(storage: "Storage", offset: int) -> str | None:
    """Return the encoding of a message's 8-bit texts, if it says so."""
    number = next(filter(None, (_number(storage, pid, offset) for pid in _CODE_PAGES)), 0)
    return {65001: "utf-8", 20127: "cp1252", 28591: "cp1252", 936: "gb18030"}.get(number, f"cp{number}")


def _number(storage: "Storage", pid: int, offset: int) -> int:
    """Return a whole number, 0 if there is none."""
    return int.from_bytes(_fixed(storage, pid, offset)[:4], "little")


def _sent(storage: "Storage", offset: int) -> str:
    """Return when the message was sent, "" if that is not known."""
    ticks = int.from_bytes(_fixed(storage, _SENT, offset), "little")  # of 100 ns since 1601
    try:
        moment = datetime.datetime(1601, 1, 1) + datetime.timedelta(seconds=ticks // 10**7)
    except OverflowError:
        return ""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if ticks else ""


def _fixed(storage: "Storage", pid: int, offset: int) -> bytes:
    """Return the eight bytes of a property of fixed size, none if it is missing."""
    table = next((one.bytes_ for one in storage.streams if one.name == "__properties_version1.0"), b"")
    for at in range(offset, len(table) - 15, 16):
        if int.from_bytes(table[at + 2 : at + 4], "little") == pid:
            return table[at + 8 : at + 16]
    return b""
