"""A writer of Outlook messages for tests: folders in folders, streams padded so that none is a small one."""

import struct
from collections.abc import Mapping

_NONE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR, _CUTOFF = 512, 4096
Tree = Mapping[str, "bytes | Tree"]


def text(pid: int, words: str) -> dict[str, bytes]:
    """Return the stream of a property of Unicode text."""
    return {f"__substg1.0_{pid:04X}001F": words.ljust(_CUTOFF // 2).encode("utf-16-le")}


def binary(pid: int, data: bytes) -> dict[str, bytes]:
    return {f"__substg1.0_{pid:04X}0102": data}


def numbers(header: int, values: Mapping[int, int]) -> dict[str, bytes]:
    """Return the stream of properties of fixed size, behind a header of so many bytes."""
    rows = b"".join(struct.pack("<HHIQ", 0x0003, pid, 6, value) for pid, value in values.items())
    return {"__properties_version1.0": bytes(header) + rows}


def make_msg(tree: Tree) -> bytes:
    """Return a compound file (version 3) that holds the tree of streams and folders."""
    rows: list[list[object]] = [["Root Entry", 5, _NONE, _NONE, _END, 0]]
    body, table = bytearray(), []
    _add(tree, rows, 0, body, table)
    directory = b"".join(_row(*row) for row in rows)
    first_directory = _put(body, table, directory)
    count = 1
    while (len(table) + count) * 4 > count * _SECTOR:
        count += 1
    tables = list(range(len(table), len(table) + count))
    table += [_TABLE] * count
    body += struct.pack(f"<{len(table)}I", *table).ljust(count * _SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9I", 0, count, first_directory, 0, _CUTOFF, _END, 0, _END, 0)
    return header + struct.pack("<109I", *(tables + [_NONE] * 109)[:109]) + bytes(body)


def _add(tree: Tree, rows: list[list[object]], parent: int, body: bytearray, table: list[int]) -> None:
    """Append what is in a folder, each entry the right neighbour of the one before."""
    before, column = parent, 3
    for name, content in sorted(tree.items(), key=lambda item: (len(item[0]), item[0].upper())):
        rows[before][column] = len(rows)
        before, column = len(rows), 2
        if isinstance(content, bytes):
            padded = content.ljust(_CUTOFF, b"\0" if name.startswith("__prop") else b" ")
            rows.append([name, 2, _NONE, _NONE, _put(body, table, padded), len(padded)])
        else:
            rows.append([name, 1, _NONE, _NONE, 0, 0])
            _add(content, rows, before, body, table)


def _put(body: bytearray, table: list[int], data: bytes) -> int:
    first, count = len(table), -(-len(data) // _SECTOR)
    body += data.ljust(count * _SECTOR, b"\0")
    table += [*range(first + 1, first + count), _END]
    return first


def _row(name: str, kind: int, right: int, child: int, first: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le")
    row = encoded.ljust(64, b"\0") + struct.pack("<HBB3I", len(encoded) + 2, kind, 1, _NONE, right, child)
    return row + bytes(36) + struct.pack("<IQ", first, size)
