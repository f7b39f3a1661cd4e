"""What a file is by its first bytes, whatever its name says. Needs the standard library only.

Plain text, Markdown and HTML have no such mark; `sniff` answers None for them.
"""

import io
import zipfile
from typing import NamedTuple

from ingest.errors import UnreadableFile
from ingest.loaders.encoding import decode

_PDF_HEADER = b"%PDF-"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_WINDOW = 1024
"""PDF readers accept a header anywhere in so many first bytes."""


class Found(NamedTuple):
    """`kind` as in `SUFFIXES` or one that is not supported; `name` is the phrase to show."""

    kind: str
    name: str


_MARKS = (
    (b"{\\rtf", Found("rtf", "an RTF document")),
    (b"%!PS", Found("postscript", "a PostScript file")),
    (b"\x89PNG\r\n\x1a\n", Found("image", "a PNG image")),
    (b"\xff\xd8\xff", Found("image", "a JPEG image")),
    (b"GIF87a", Found("image", "a GIF image")),
    (b"GIF89a", Found("image", "a GIF image")),
    (b"II*\0", Found("image", "a TIFF image")),
    (b"MM\0*", Found("image", "a TIFF image")),
    (b"\x1f\x8b", Found("archive", "a gzip archive")),
    (b"BZh91AY&SY", Found("archive", "a bzip2 archive")),
    (b"\xfd7zXZ\0", Found("archive", "an xz archive")),
    (b"7z\xbc\xaf\x27\x1c", Found("archive", "a 7z archive")),
    (b"Rar!\x1a\x07", Found("archive", "a RAR archive")),
    (b"\x7fELF", Found("program", "a program")),
    (b"\xca\xfe\xba\xbe", Found("program", "a program")),
    (b"SQLite format 3\0", Found("database", "an SQLite database")),
    (b"OggS\0", Found("media", "an Ogg sound or film")),
    (b"fLaC", Found("media", "a FLAC sound")),
    (b"\x1aE\xdf\xa3", Found("media", "a Matroska film")),
)

_ZIP_PARTS = (
    ("word/", Found("docx", "a Word document")),
    ("xl/", Found("xlsx", "an Excel workbook")),
    ("ppt/", Found("pptx", "a PowerPoint presentation")),
    ("META-INF/container.xml", Found("epub", "an EPUB book")),
    ("META-INF/manifest.xml", Found("odf", "an OpenDocument file")),
)


def sniff(data: bytes) -> Found | None:
    """Return what the first bytes say, None if they say nothing."""
    if data[:_HEADER_WINDOW].lstrip(b"\xef\xbb\xbf\0\t\n\r ").startswith(_PDF_HEADER):
        return Found("pdf", "a PDF")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    if data.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in data
        return Found("ole", "an encrypted Office file" if locked else "an old Microsoft Office or Outlook file")
    if data.startswith(b"RIFF") and data[8:12] in (b"WAVE", b"AVI ", b"WEBP"):
        return Found("media", "a sound, film or image (RIFF)")
    if data[4:8] == b"ftyp" and data[:2] == b"\0\0":
        return Found("media", "a film, sound or image (MP4)")
    return next((found for mark, found in _MARKS if data.startswith(mark)), None)


def has_late_pdf_header(data: bytes) -> bool:
    """Whether a PDF header comes early enough for a PDF reader, with anything before it."""
    return _PDF_HEADER in data[:_HEADER_WINDOW]


def describe(data: bytes) -> str:
    """Return the phrase for bytes that `sniff` does not know."""
    try:
        start = decode(data[:4096]).lstrip().lower()
    except UnreadableFile:
        return "binary data of no known kind"
    return "HTML" if start.startswith(("<!doctype html", "<html")) else "plain text"


def _zip(data: bytes) -> Found:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        return Found("archive", "a broken zip archive")
    for part, found in _ZIP_PARTS:
        if any(name.startswith(part) for name in names):
            return found
    return Found("archive", "a zip archive")
