import io
import struct
import zipfile

import pytest
from document_check import check

from ingest.errors import UnreadableFile
from ingest.loaders.archive import FREE_BYTES, MOST_MEMBERS, parse_xml, read_member, refuse_bomb
from ingest.loaders.grid import Cell, grid
from ingest.loaders.slides import Slide, slides_document


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_declared_size(data: bytes, size: int) -> bytes:
    """Return an archive of one member whose headers say that it has `size` bytes."""
    central = data.rindex(b"PK\x01\x02")
    patched = bytearray(data)
    struct.pack_into("<I", patched, 22, size)
    struct.pack_into("<I", patched, central + 24, size)
    return bytes(patched)


def test_honest_archives_pass_however_well_they_shrink():
    refuse_bomb(zipped({"sheet.xml": bytes(20_000_000)}))
    refuse_bomb(zipped({f"{n}.xml": b"<a/>" for n in range(100)}))


def test_bombs_are_refused():
    half = bytes(FREE_BYTES // 2 + 1)
    with pytest.raises(UnreadableFile, match="zip bomb"):
        refuse_bomb(zipped({"a": half, "b": half}))
    with pytest.raises(UnreadableFile, match=f"at most {MOST_MEMBERS} files"):
        refuse_bomb(zipped({str(n): b"" for n in range(MOST_MEMBERS + 1)}, zipfile.ZIP_STORED))


def test_a_member_larger_than_its_header_says_is_refused():
    data = with_declared_size(zipped({"a.xml": bytes(FREE_BYTES + 20_000_000)}), 1000)
    with pytest.raises(UnreadableFile, match="found more once unpacked"):
        refuse_bomb(data)


def test_read_member_bounds_what_it_really_reads():
    data = zipped({"a.xml": bytes(300_000)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(read_member(archive, "a.xml", 300_000)) == 300_000
        with pytest.raises(UnreadableFile, match="found more"):
            read_member(archive, "a.xml", 299_999)
        with pytest.raises(UnreadableFile, match="no such member"):
            read_member(archive, "b.xml")
    lying = with_declared_size(data, 1000)  # cut at what the header says, so its checksum is wrong
    with zipfile.ZipFile(io.BytesIO(lying)) as archive, pytest.raises(UnreadableFile, match="broken"):
        read_member(archive, "a.xml")


def test_encrypted_members_and_odd_methods_are_told():
    data = bytearray(zipped({"a.xml": b"x"}))
    for offset in (6, data.rindex(b"PK\x01\x02") + 8):
        data[offset] |= 1
    with pytest.raises(UnreadableFile, match=r"encrypted: a\.xml"):
        refuse_bomb(bytes(data))
    with pytest.raises(UnreadableFile, match="packed by deflate"):
        refuse_bomb(zipped({"a.xml": b"x"}, zipfile.ZIP_LZMA))


def test_what_is_no_archive_is_broken():
    data = zipped({"a.xml": b"x" * 1000})
    for broken in (b"", b"PK\x03\x04", data[: len(data) // 2]):
        with pytest.raises(UnreadableFile, match="broken"):
            refuse_bomb(broken)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "entities are refused"),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>', "entities are refused"),
        (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><a/>', "entities are refused"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY e "x">]><a/>'.encode("utf-16"), "refused"),
        (b"<a>&nbsp;</a>", "well-formed"),
        (b"<a><b></a>", "well-formed"),
        (b"<a>" * 10_000, "well-formed"),
        (b"", "well-formed"),
    ],
)
def test_hostile_xml_is_refused(xml, reason):
    with pytest.raises(UnreadableFile, match=reason):
        parse_xml(xml)


def test_xml_comes_without_comments():
    root = parse_xml(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a>1<!-- c -->2<?p i?>3<b/>4</a>')
    assert (root.text, root[0].tail) == ("123", "4")


def test_merged_cells_fill_their_places():
    rows = [
        [Cell("Region", rows=2), Cell("2024", columns=2)],
        [Cell("Q1"), Cell("Q2")],
        [Cell("North", rows=2), Cell("1"), Cell("2")],
        [Cell("both", columns=2)],
    ]
    assert grid(rows) == [
        ["Region", "2024", "2024"],
        ["Region", "Q1", "Q2"],
        ["North", "1", "2"],
        ["North", "both", ""],
    ]
    assert grid([[Cell("Title", columns=3)], [Cell("a"), Cell("b"), Cell("c")]])[0] == ["Title", "", ""]


def test_absurd_spans_end():
    lines = grid([[Cell("x", 10**9, 10**9)] * 3000] * 3)
    assert sum(map(len, lines)) < 3_000_000


def test_slides_keep_their_numbers():
    slides = [Slide("", []), Slide("Title", []), Slide("", []), Slide("", [])]
    document = slides_document("a.pptx", "pptx", [""], slides)
    check(document)
    assert len(document.page_starts) == 4
    assert document.text[document.page_starts[1] : document.page_starts[2]].split("\n\n")[:2] == ["Slide 2", "Title"]
    assert [(place.kind, place.number) for place in document.places] == [("slide", n) for n in (1, 2, 3, 4)]
