"""What a file is by its content, whatever its name says. Needs the standard library only.

`sniff` goes by marks that only files of one kind begin with; zip archives are told apart by their parts, OLE compound
files by the names at their top. `markup` and `notebook` look for HTML, XML and Jupyter notebooks among texts; all other
kinds of text have no such mark.
"""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from ingest.errors import UnreadableFile
from ingest.loaders import ole
from ingest.loaders.encoding import decode

_PDF_HEADER = b"%PDF-"
_HEADER_WINDOW = 1024
"""PDF readers accept a header anywhere in so many first bytes."""
_BYTE_ORDER_MARKS = b"\xef\xbb\xbf\xff\xfe"


class Found(NamedTuple):
    """`kind` as in `kinds.KINDS`, or one that nothing is known about; `name` is the phrase to show."""

    kind: str
    name: str


_MARKS = (
    (b"{\\rtf", Found("rtf", "an RTF document")),
    (b"%!PS", Found("postscript", "a PostScript file: convert it to PDF")),
    (b"\x89PNG\r\n\x1a\n", Found("image", "a PNG image")),
    (b"\xff\xd8\xff", Found("image", "a JPEG image")),
    (b"GIF87a", Found("image", "a GIF image")),
    (b"GIF89a", Found("image", "a GIF image")),
    (b"II*\0", Found("image", "a TIFF image")),
    (b"MM\0*", Found("image", "a TIFF image")),
    (b"\x1f\x8b", Found("archive", "a gzip archive: unpack it")),
    (b"BZh91AY&SY", Found("archive", "a bzip2 archive: unpack it")),
    (b"\xfd7zXZ\0", Found("archive", "an xz archive: unpack it")),
    (b"(\xb5/\xfd", Found("archive", "a zstd archive: unpack it")),
    (b"7z\xbc\xaf\x27\x1c", Found("archive", "a 7z archive: unpack it")),
    (b"Rar!\x1a\x07", Found("archive", "a RAR archive: unpack it")),
    (b"\x7fELF", Found("program", "a program")),
    (b"\xca\xfe\xba\xbe", Found("program", "a program")),
    (b"SQLite format 3\0", Found("database", "an SQLite database")),
    (b"PAR1", Found("database", "a Parquet table: save it as CSV")),
    (b"ID3\x02", Found("media", "an MP3 sound")),
    (b"ID3\x03", Found("media", "an MP3 sound")),
    (b"ID3\x04", Found("media", "an MP3 sound")),
    (b"OggS\0", Found("media", "an Ogg sound or film")),
    (b"fLaC", Found("media", "a FLAC sound")),
    (b"\x1aE\xdf\xa3", Found("media", "a Matroska film")),
)

_OFFICE_PARTS = (
    ("word/", Found("docx", "a Word document")),
    ("xl/", Found("xlsx", "an Excel workbook")),
    ("ppt/", Found("pptx", "a PowerPoint presentation")),
)
_MEDIA_TYPES = (
    (b"application/epub+zip", Found("epub", "an EPUB book")),
    (b"application/vnd.oasis.opendocument.text", Found("odt", "an OpenDocument text")),
    (b"application/vnd.oasis.opendocument.spreadsheet", Found("ods", "an OpenDocument spreadsheet")),
    (b"application/vnd.oasis.opendocument.presentation", Found("odp", "an OpenDocument presentation")),
    (b"application/vnd.oasis.opendocument.", Found("odf", "an OpenDocument drawing or formula: export it to PDF")),
)
"""How the part `mimetype` begins."""

_OLE_PARTS = (
    ("EncryptedPackage", Found("locked", "an encrypted Office file: save it without a password")),
    ("WordDocument", Found("doc", "an old Word document")),
    ("PowerPoint Document", Found("ppt", "an old PowerPoint presentation")),
    ("Workbook", Found("xls", "an old Excel workbook")),
    ("Book", Found("xls", "an old Excel workbook")),
    ("__properties_version1.0", Found("msg", "an Outlook message")),
)
_HTML = re.compile(
    rb"(?>\s|<\?xml\b[^>]*>|<!--.*?-->)*+<(?:!doctype\s+html|html)(?=[\s>])",  # never backtracks over comments
    re.DOTALL | re.IGNORECASE,
)
_XML = re.compile(rb"\s*<\?xml\s")


def sniff(data: bytes) -> Found | None:
    """Return what the first bytes say, None if they say nothing."""
    if data[:_HEADER_WINDOW].lstrip(b"\xef\xbb\xbf\0\t\n\r ").startswith(_PDF_HEADER):
        return Found("pdf", "a PDF")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    if data.startswith(ole.MAGIC):
        return _ole(data)
    if data.startswith(b"RIFF") and data[8:12] in (b"WAVE", b"AVI ", b"WEBP"):
        return Found("media", "a sound, film or image (RIFF)")
    if data[4:8] == b"ftyp" and data[:2] == b"\0\0":
        return Found("media", "a film, sound or image (MP4)")
    return next((found for mark, found in _MARKS if data.startswith(mark)), None)


def markup(data: bytes) -> Found | None:
    """Return HTML if the text begins with its doctype or root, XML if with an XML declaration, else None."""
    start = data[:4096].lstrip(_BYTE_ORDER_MARKS).replace(b"\0", b"")  # UTF-16 and UTF-32 too
    if _HTML.match(start):
        return Found("html", "HTML")
    return Found("xml", "XML") if _XML.match(start) else None


def notebook(data: bytes) -> Found | None:
    """Return a notebook if the JSON in `data` (UTF-8) is one, else None."""
    if b'"nbformat"' not in data or b'"cells"' not in data:
        return None
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(read, dict) and "nbformat" in read and isinstance(read.get("cells"), list)
    return Found("ipynb", "a Jupyter notebook") if is_one else None


def has_late_pdf_header(data: bytes) -> bool:
    """Whether a PDF header comes early enough for a PDF reader, with anything before it."""
    return _PDF_HEADER in data[:_HEADER_WINDOW]


def describe(data: bytes) -> str:
    """Return the phrase for bytes that `sniff` does not know."""
    found = markup(data)
    if found:
        return found.name
    try:
        decode(data[:4096])
    except UnreadableFile:
        return "binary data of no known kind"
    return "plain text"


def _ole(data: bytes) -> Found:
    names = ole.top_names(data)
    found = next((found for part, found in _OLE_PARTS if part in names), None)
    if found is None or ole.has_loop(data):
        return Found("ole", "a Microsoft Office or Outlook file of no known kind, or a broken one")
    return found


def _zip(data: bytes) -> Found:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            media_type = _media_type(archive) if "mimetype" in names else b""
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        return Found("archive", "a broken zip archive")
    return _opened(names, media_type)


def _opened(names: Iterable[str], media_type: bytes) -> Found:
    """Return what an archive with such parts is. Word, Excel and PowerPoint files list their parts in one of them."""
    known = set(names)
    declared = next((found for start, found in _MEDIA_TYPES if media_type.startswith(start)), None)
    if declared:
        return declared
    if "[Content_Types].xml" in known:
        for part, found in _OFFICE_PARTS:
            if any(name.startswith(part) for name in known):
                return found
    if "META-INF/container.xml" in known:
        return Found("epub", "an EPUB book")
    return Found("archive", "a zip archive: unpack it")


def _media_type(archive: zipfile.ZipFile) -> bytes:
    try:
        with archive.open("mimetype") as part:
            return part.read(100).strip()
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError):
        return b""
