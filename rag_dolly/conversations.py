"""Conversations kept on disk: one JSON file for each, in the folder `chats` of the index folder, readable by its owner.

Nothing is kept unless the user turned it on. A file is written whole to a temporary name and then renamed, so that a
crash leaves the old one or the new one; the data is on the disk when `save` returns. A conversation that was deleted
is not written again by who still has it open, and one that another session has gone on with is not overwritten: it is
saved as a copy. A file that cannot be read is passed over, never repaired.

Limits: what is deleted is gone from the folder, not from copies of it or from free blocks of the disk. Whoever may read
the index folder may read the conversations.
"""

import json
import os
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from rag_dolly.errors import RagDollyError

FOLDER = "chats"
MAX_BYTES = 32 * 1024 * 1024
"""A larger file is passed over."""
TITLE_LENGTH = 120
_ID = re.compile(r"[0-9a-f]{32}")
_NOT_KEPT = ("context", "trace")
"""Of an answer: what repeats its hits, and how it came about, which belongs to one question and is not stored."""
_NUMBERED = {"citations": "n", "retrieved": "rank"}
_writing = threading.Lock()

Turn = dict[str, Any]
"""One question and its answer: question, filter, plain, state, error, result."""


@dataclass(slots=True)
class Conversation:
    """A conversation. Times are ISO 8601, UTC; `revision` counts how often it was saved, 0 for never."""

    id: str = field(default_factory=lambda: uuid4().hex)
    title: str = ""
    created: str = ""
    updated: str = ""
    revision: int = 0
    turns: list[Turn] = field(default_factory=list)


def turn(question: str, result: Mapping[str, Any], *, state: str, error: str, filter: str, plain: bool) -> Turn:
    """Return one exchange as it is kept."""
    kept = {key: value for key, value in result.items() if key not in _NOT_KEPT}
    return {"question": question, "filter": filter, "plain": plain, "state": state, "error": error, "result": kept}


def save(index_dir: Path, conversation: Conversation) -> bool:
    """Write a conversation, and bring its times, title and revision up to date; False if it was deleted meanwhile.

    If somebody else has gone on with it, it gets an id of its own first. Raises `RagDollyError` if that fails.
    """
    with _writing:
        there = load(index_dir, conversation.id)
        if there is None and conversation.revision:
            return False
        if there is not None and there.revision != conversation.revision:
            conversation.id, conversation.created = uuid4().hex, ""
        conversation.updated = datetime.now(UTC).isoformat(timespec="milliseconds")
        conversation.created = conversation.created or conversation.updated
        conversation.title = conversation.title or title_of(conversation.turns)
        _write(index_dir / FOLDER, replace(conversation, revision=conversation.revision + 1))
        conversation.revision += 1
    return True


def load(index_dir: Path, id: str) -> Conversation | None:
    """Return a conversation, None if there is none of that id or its file cannot be read."""
    if not _ID.fullmatch(id):
        return None
    path = index_dir / FOLDER / f"{id}.json"
    try:
        stat = path.stat()
        return _parsed(path.read_bytes(), id) if stat.st_size <= MAX_BYTES else None
    except (OSError, ValueError):
        return None


def listed(index_dir: Path, words: str = "") -> list[Conversation]:
    """Return the conversations that have every one of these words in title, questions or answers, latest first.

    They come without their turns.
    """
    wanted = words.casefold().split()
    found = [entry for entry in _entries(index_dir / FOLDER) if all(word in entry[1] for word in wanted)]
    return sorted((summary for summary, _ in found), key=lambda one: one.updated, reverse=True)


def rename(index_dir: Path, id: str, title: str) -> Conversation | None:
    """Give a conversation another title; return it as it is then, None if it is gone."""
    found = load(index_dir, id)
    title = " ".join(title.split())[:TITLE_LENGTH]
    if found is None or not title:
        return found
    found.title = title
    return found if save(index_dir, found) else None


def delete(index_dir: Path, id: str) -> None:
    """Delete a conversation for good. Raises `RagDollyError` if the file cannot be deleted."""
    if _ID.fullmatch(id):
        _unlink(index_dir / FOLDER / f"{id}.json")


