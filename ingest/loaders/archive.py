"""Zip archives and XML that came from somebody else: bounded in size before any parser unpacks them.

Office, OpenDocument and EPUB files are zip archives of XML. A few kilobytes of either can ask for gigabytes of memory
(a zip bomb, entities that expand each other), or name files of this machine (external entities); both are refused.
The sizes that an archive declares are checked against what its members really unpack to, since the parsers that get
the file afterwards trust them. Members are unpacked in memory only and never written to a file.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from ingest.errors import UnreadableFile

MOST_BYTES = 512 * 1024 * 1024
"""No archive may unpack to more than this."""
FREE_BYTES = 64 * 1024 * 1024
"""Up to here any ratio is fair: a sheet of zeros shrinks a thousandfold and harms nobody."""
MOST_RATIO = 200
MOST_MEMBERS = 50_000
_DEFLATE_RATIO = 1032
"""What deflate can shrink at most, so a lie about sizes cannot hide more than this times the packed size."""
_STEP = 1 << 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def refuse_bomb(data: bytes) -> None:
    """Raise `UnreadableFile` if `data` is no zip archive, is encrypted, or unpacks to more than is fair."""
    with open_archive(data) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise UnreadableFile(
                f"expected at most {MOST_MEMBERS} files in the archive, found {len(members)}: this may be a zip bomb"
            )
        for member in members:
            _refuse_member(member)
    _refuse_size(sum(member.file_size for member in members), len(data))
    if sum(member.compress_size for member in members) * _DEFLATE_RATIO > FREE_BYTES:
        for member in members:
            _refuse_liar(data, member)


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Return `data` opened as a zip archive. Raises `UnreadableFile` if it is none, or one that is cut off."""
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise UnreadableFile(f"broken: expected a zip archive, found: {error}") from error


def read_member(archive: zipfile.ZipFile, name: str, limit: int = FREE_BYTES) -> bytes:
    """Return the unpacked bytes of the member `name`.

    Raises `UnreadableFile` if the archive has no such member, if that is broken or encrypted, or if it really has
    more than `limit` bytes, whatever its header says.
    """
    try:
        member = archive.getinfo(name)
        _refuse_member(member)
        with archive.open(member) as stream:
            parts, size = [], 0
            while part := stream.read(_STEP):  # in steps: reading all at once unpacks all before it looks at the size
                size += len(part)
                if size > limit:
                    raise UnreadableFile(f"expected at most {limit >> 20} MB in {name}, found more once unpacked")
                parts.append(part)
    except KeyError as error:
        raise UnreadableFile(f"broken: expected {name} in the archive, found no such member") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError) as error:
        raise UnreadableFile(f"broken: expected {name} to unpack, found: {error}") from error
    return b"".join(parts)


def parse_xml(data: bytes) -> Any:
    """Return the root element (lxml) of an XML text, without comments and processing instructions.

    Nothing is fetched and no entity is resolved. Raises `UnreadableFile` for XML that is broken, nested absurdly
    deep, or that declares entities of its own.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableFile(
            f"broken: expected well-formed XML, found: {' '.join(str(error).split())[:200]}"
        ) from error
    refuse_entities(root)
    return root


def refuse_entities(root: Any) -> None:
    """Raise `UnreadableFile` if the XML that `root` (lxml) was parsed from declares entities."""
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(declared.iterentities()):
        raise UnreadableFile("XML entities are refused: expected a file whose DOCTYPE declares none")


def _refuse_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableFile(f"encrypted: {member.filename[:100]} in the archive needs a password; save it without one")
    if member.compress_type not in _METHODS:
        raise UnreadableFile(
            f"expected an archive packed by deflate, found method {member.compress_type} in {member.filename[:100]}: "
            "pack it again"
        )


def _refuse_size(size: int, packed: int) -> None:
    if size > MOST_BYTES or (size > FREE_BYTES and size > MOST_RATIO * packed):
        raise UnreadableFile(
            f"expected at most {MOST_BYTES >> 20} MB and {MOST_RATIO} times the file's size when unpacked, "
            f"found {size >> 20} MB, {size // max(1, packed)} times: this may be a zip bomb"
        )


def _refuse_liar(data: bytes, member: zipfile.ZipInfo) -> None:
    """Raise if a member unpacks to more than its header says."""
    size = 0
    for part in _unpacked(data, member):
        size += part
        if size > member.file_size:
            raise UnreadableFile(
                f"broken: expected {member.file_size} bytes in {member.filename[:100]}, found more once unpacked: "
                "this may be a zip bomb"
            )


def _unpacked(data: bytes, member: zipfile.ZipInfo) -> Iterator[int]:
    """Yield the sizes of the parts that a member really unpacks to; broken data end the iteration."""
    if member.compress_type != zipfile.ZIP_DEFLATED or member.header_offset + 30 > len(data):
        return
    name_size, extra_size = struct.unpack_from("<HH", data, member.header_offset + 26)
    begin = member.header_offset + 30 + name_size + extra_size
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    for at in range(begin, begin + member.compress_size, _STEP):
        feed = data[at : min(at + _STEP, begin + member.compress_size)]
        while feed and not unpacker.eof:
            try:
                yield len(unpacker.decompress(feed, 1 << 20))
            except zlib.error:
                return  # the parser will say what is broken
            feed = unpacker.unconsumed_tail
