"""What people said of answers, and the records they wrote: `feedback.jsonl` in the index folder, a line for each.

A line is what somebody last said of one answer (a rating, what the answer should have been) or a record somebody wrote,
with the exact passages that were shown. Several processes and threads may append: each line is one write to the end of
the file under a lock. A line that a crash has torn is passed over and never joined to the next one. Of several lines
with the same key the last one counts. Nothing is sent anywhere.

Limits: what is deleted is gone from the file, not from copies of it or from free blocks of the disk.
"""

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from filelock import FileLock, Timeout

from rag_dolly.errors import RagDollyError

FILE = "feedback.jsonl"
WRITTEN = "written"
"""The mode of a record that somebody wrote; else it is that of the answer."""
LOCK = "feedback.lock"
LOCK_SECONDS = 10.0
Rating = Literal["up", "down", ""]


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as it was shown: its source, where in it in words, its offsets there, and whether it was cited."""

    source: str
    place: str
    start: int
    end: int
    text: str
    cited: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was said of one answer, or a record that was written (`mode` is `WRITTEN`).

    `correction` is what the answer should have been; `category` is one of Dolly's eight for a record, else "";
    `consent` says whether it may be exported; `writer` is the name the person chose, or ""; `time` is ISO 8601, UTC.
    """

    key: str
    question: str
    answer: str
    mode: str
    model: str
    passages: tuple[Shown, ...] = ()
    rating: Rating = ""
    correction: str = ""
    category: str = ""
    consent: bool = False
    writer: str = ""
    time: str = ""

    @property
    def says_something(self) -> bool:
        """Whether there is a rating, a correction or a record in it; without, what was said was taken back."""
        return bool(self.rating or self.correction or self.mode == WRITTEN)


class Kept(NamedTuple):
    """What a file holds, oldest first, and how many of its lines could not be read."""

    records: list[Feedback]
    damaged: int


def about(question: str, result: Mapping[str, Any]) -> Feedback:
    """Return feedback on an answer with nothing said yet. `result` is an answer object (docs/chain.md), or part of one.

    The key is made of the answer and its timings, so that the same words given another time are another answer.
    """
    told = [question, result.get("answer", ""), result.get("mode", ""), result.get("model", ""), result.get("timings")]
    key = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:24]
    citations = result.get("citations", [])
    passages = tuple(_shown(hit, any(_touches(hit, one) for one in citations)) for hit in result.get("retrieved", []))
    return Feedback(key, question, str(told[1]).strip(), str(told[2]), str(told[3]), passages, time=_now())


def written(category: str, question: str, answer: str, passage: Shown | None, consent: bool, writer: str) -> Feedback:
    """Return a record that somebody wrote, on a passage or on none."""
    passages = (passage,) if passage else ()
    return Feedback(
        uuid4().hex[:24], question, answer, WRITTEN, "", passages, "", "", category, consent, writer, _now()
    )


def _shown(hit: Mapping[str, Any], cited: bool) -> Shown:
    place = hit.get("place") or (f"page {hit['page']}" if hit.get("page") else "")
    return Shown(hit["source"], place, hit["start"], hit["end"], hit["text"], cited)


def _touches(hit: Mapping[str, Any], citation: Mapping[str, Any]) -> bool:
    same = hit["source"] == citation["source"]
    return bool(same and hit["start"] < citation["end"] and citation["start"] < hit["end"])


def save(folder: Path, said: Feedback) -> Feedback:
    """Append to the file of an index folder and return what was stored, with the time of now.

    It is on the disk when this returns. Raises `RagDollyError` if it cannot be written.
    """
    said = replace(said, time=_now())
    line = json.dumps(asdict(said), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    with _locked(folder), _in_words(folder):
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        file = os.open(folder / FILE, flags, 0o600)
        try:
            if _is_torn(file):
                line = b"\n" + line
            if os.write(file, line) != len(line):
                raise RagDollyError(
                    f"{folder / FILE} could not be written to the end: make room on the disk, try again."
                )
            os.fsync(file)
        finally:
            os.close(file)
    return said


def _is_torn(file: int) -> bool:
    """Whether the last line has no end."""
    size = os.lseek(file, 0, os.SEEK_END)
    if not size:
        return False
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1) != b"\n"


