"""One file, as bytes, to a `Document`.

A kind of file is a row in `kinds.KINDS` and a module beside this one with a function `load(source, data) -> Document`
(mail and PDF are told a `Reading` too). The module is imported when the first file of its kind comes; importing
this package loads no parser. What the bytes are beats what the name says: a PDF named `notes.txt` is read as a PDF, a
workbook named `report.doc` as a workbook, a text named `paper.pdf` is refused. Names decide between kinds that are
plain text, but for pages and feeds that begin as HTML or XML, and notebooks named `.json`.

Nothing but `UnreadableFile` (and `MemoryError`) leaves `load`. That holds for exceptions only: a file that crashes a
C library (PDFium, lexbor, libxml2), or keeps a parser busy for ever, is the matter of `ingest.parse`, which calls this
in a worker process that may be killed.
"""

from importlib import import_module
from pathlib import PurePosixPath

from ingest.errors import UnreadableFile
from ingest.loaders import magic
from ingest.loaders.kinds import KINDS, SUFFIXES, kind_of
from ingest.loaders.reading import Reading
from ingest.passage import Document

__all__ = ["SUFFIXES", "VERSION", "examples", "kind_of", "load"]

VERSION = 2
"""Raised when loaders read something otherwise, so that documents are read again."""

_TOLD = ("pdf", "mail")
"""Modules whose `load` takes the `Reading` too: their files have passwords, or files inside."""
_MARKUP_INSIDE = ("doc", "xls")
"""Kinds under whose name programs commonly save HTML or XML."""


def examples() -> str:
    """Return the common suffixes, for a message that cannot list them all."""
    return ".pdf .docx .pptx .xlsx .csv .md .txt .html .eml .epub .ipynb, source code and others"


def load(source: str, data: bytes, reading: Reading = Reading()) -> Document:  # noqa: B008  frozen
    """Return the document in `data`; `source` is its name in the index and decides where `data` does not.

    Raises `UnreadableFile` if the file is empty, broken, encrypted, without text or of a kind not supported.
    """
    if not data.strip():
        raise UnreadableFile("no text: the file is empty")
    kind = _kind(source, data)
    document = _parse(kind, source, data, reading)
    if not document.blocks:
        raise UnreadableFile(f"no text: the {kind} file holds nothing to read")
    return document


def _parse(kind: str, source: str, data: bytes, reading: Reading) -> Document:
    """Call the kind's module, whatever it raises being the fault of the file."""
    name = KINDS[kind].module
    module = import_module(f"{__name__}.{name}")
    try:
        told = (reading,) if name in _TOLD else ()
        document: Document = module.load(source, data, *told)
    except (UnreadableFile, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # Rust's, in calamine
            raise
        raise UnreadableFile(f"broken: expected a readable {kind} file, found: {_one_line(error)}") from error
    return document


def _kind(source: str, data: bytes) -> str:
    """Decide what `data` is: by its first bytes if they tell, else by the name. The kind can be read."""
    named = kind_of(source)
    found = magic.sniff(data) or _markup(named, data)
    if found and found.kind not in KINDS:
        raise UnreadableFile(f"expected {_expected(named) if named else 'a document'}, found {found.name}")
    if found and KINDS[found.kind].advice:
        raise UnreadableFile(f"expected a format in use today, found {KINDS[found.kind].advice}")
    if found:
        return found.kind
    if named is None:
        raise UnreadableFile(f"expected {_expected(named)}, found the suffix {_suffix(source)}")
    if KINDS[named].has_mark and not (named == "pdf" and magic.has_late_pdf_header(data)):
        raise UnreadableFile(f"expected {_expected(named)}, found {magic.describe(data)}: rename or replace it")
    return named


def _markup(named: str | None, data: bytes) -> magic.Found | None:
    """Return the kind of text that `data` is beyond doubt, None if the name is to decide."""
    if named == "json":
        return magic.notebook(data) or magic.markup(data)
    if named == "code" or (named and KINDS[named].has_mark and named not in _MARKUP_INSIDE):
        return None
    found = magic.markup(data)
    return None if found and found.kind == "xml" and named == "html" else found


def _expected(named: str | None) -> str:
    readable = (name for name, kind in KINDS.items() if kind.module)
    return f"a file of kind {named}" if named else "a file of one of the kinds " + ", ".join(readable)


def _suffix(source: str) -> str:
    return PurePosixPath(source).suffix or "(none)"


def _one_line(error: BaseException) -> str:
    words = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
