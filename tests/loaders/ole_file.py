"""A writer of small OLE compound files: streams at the top, none in folders."""

import struct

_FREE, _END, _TABLE, _LIST, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC, 0xFFFFFFFF
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_IN_HEADER, _LISTED = 109, 127
"""How many sectors of the allocation table the header lists, and each further list."""


def make_ole(streams: dict[str, bytes]) -> bytes:
    """Return a compound file (version 3) that holds the streams."""
    body, table, small, small_table = bytearray(), [], bytearray(), []
    entries = []
    for name, data in sorted(streams.items(), key=lambda item: (len(item[0]), item[0].upper())):
        if len(data) < _CUTOFF:
            entries.append((name, 2, _put(small, small_table, data, _MINI), len(data)))
        else:
            entries.append((name, 2, _put(body, table, data, _SECTOR), len(data)))
    container = _put(body, table, bytes(small), _SECTOR)
    first_small = _put(body, table, struct.pack(f"<{len(small_table)}I", *small_table), _SECTOR, b"\xff")
    root = ("Root Entry", 5, container, len(small))
    first_directory = _put(body, table, _directory([root, *entries]), _SECTOR)
    count = more = 0
    while (len(table) + count + more) * 4 > count * _SECTOR:
        count += 1
        more = -(-max(0, count - _IN_HEADER) // _LISTED)
    tables, lists = list(range(len(table), len(table) + count)), len(table) + count
    table += [_TABLE] * count + [_LIST] * more
    body += struct.pack(f"<{len(table)}I", *table).ljust(count * _SECTOR, b"\xff")
    body += _lists(tables[_IN_HEADER:], lists)
    small_sectors = -(-len(small_table) * 4 // _SECTOR)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<7I", 0, count, first_directory, 0, _CUTOFF, first_small, small_sectors)
    header += struct.pack("<2I", lists if more else _END, more)
    header += struct.pack(f"<{_IN_HEADER}I", *(tables + [_FREE] * _IN_HEADER)[:_IN_HEADER])
    return header + bytes(body)


def _lists(tables: list[int], first: int) -> bytes:
    """Return the sectors that list those sectors of the allocation table that the header has no room for."""
    body = b""
    for at in range(0, len(tables), _LISTED):
        listed = (tables[at : at + _LISTED] + [_FREE] * _LISTED)[:_LISTED]
        last = at + _LISTED >= len(tables)
        body += struct.pack(f"<{_LISTED + 1}I", *listed, _END if last else first + at // _LISTED + 1)
    return body


def _put(body: bytearray, table: list[int], data: bytes, size: int, filler: bytes = b"\0") -> int:
    """Append a chain of sectors and return its first one."""
    if not data:
        return _END
    first, count = len(table), -(-len(data) // size)
    body += data.ljust(count * size, filler)
    table += [*range(first + 1, first + count), _END]
    return first


def _directory(entries: list[tuple[str, int, int, int]]) -> bytes:
    rows = b""
    for number, (name, kind, first, size) in enumerate(entries):
        right = number + 1 if 0 < number < len(entries) - 1 else _NONE
        child = 1 if number == 0 and len(entries) > 1 else _NONE
        encoded = name.encode("utf-16-le")
        rows += encoded.ljust(64, b"\0") + struct.pack("<HBB3I", len(encoded) + 2, kind, 1, _NONE, right, child)
        rows += bytes(36) + struct.pack("<IQ", first, size)
    return rows.ljust(-(-len(rows) // _SECTOR) * _SECTOR, b"\0")
