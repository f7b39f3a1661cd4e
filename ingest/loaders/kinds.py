"""Which kinds of file there are: one table from suffixes and well-known names to the module that reads them."""

from pathlib import PurePosixPath
from typing import NamedTuple

from ingest.loaders.code import CODE_SUFFIXES


class Kind(NamedTuple):
    """A row of the table.

    `module` stands beside this one and has `load`; `suffixes` are in lower case, divided by spaces; `has_mark` says
    that files of the kind are told by their first bytes, so that a file without them is not of that kind. `advice`
    is what to do with a kind that is known and cannot be read, which has no module.
    """

    module: str
    suffixes: str
    has_mark: bool = False
    advice: str = ""


KINDS = {
    "text": Kind("text", ".txt .text .log"),
    "markdown": Kind("markdown", ".md .markdown"),
    "rst": Kind("markup", ".rst .rest"),
    "org": Kind("markup", ".org"),
    "adoc": Kind("markup", ".adoc .asciidoc .asc"),
    "html": Kind("html", ".html .htm .xhtml"),
    "xml": Kind("xml", ".xml .rss .atom"),
    "pdf": Kind("pdf", ".pdf", has_mark=True),
    "docx": Kind("docx", ".docx .docm .dotx", has_mark=True),
    "odt": Kind("odf", ".odt", has_mark=True),
    "rtf": Kind("rtf", ".rtf", has_mark=True),
    "epub": Kind("epub", ".epub", has_mark=True),
    "pptx": Kind("pptx", ".pptx .pptm .ppsx", has_mark=True),
    "odp": Kind("odf", ".odp", has_mark=True),
    "xlsx": Kind("spreadsheet", ".xlsx .xlsm .xlsb", has_mark=True),
    "xls": Kind("spreadsheet", ".xls", has_mark=True),
    "ods": Kind("spreadsheet", ".ods", has_mark=True),
    "csv": Kind("delimited", ".csv .tsv .tab"),
    "json": Kind("json_lines", ".json"),
    "jsonl": Kind("json_lines", ".jsonl .ndjson"),
    "ipynb": Kind("notebook", ".ipynb"),
    "eml": Kind("mail", ".eml"),
    "mbox": Kind("mail", ".mbox"),
    "msg": Kind("mail", ".msg", has_mark=True),
    "code": Kind("code", " ".join(CODE_SUFFIXES)),
    "doc": Kind("", ".doc", has_mark=True, advice="an old Word document: save it as .docx"),
    "ppt": Kind("", ".ppt .pps", has_mark=True, advice="an old PowerPoint presentation: save it as .pptx"),
}
"""Kind -> how it is read. Where two kinds share a suffix the earlier one has it."""

SUFFIXES = {suffix: name for name in reversed(KINDS) if KINDS[name].module for suffix in KINDS[name].suffixes.split()}
"""Suffix, in lower case, -> kind, of the kinds that can be read."""

_REFUSED = {suffix: name for name in KINDS if KINDS[name].advice for suffix in KINDS[name].suffixes.split()}
_NAMES = dict.fromkeys(
    "readme license licence copying changelog changes notice authors contributors contributing install todo".split(),
    "text",
) | dict.fromkeys(
    "makefile gnumakefile dockerfile containerfile jenkinsfile vagrantfile rakefile gemfile".split(), "code"
)
"""Names, in lower case, of files that have no suffix by custom, -> kind."""


def kind_of(source: str) -> str | None:
    """Return the kind that the name of `source` stands for, None if it is not known.

    The kind may be one that `load` always refuses (.doc, .ppt), with what to do about it.
    """
    path = PurePosixPath(source)
    suffix = path.suffix.lower()
    return SUFFIXES.get(suffix) or _REFUSED.get(suffix) or (None if suffix else _NAMES.get(path.name.lower()))
