r"""Bytes of a text file to the characters that all offsets count.

`decode` knows UTF-8, UTF-16 and UTF-32 by their byte order mark (which is not part of the text), then tries
UTF-32 and UTF-16 without a mark, strict UTF-8, UTF-8 with a few broken bytes (which become U+FFFD) or a cut end, and
at last guesses a legacy code page. Line ends become `\n`, control characters a space each, so for a UTF-8 file the
offsets are those of `Path(...).read_text(encoding="utf-8-sig")`. The result never holds a lone surrogate. A guess can
be wrong, most of all on a few words.
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
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ESCAPES = ((b"\x1b$B", "iso2022_jp_ext"), (b"\x1b$@", "iso2022_jp_ext"), (b"\x1b$)C", "iso2022_kr"))
"""What a text in a seven-bit encoding switches to East Asian characters with."""
_NOT_CHARSETS = frozenset("utf-7 unicode-escape raw-unicode-escape idna punycode undefined".split())
"""Codecs of Python that no file is in, but that a file could name: some of them make lone surrogates."""
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
    r"""Return `text` with line ends as `\n` and a space for every lone surrogate and control character but the tab."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", text)


def _decode(data: bytes, declared: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if declared and (text := _declared(data, declared)) is not None:
        return text
    controls = _control_share(data)
    if controls and (text := _utf32(data) or _utf16(data)) is not None:
        return text
    if (escaped := _escaped(data)) is not None:
        return escaped
    if (text := _strict(data, "utf-8")) is not None:
        return text
    if controls > _MOST_CONTROL_BYTES:
        raise UnreadableFile("expected text, found binary data")
    return _damaged_utf8(data) or _legacy(data)


def _declared(data: bytes, name: str) -> str | None:
    try:
        return None if codecs.lookup(name).name in _NOT_CHARSETS else _strict(data, name)
    except (ValueError, LookupError):
        return None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _escaped(data: bytes) -> str | None:
    """Return the text if it is in a seven-bit encoding of Japanese or Korean."""
    encoding = next((encoding for escape, encoding in _ESCAPES if escape in data), None)
    return _strict(data, encoding) if encoding and data.isascii() else None


def _control_share(data: bytes) -> float:
    sample = data[:_SAMPLE]
    return 1 - len(sample.translate(None, _CONTROL_BYTES)) / max(1, len(sample))


def _utf32(data: bytes) -> str | None:
    """Return the text if it is UTF-32 without a mark: hardly anything else is valid UTF-32."""
    if len(data) % 4:
        return None
    texts = (_strict(data, "utf-32-le"), _strict(data, "utf-32-be"))
    return next((text for text in texts if text and not any(_is_junk(char) for char in text[:_SAMPLE])), None)


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
    """Return the text if it is UTF-8 but for a character that was cut in two at the end, or a few broken bytes."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if broken * 10 <= whole or (whole and _is_cut_utf8(data)) else None


def _is_cut_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeError:
        return False
    return True


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