def delete_all(index_dir: Path) -> int:
    """Delete all conversations for good, also those that cannot be read; return how many there were."""
    with _writing:
        paths = [path for path in _files(index_dir / FOLDER) if path.suffix == ".json"]
        for path in _files(index_dir / FOLDER):
            _unlink(path)
        with suppress(OSError):
            (index_dir / FOLDER).rmdir()
    return len(paths)


def forget_documents(index_dir: Path, sources: Collection[str]) -> int:
    """Delete the conversations in which one of these documents was shown, for good; return how many there were."""
    gone = 0
    for path in _files(index_dir / FOLDER):
        found = load(index_dir, path.stem)
        if found is not None and _shown(found) & set(sources):
            _unlink(path)
            gone += 1
    return gone


def title_of(turns: Sequence[Turn]) -> str:
    """Return the first question on one line, cut to `TITLE_LENGTH`."""
    line = " ".join(str(turns[0]["question"]).split()) if turns else ""
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def _shown(conversation: Conversation) -> set[str]:
    entries = [
        entry
        for one in conversation.turns
        for part in ("citations", "retrieved")
        for entry in one["result"].get(part, [])
    ]
    return {str(entry["source"]) for entry in entries}


def _write(folder: Path, conversation: Conversation) -> None:
    data = json.dumps(asdict(conversation), ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")
    scratch = folder / f".{conversation.id}.{uuid4().hex[:8]}.tmp"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(folder / f"{conversation.id}.json")
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        raise RagDollyError(
            f"The conversation cannot be kept in {folder}: {error.strerror or error}. Make room there, or export it."
        ) from error


def _parsed(data: bytes, id: str) -> Conversation:
    """Return what a file holds. Raises `ValueError` for anything but a conversation of this id."""
    raw = json.loads(data)
    if not isinstance(raw, dict) or raw.get("id") != id or not isinstance(raw.get("turns"), list):
        raise ValueError("not a conversation")
    names = ("title", "created", "updated")
    if not all(isinstance(raw.get(name), str) for name in names) or not isinstance(raw.get("revision"), int):
        raise ValueError("not a conversation")
    turns = [one for one in raw["turns"] if _is_turn(one)]
    return Conversation(id, raw["title"], raw["created"], raw["updated"], raw["revision"], turns)


def _is_turn(raw: Any) -> bool:
    texts = ("question", "filter", "state", "error")
    is_turn = isinstance(raw, dict) and all(isinstance(raw.get(name), str) for name in texts)
    if not is_turn or not isinstance(raw.get("plain"), bool) or not isinstance(raw.get("result"), dict):
        return False
    return all(_are_entries(raw["result"].get(part, []), number) for part, number in _NUMBERED.items())


def _are_entries(raw: Any, number: str) -> bool:
    """Whether these are citations or hits: dicts that say where in which document a text stands."""
    kinds: dict[str, type] = {number: int, "start": int, "end": int, "source": str, "text": str, "place": str}
    return isinstance(raw, list) and all(
        isinstance(one, dict) and "page" in one and all(isinstance(one.get(key), kind) for key, kind in kinds.items())
        for one in raw
    )


def _entries(folder: Path) -> Iterator[tuple[Conversation, str]]:
    for path in _files(folder):
        with suppress(OSError, ValueError):
            stat = path.stat()
            if path.suffix == ".json" and stat.st_size <= MAX_BYTES:
                yield _entry(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _entry(path: Path, _modified: int, _size: int) -> tuple[Conversation, str]:
    """Return a conversation without its turns, and all its words in small letters."""
    whole = _parsed(path.read_bytes(), path.stem)
    said = (f"{one['question']}\n{one['result'].get('answer', '')}" for one in whole.turns)
    text = "\n".join([whole.title, *said]).casefold()
    return Conversation(whole.id, whole.title, whole.created, whole.updated, whole.revision), text


def _files(folder: Path) -> list[Path]:
    """Return the files that this module wrote, finished or not."""
    names = re.compile(rf"({_ID.pattern})\.json|\.({_ID.pattern})\.[0-9a-f]{{8}}\.tmp")
    try:
        return [path for path in folder.iterdir() if names.fullmatch(path.name)]
    except OSError:
        return []


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RagDollyError(f"{path} cannot be deleted: {error.strerror or error}. Delete it by hand.") from error
    _entry.cache_clear()
