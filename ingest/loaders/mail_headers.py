"""Header fields of a message to the words in them, whatever their bytes.

Encoded words ("=?UTF-8?B?...?=") are decoded, also where a character is cut in two between them or the code page is
misnamed; what cannot be decoded stays as it is.
"""

import binascii
import quopri
import re
from email.message import Message

from ingest.errors import UnreadableFile
from ingest.loaders.encoding import clean, decode

_SHOWN = ("From", "To", "Cc", "Date")
_LONGEST = 2000
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_RUN = re.compile(r"(?:=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)+")
_BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)")
_CHARSET = re.compile(
    r"(?:us-)?ascii|utf-?(?:7|8|16(?:[lb]e)?)|cp-?\d+|windows-?\d+|iso[-_]?8859[-_]\d+|iso-2022-\w+(?:-\w+)?|koi8-[rtu]|"
    r"latin-?\d|mac[-_ ]?\w+|big5[-\w]*|gb\w+|hz(?:-gb-2312)?|euc[-_]\w+|s(?:hift)?[-_]?jis\w*|johab|tis-620|"
    r"ks_c_5601-1987"
)
_LARGER = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "latin1": "cp1252", "euc-kr": "cp949"}
"""What programs write that mean the larger character set."""


def fields(message: Message) -> list[tuple[str, str]]:
    """Return who wrote to whom and when, as far as the headers tell."""
    found = ((name, header(message, name)) for name in _SHOWN)
    return [(name, _short(value)) for name, value in found if value]


def header(message: Message, name: str) -> str:
    """Return the words of all fields of that name in one line, "" if there are none."""
    values = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return ", ".join(filter(None, map(words, values)))


def words(raw: str) -> str:
    """Return a field's value as it was meant, in one line."""
    if not raw.isascii():
        raw = text_of(raw.encode("utf-8", "surrogateescape"), None)
    found = _RUN.sub(_decode_run, _BETWEEN.sub("", raw))
    return " ".join(clean(found.encode("utf-8", "replace").decode()).split())


def charset(name: str | None) -> str | None:
    """Return the Python name of a charset that text may be decoded with, None if it is odd."""
    low = (name or "").lower().strip("\"' ")
    low = re.sub(r"^(?:x-|cs)(?=\w)", "", low)
    return _LARGER.get(low, low) if _CHARSET.fullmatch(low) else None


def text_of(data: bytes, declared: str | None) -> str:
    """Return bytes as text: in the charset declared if it fits, else as what they are. May raise `UnreadableFile`."""
    return decode(data, charset(declared)).encode("utf-8", "replace").decode()


def _decode_run(run: re.Match[str]) -> str:
    """Return encoded words that follow each other, those in one charset decoded together."""
    parts: list[tuple[str, bytes]] = []
    for name, encoding, payload in _WORD.findall(run[0]):
        data = _base64(payload) if encoding in "bB" else quopri.decodestring(payload.encode("ascii", "replace"), True)
        name = name.partition("*")[0].lower()
        if parts and parts[-1][0] == name:
            data = parts.pop()[1] + data
        parts.append((name, data))
    try:
        return "".join(text_of(data, name) for name, data in parts)
    except UnreadableFile:
        return run[0]


def _base64(payload: str) -> bytes:
    """Return what is encoded, wrong characters and padding overlooked."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", payload)
    usable = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(usable + "=" * (-len(usable) % 4))


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else value[:_LONGEST].rstrip() + " ..."