def read(folder: Path) -> Kept:
    """Return what is kept in an index folder: of each key what was said last. Raises `RagDollyError`."""
    last: dict[str, Feedback] = {}
    damaged = 0
    for line in _lines(folder):
        said = _parse(line)
        if said is None:
            damaged += 1
            continue
        last.pop(said.key, None)
        last[said.key] = said
    return Kept([said for said in last.values() if said.says_something], damaged)


def find(folder: Path, key: str) -> Feedback | None:
    """Return what was said last under a key, None if nothing was. Raises `RagDollyError`."""
    mark = json.dumps(key).encode()
    found = [said for line in _lines(folder) if mark in line and (said := _parse(line)) and said.key == key]
    return found[-1] if found else None


def delete(folder: Path, keys: Collection[str] | None = None) -> int:
    """Delete what was said under these keys, all of it for None; return how many keys. Raises `RagDollyError`."""
    if keys is None:
        gone = len(read(folder).records)
        with _locked(folder), _in_words(folder):
            (folder / FILE).unlink(missing_ok=True)
        return gone
    return _rewrite(folder, lambda said: said.key in keys)


def quoting(folder: Path, sources: Collection[str]) -> int:
    """Return how many keys have a passage of one of these documents. Raises `RagDollyError`."""
    return sum(_quotes(said, sources) for said in read(folder).records)


def forget_documents(folder: Path, sources: Collection[str]) -> int:
    """Delete whatever was shown a passage of these documents, whole, and return how many keys that were.

    Question, answer and correction go with the passage, since they may repeat its words; lines that cannot be read
    may hold it, and go too. Raises `RagDollyError`.
    """
    return _rewrite(folder, lambda said: _quotes(said, sources))


def _quotes(said: Feedback, sources: Collection[str]) -> bool:
    return any(passage.source in sources for passage in said.passages)


def _rewrite(folder: Path, goes: Callable[[Feedback], bool]) -> int:
    """Write the file anew without what goes and without damaged lines; a crash leaves the old one whole."""
    path = folder / FILE
    if not path.exists():
        return 0
    with _locked(folder), _in_words(folder):
        lines = [(line, _parse(line)) for line in path.read_bytes().split(b"\n") if line]
        gone = {said.key for _, said in lines if said and goes(said)}
        kept = [line for line, said in lines if said and said.key not in gone]
        if len(kept) == len(lines):
            return 0
        new = path.with_suffix(".new")
        with open(new, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.writelines(line + b"\n" for line in kept)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    return len(gone)


def _lines(folder: Path) -> Iterator[bytes]:
    """Yield the lines of the file as bytes, nothing if there is none."""
    path = folder / FILE
    if not path.exists():
        return
    with _locked(folder), _in_words(folder):
        whole = path.read_bytes() if path.exists() else b""
    yield from (line for line in whole.split(b"\n") if line.strip())


def _parse(line: bytes) -> Feedback | None:
    """Return what a line says, None if it is torn or not ours."""
    try:
        row = json.loads(line)
        passages = tuple(Shown(**passage) for passage in row.pop("passages"))
        said = Feedback(**row, passages=passages)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    values = [getattr(said, field.name) for field in fields(said) if field.name not in ("passages", "consent")]
    values += [text for passage in passages for text in (passage.source, passage.place, passage.text)]
    return said if all(isinstance(value, str) for value in values) and isinstance(said.consent, bool) else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    if not folder.is_dir():  # the lock would make it
        raise RagDollyError(f"No feedback can be kept in {folder}: expected an index folder; ingest documents first.")
    try:
        with FileLock(folder / LOCK, timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise RagDollyError(f"The feedback in {folder} is in use by another process: try again in a while.") from error
    except OSError as error:
        raise RagDollyError(f"No feedback can be kept in {folder}: {error.strerror or error}.") from error


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RagDollyError(f"{folder / FILE} cannot be used: {error.strerror or error}.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def by_question(records: Sequence[Feedback]) -> dict[str, list[Feedback]]:
    """Return records by their question, letter case and spaces aside, the commonest first."""
    groups: dict[str, list[Feedback]] = {}
    for said in records:
        groups.setdefault(" ".join(said.question.casefold().split()), []).append(said)
    return dict(sorted(groups.items(), key=lambda item: -len(item[1])))
