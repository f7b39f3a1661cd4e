r"""Bytes of a text file to the characters that all offsets count.

`decode` knows UTF-8, UTF-16 and UTF-32 by their byte order mark (which is not part of the text), then tries
strict UTF-8, UTF-16 without a mark, UTF-8 with a few broken bytes (which become U+FFFD), and at last guesses a
legacy code page. Line ends become `\n`, control characters a space each, so for a UTF-8 file the offsets are
those of `Path(...).read_text(encoding="utf-8-sig")`. The result never holds a lone surrogate. A guess can be
wrong, most of all on a few words.
"""

import codecs
import re
import unicodedata

from ingest.errors import UnreadableFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\b\t\n\v\f\r\x1b"))
_SAMPLE = 65536
_MOST_JUNK = 0.1
"""Share of characters that are controls, unassigned or undecodable, above which a file is binary."""
_MOST_CONTROL_BYTES = 0.02
_COMMON_UNITS = frozenset(" \n.,、。，的")


def decode(data: bytes, declared: str | None = None) -> str:
    """Return the text in `data`. `declared` is the encoding that the file itself names, used if it fits.

    Raises `UnreadableFile` if the bytes are not text.
    """
    text = _decode(data, declared)
    _refuse_binary(text)
    return clean(text)


def clean(text: str) -> str:
    r"""Return `text` with line ends as `\n` and a space for every other control character but the tab."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", text)


def _decode(data: bytes, declared: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if declared and (text := _strict(data, declared)) is not None:
        return text
    controls = _control_share(data)
    if controls and (text := _utf16(data)) is not None:
        return text
    if (text := _strict(data, "utf-8")) is not None:
        japanese = b"\x1b$B" in data or b"\x1b$@" in data
        return (_strict(data, "iso2022_jp") or text) if japanese else text
    if controls > _MOST_CONTROL_BYTES:
        raise UnreadableFile("expected text, found binary data")
    return _damaged_utf8(data) or _legacy(data)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _control_share(data: bytes) -> float:
    sample = data[:_SAMPLE]
    return 1 - len(sample.translate(None, _CONTROL_BYTES)) / max(1, len(sample))


def _utf16(data: bytes) -> str | None:
    """Return the text if it can only be UTF-16 without a mark.

    In UTF-16, the space, the line end and the punctuation of Chinese and Japanese have control bytes in them,
    which no text in another encoding has.
    """
    candidates = []
    for encoding in ("utf-16-le", "utf-16-be"):
        sample = _utf16_sample(data, encoding) if len(data) % 2 == 0 else None
        if sample and not any(_is_junk(char) or char == "\ufffd" for char in sample):
            candidates.append((sum(char in _COMMON_UNITS for char in sample) / len(sample), encoding))
    share, encoding = max(candidates, default=(0.0, ""))
    return data.decode(encoding, "replace") if share > 0.005 else None


def _utf16_sample(data: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data[:_SAMPLE])
    except UnicodeError:
        return None


def _damaged_utf8(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(not char.isascii() for char in text) - broken
    return text if broken * 10 <= whole else None


def _legacy(data: bytes) -> str:
    from ingest.loaders.charset import guess

    for encoding in guess(data):
        if (text := _strict(data, encoding)) is not None:
            return text
    raise UnreadableFile("expected text, found bytes in no known encoding: save the file as UTF-8")


def _refuse_binary(text: str) -> None:
    sample = text[:_SAMPLE]
    junk = sum(_is_junk(char) or char == "\ufffd" for char in sample)
    if junk > max(1, _MOST_JUNK * len(sample)):
        raise UnreadableFile("expected text, found binary data")


def _is_junk(char: str) -> bool:
    if char.isascii():
        return char < " " and char not in "\b\t\n\v\f\r\x1b"
    return unicodedata.category(char) in ("Cc", "Cn", "Co")
