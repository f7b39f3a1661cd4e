"""RTF as Outlook compresses it in a .msg (MS-OXRTFCP), to RTF."""

import struct

from ingest.errors import UnreadableFile

_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_HEADER = 16
_WINDOW = 4096
_MOST_BYTES = 64 << 20
_PRESET = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans "
    rb"SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What every decompression starts with in its window."""


def decompress(data: bytes) -> bytes:
    """Return the RTF. Raises `UnreadableFile` if it is broken or has more than 64 MB; what is cut off ends early."""
    if len(data) < _HEADER:
        raise UnreadableFile("broken: expected compressed RTF, found too few bytes")
    size = struct.unpack_from("<I", data, 4)[0]
    mark = data[8:12]
    if mark == _PLAIN:
        return data[_HEADER : _HEADER + size]
    if mark != _COMPRESSED or size > _MOST_BYTES:
        raise UnreadableFile("broken: expected RTF compressed by Outlook, found something else or far too much")
    return _unpack(data, size)


def _unpack(data: bytes, size: int) -> bytes:
    """Undo the compression: after a byte of eight flags come as many letters or references into the window."""
    out = bytearray(_PRESET)
    end = len(_PRESET) + size
    at = _HEADER
    while at < len(data) and len(out) < end:
        flags, at = data[at], at + 1
        for bit in range(8):
            if flags >> bit & 1:
                if at + 1 >= len(data):
                    return bytes(out[len(_PRESET) :])
                offset, length = data[at] << 4 | data[at + 1] >> 4, (data[at + 1] & 15) + 2
                at += 2
                back = (len(out) - offset) % _WINDOW
                if back == 0:  # a reference to what comes next says that nothing does
                    return bytes(out[len(_PRESET) : end])
                _copy(out, back, length)
            elif at < len(data):
                out.append(data[at])
                at += 1
    return bytes(out[len(_PRESET) : end])


def _copy(out: bytearray, back: int, length: int) -> None:
    """Append what stands so far back, which may run into what is appended; zeros stand before the beginning."""
    for _ in range(length):
        out.append(out[-back] if back <= len(out) else 0)
