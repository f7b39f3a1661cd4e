"""Which documents a search may look at: filters as text, as a value, and as the ids of the passages they leave.

    parse_filters('source:"guide/*" kind:pdf folder:reports since:2024-01-31 until:2024-06')

Different keys narrow (and), a key said again widens (or). A value with spaces stands in quotes; a quote inside it is
doubled. Dates are those of the files as they were when they were read, in local time; a text that came from a program
has none and passes no date filter.
"""

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.database import Database
from ingest.errors import BadFilter

KEYS = ("source", "folder", "kind", "since", "until")
_PART = re.compile(r"""(\w+):("(?:[^"]|"")*"|'(?:[^']|'')*'|[^\s"']\S*)?(?=\s|\Z)""")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_MODIFIED = "CAST(substr(stamp, instr(stamp, ':') + 1) AS INTEGER)"
_FAR = 2**62
"""Nanoseconds that no file's time reaches."""
_INDEXED = "SELECT id, source, kind FROM documents WHERE state = 'indexed'"
# A document's passages are stored in one transaction, so their ids follow each other: first and last say them all.
_SPANS = (
    "SELECT (SELECT id FROM passages WHERE document = d.id ORDER BY ordinal LIMIT 1), "
    "(SELECT id FROM passages WHERE document = d.id ORDER BY ordinal DESC LIMIT 1) "
    "FROM documents d WHERE state = 'indexed'"
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a document must be for its passages to be found; an empty field asks nothing.

    `sources`: a document's source as `ls` shows it, or a pattern with `*`, `?` and `[...]`; `folders`: a folder its
    source begins with; `kinds`: "pdf", "markdown" and so on, as `ls --json` has them; `since` and `until`: the first
    and the last day on which its file may have been changed. `str()` gives the text that `parse_filters` reads.
    """

    sources: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked."""
        return bool(self.sources or self.folders or self.kinds or self.since or self.until)

    def __str__(self) -> str:
        """Return the text of the filters, "" for none."""
        named = [("source", self.sources), ("folder", self.folders), ("kind", self.kinds)]
        parts = [f"{key}:{_quoted(value)}" for key, values in named for value in values]
        dated = (("since", self.since), ("until", self.until))
        return " ".join([*parts, *(f"{key}:{day.isoformat()}" for key, day in dated if day)])


def parse_filters(*texts: str) -> Filters:
    """Return the filters that the texts name, taken together. Raises `BadFilter`."""
    values: dict[str, list[str]] = {key: [] for key in KEYS}
    for key, value in (part for text in texts for part in _parts(text)):
        values[key].append(value)
    since = [_day(value, "since", is_last=False) for value in values["since"]]
    until = [_day(value, "until", is_last=True) for value in values["until"]]
    folders = [folder.strip("/") for folder in values["folder"]]
    if "" in folders:
        raise BadFilter("The filter folder:/ names no folder: give one as it begins a source in `rag-dolly ls`.")
    kinds = [kind.lower().removeprefix(".") for kind in values["kind"]]
    sources, folders, kinds = (list(dict.fromkeys(named)) for named in (values["source"], folders, kinds))
    days = min(since, default=None), max(until, default=None)
    found = Filters(tuple(sources), tuple(folders), tuple(kinds), *days)
    if found.since and found.until and found.since > found.until:
        raise BadFilter(f"The filter asks for files since {found.since} and until {found.until}: turn the two around.")
    return found


def as_filters(given: "str | Sequence[str] | Filters | None") -> Filters | None:
    """Return filters given in any form, None where nothing is asked. Raises `BadFilter`."""
    if given is None or isinstance(given, Filters):
        return given or None
    return parse_filters(*([given] if isinstance(given, str) else given)) or None


def select(store: Database, filters: Filters | None) -> NDArray[np.int64] | None:
    """Return the ids of the passages of the matching documents, sorted, shape (n,); None if nothing is asked.

    Raises `BadFilter` if no document matches, with what there is instead.
    """
    if not filters:
        return None
    wanted, values = _condition(filters)
    documents = store._rows(f"{_SPANS} AND {wanted}", *values)
    if not documents:
        raise BadFilter(_no_match(filters, store._rows(_INDEXED)))
    return _spread(np.array([span for span in documents if span[0] is not None], dtype=np.int64).reshape(-1, 2))


def _spread(ranges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all numbers of the (first, last) rows, both included, in one rising array."""
    ranges = ranges[np.argsort(ranges[:, 0])]
    lengths = ranges[:, 1] - ranges[:, 0] + 1
    offsets = np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(lengths) else lengths
    spread: NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(ranges[:, 0] - offsets, lengths)
    return spread


def _condition(filters: Filters) -> tuple[str, list[Any]]:
    """Return the filters as a condition on `documents` and the values for its marks."""
    groups: list[tuple[str, list[Any]]] = [
        ("(source = ? OR source GLOB ?)", [value for source in filters.sources for value in (source, source)]),
        ("substr(source, 1, length(?) + 1) = ? || '/'", [value for f in filters.folders for value in (f, f)]),
        ("kind = ?", list(filters.kinds)),
    ]
    clauses, values = [], []
    for clause, given in groups:
        if given:
            clauses.append("(" + " OR ".join([clause] * (len(given) // clause.count("?"))) + ")")
            values += given
    if filters.since or filters.until:
        clauses.append(f"stamp <> '' AND {_MODIFIED} >= ? AND {_MODIFIED} < ?")
        values += [_nanoseconds(filters.since or date.min), _nanoseconds(filters.until or date.max, 1)]
    return " AND ".join(clauses), values


def _nanoseconds(day: date, later: int = 0) -> int:
    """Return the beginning of a day (or one `later`) in local time as a file's time has it."""
    try:
        moment = datetime(day.year, day.month, day.day) + timedelta(days=later)
        return max(-_FAR, min(_FAR, int(moment.timestamp()) * 1_000_000_000))
    except (OverflowError, ValueError, OSError):  # out of the clock's range
        return -_FAR if day.year < 1970 else _FAR


def _no_match(filters: Filters, rows: Sequence[tuple[int, str, str]]) -> str:
    """Return the line for filters that leave nothing: which of them name nothing, and what there is."""
    sources = [source for _, source, _ in rows]
    folders = sorted({folder for source in sources for folder in _folders(source)})
    kinds = sorted({kind for _, _, kind in rows})
    hints = [
        *(_near("kind", kind, kinds, "kinds") for kind in filters.kinds if kind not in kinds),
        *(_near("folder", folder, folders, "folders") for folder in filters.folders if folder not in folders),
        *(_near("source", source, sources, "documents") for source in filters.sources if source not in sources),
    ]
    return f"No document matches the filter {filters}. " + (" ".join(hints) or "Ask for less at once.")


def _near(key: str, value: str, there: Sequence[str], what: str, most: int = 5) -> str:
    """Return what may have been meant by a value that is not there."""
    if not there:
        return f"There are no {what} in the index."
    plain = {name.casefold().rpartition("/")[2] if key == "source" else name.casefold(): name for name in there}
    near = get_close_matches(value.casefold().rpartition("/")[2] or value, list(plain), 1, 0.6)
    if near:
        return f"Did you mean {key}:{_quoted(plain[near[0]])}?"
    more = f" and {len(there) - most} more" if len(there) > most else ""
    return f"The {what} there are: {', '.join(there[:most])}{more}."


def _folders(source: str) -> Iterable[str]:
    """Yield the folders that a source is in, outermost first."""
    parts = source.split("/")[:-1]
    return ("/".join(parts[:n]) for n in range(1, len(parts) + 1))


def _parts(text: str) -> Iterable[tuple[str, str]]:
    """Yield (key, value) for each part of a filter's text."""
    place = 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        part = _PART.match(text, place)
        key, value = (part[1].lower(), _bare(part[2] or "")) if part else ("", "")
        if not part:
            raise BadFilter(f"The filter {text!r} is not understood from {text[place:]!r} on: expected {_expected()}.")
        if key not in KEYS:
            raise BadFilter(f"The filter names {part[1]!r}: expected {_expected()}.")
        if not value.strip():
            raise BadFilter(f"The filter {key}: has no value: expected {_expected()}.")
        yield key, value
        place = part.end()


def _expected() -> str:
    return "key:value with a key of " + ", ".join(KEYS) + '; a value with spaces stands in "quotes"'


def _bare(value: str) -> str:
    """Return a value without its quotes."""
    quote = value[:1]
    return value[1:-1].replace(quote * 2, quote) if quote in ("'", '"') and quote else value


def _quoted(value: str) -> str:
    """Return a value as a filter's text has it."""
    if value and not re.search(r"[\s\"']", value):
        return value
    return '"' + value.replace('"', '""') + '"'


def _day(value: str, key: str, is_last: bool) -> date:
    """Return the first or last day of a year, a month or a day. Raises `BadFilter`."""
    match = _DATE.fullmatch(value)
    try:
        if not match:
            raise ValueError
        year, month, day = (int(part) if part else 0 for part in match.groups())
        month = month or (12 if is_last else 1)
        return date(year, month, day or (calendar.monthrange(year, month)[1] if is_last else 1))
    except ValueError as error:
        line = f"The filter {key}:{value} is no date: expected one such as 2024-01-31, 2024-01 or 2024."
        raise BadFilter(line) from error
