"""One file, as bytes, to a `Document`.

A kind of file is a row in `SUFFIXES` and in `_MODULES` and a module beside this one with a function
`load(source, data) -> Document`. The module is imported when the first file of its kind comes; importing this
package loads no parser. What the bytes are beats what the name says: a PDF named `notes.txt` is read as a
PDF, a text named `paper.pdf` is refused.

Nothing but `UnreadableFile` (and `MemoryError`) leaves `load`. Parsers run inside this process: a file that
crashes a C library (PDFium, lexbor, libxml2) takes the process with it.
"""

from importlib import import_module
from pathlib import PurePosixPath

from ingest.errors import UnreadableFile
from ingest.loaders import magic
from ingest.loaders.reading import Reading
from ingest.passage import Document

__all__ = ["SUFFIXES", "kind_of", "load"]

SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
}
"""File suffix, in lower case, -> kind."""

_MODULES = {"text": "text", "markdown": "markdown", "html": "html", "pdf": "pdf", "docx": "docx"}
_TOLD = ("pdf", "mail")
"""Kinds whose `load` takes the `Reading` too: they have passwords, or files inside."""
_RECOGNISED = ("pdf", "docx")
"""Kinds that are told by their first bytes, so a file without them is not of that kind."""


def kind_of(source: str) -> str | None:
    """Return the kind that the suffix of `source` stands for, None if that suffix is not supported."""
    return SUFFIXES.get(PurePosixPath(source).suffix.lower())


def load(source: str, data: bytes, reading: Reading = Reading()) -> Document:  # noqa: B008  frozen
    """Return the document in `data`; `source` is its name in the index and decides where `data` does not.

    Raises `UnreadableFile` if the file is empty, broken, encrypted, without text or of a kind not supported.
    """
    if not data.strip():
        raise UnreadableFile("no text: the file is empty")
    kind = _kind(source, data)
    module = import_module(f"{__name__}.{_MODULES[kind]}")
    try:
        told = (reading,) if kind in _TOLD else ()
        document: Document = module.load(source, data, *told)
    except (UnreadableFile, MemoryError):
        raise
    except Exception as error:
        raise UnreadableFile(f"broken: expected a readable {kind} file, found: {_one_line(error)}") from error
    if not document.blocks:
        raise UnreadableFile(f"no text: the {kind} file holds nothing to read")
    return document


def _kind(source: str, data: bytes) -> str:
    """Decide what `data` is: by its first bytes if they tell, else by the suffix."""
    named = kind_of(source)
    found = magic.sniff(data)
    if found and found.kind in _MODULES:
        return found.kind
    if found:
        raise UnreadableFile(f"expected {_expected(named)}, found {found.name}, which cannot be read")
    if named is None:
        raise UnreadableFile(f"expected {_expected(named)}, found the suffix {_suffix(source)}")
    if named in _RECOGNISED and not (named == "pdf" and magic.has_late_pdf_header(data)):
        raise UnreadableFile(f"expected {_expected(named)}, found {magic.describe(data)}: rename or replace it")
    return named


def _expected(named: str | None) -> str:
    return f"a file of kind {named}" if named else "one of " + ", ".join(SUFFIXES)


def _suffix(source: str) -> str:
    return PurePosixPath(source).suffix or "(none)"


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
