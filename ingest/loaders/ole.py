"""What lies at the top of an OLE compound file, the container of .doc, .xls, .ppt and .msg files.

Only the directory and the tables of sectors are read; streams are not. Nothing in here raises, and the time is bounded
by the size of the file, whatever the sectors point at.
"""

import struct
from collections.abc import Iterator, Sequence

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_ENTRY = 128
_MOST_SECTORS = 65536
_HEADER_TABLE = 109
"""How many sectors of the allocation table the header itself lists."""


def top_names(data: bytes) -> frozenset[str]:
    """Return the names of the streams and storages in the root of the file, none if its directory is broken."""
    try:
        directory = b"".join(_chain(data, _number(data, 48)))
        return frozenset(_siblings(directory, _number(directory, 76)))
    except struct.error:
        return frozenset()


def has_loop(data: bytes) -> bool:
    """Return whether a chain of sectors runs in a circle: some parsers follow one until the memory is full."""
    try:
        lists = list(_lists(data, len(data)))
        following = _numbers(data, _allocation(data))
        small = _numbers_of(b"".join(_chain(data, _number(data, 60))))
    except struct.error:
        return False
    return len(lists) > len(set(lists)) or _is_circular(following) or _is_circular(small)


def _is_circular(following: Sequence[int]) -> bool:
    done, passing = 2, 1
    state = bytearray(len(following))
    for start in range(len(following)):
        at, path = start, []
        while at < len(following) and not state[at]:
            state[at] = passing
            path.append(at)
            at = following[at]
        if at < len(following) and state[at] == passing:
            return True
        for passed in path:
            state[passed] = done
    return False


def _numbers(data: bytes, sectors: Sequence[int]) -> Sequence[int]:
    """Return the numbers in the given sectors, one after the other; a sector beyond the end of the file has none."""
    size = _sector_size(data)
    return _numbers_of(b"".join(data[(sector + 1) * size : (sector + 2) * size] for sector in sectors))


def _numbers_of(data: bytes) -> Sequence[int]:
    return struct.unpack_from(f"<{len(data) // 4}I", data)


def _number(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _sector_size(data: bytes) -> int:
    return 4096 if data[30:32] == b"\x0c\0" else 512


def _chain(data: bytes, sector: int) -> Iterator[bytes]:
    """Yield the sectors of a chain from its first one on; a loop, or a sector beyond the end, ends it."""
    size = _sector_size(data)
    table = _allocation(data)
    seen: set[int] = set()
    while sector not in seen and len(seen) < _MOST_SECTORS and (sector + 1) * size < len(data):
        seen.add(sector)
        yield data[(sector + 1) * size : (sector + 2) * size]
        index, within = divmod(sector, size // 4)
        if index >= len(table):
            return
        sector = _number(data, (table[index] + 1) * size + 4 * within)


def _allocation(data: bytes) -> list[int]:
    """Return the sectors that hold the allocation table, as far as they can be found."""
    found = list(struct.unpack_from(f"<{_HEADER_TABLE}I", data, 76))
    for sector in _lists(data, _number(data, 72)):
        found += _numbers(data, [sector])[:-1]
    return found


def _lists(data: bytes, most: int) -> Iterator[int]:
    """Yield the sectors that list what the header has no room for, at most so many, a repeated one as the last."""
    size = _sector_size(data)
    sector, seen = _number(data, 68), set[int]()
    while len(seen) < most and (sector + 2) * size <= len(data):
        yield sector
        if sector in seen:
            return
        seen.add(sector)
        sector = _number(data, (sector + 2) * size - 4)


def _siblings(directory: bytes, first: int) -> Iterator[str]:
    """Yield the names in one folder of the directory, a binary tree whose nodes are numbered from 0."""
    waiting, seen = [first], set[int]()
    while waiting:
        number = waiting.pop()
        at = number * _ENTRY
        if number in seen or at + _ENTRY > len(directory):
            continue
        seen.add(number)
        length = min(64, struct.unpack_from("<H", directory, at + 64)[0])
        yield directory[at : at + max(0, length - 2)].decode("utf-16-le", "replace")
        waiting += [_number(directory, at + 68), _number(directory, at + 72)]
