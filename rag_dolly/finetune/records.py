"""Training data: a file of JSON lines, or a data set on the hub, as records of instruction and response.

A line is {"instruction", "context", "response", "category"} as in databricks-dolly-15k, or a question with its passage:
{"question", "context", "answers"} ("answer" is read too; "answerable": false, or no answer, says that the passage does
not tell). Other keys are ignored. What is wrong with a line is said with its number; nothing is skipped silently.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_dolly.errors import RagDollyError

UNKNOWN = "unknown"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_LICENCE = re.compile(r"^license:\s*[\"']?([\w.+-]+)", re.MULTILINE)
_DOLLY = (
    'expected {"instruction", "response"} and perhaps "context" and "category", or {"question", "context", "answers"}'
)


@dataclass(frozen=True, slots=True)
class Record:
    """An instruction, the text it is about ("" for none) and the response ("": the text does not tell)."""

    instruction: str
    context: str
    response: str
    category: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """Records, and where they are from: the name to show, the licence as far as it is known, the sha256 of the file.

    `repeated` counts lines that said again what an earlier one said; they are left out.
    """

    records: list[Record]
    name: str
    licence: str
    sha256: str
    repeated: int = 0


def read_data(name: str, offline: bool, licence: str | None = None) -> Data:
    """Read a .jsonl file or, by "owner/name", a data set of the hub. `licence` says what the data's own card does not.

    Raises `RagDollyError` if it is not there, or with the number of the line that cannot be used.
    """
    path, card = _find(name, offline)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RagDollyError(f"{path} cannot be read: {error.strerror or error}.") from error
    said = _LICENCE.search(card)
    records = list(_records(raw, path.name))
    distinct = list(dict.fromkeys(records))
    if not distinct:
        raise RagDollyError(f"{path} holds no record: expected a line of JSON for each.")
    found = licence or (said[1] if said else UNKNOWN)
    shown = path.name if Path(name).expanduser() == path else name
    return Data(distinct, shown, found, hashlib.sha256(raw).hexdigest(), len(records) - len(distinct))


def licence_in(card: str) -> str:
    """Return the licence that a model card's head names, "unknown" if it names none."""
    found = _LICENCE.search(card)
    return found[1] if found else UNKNOWN


def _find(name: str, offline: bool) -> tuple[Path, str]:
    path = Path(name).expanduser()
    if path.is_file():
        return path, ""
    if path.exists() or not _HUB_NAME.fullmatch(name) or path.suffix in (".jsonl", ".json"):
        raise RagDollyError(f"No data in {name}: expected a file of JSON lines, or the hub name of a data set.")
    folder = _from_hub(name, offline)
    files = sorted(folder.rglob("*.jsonl"))
    if len(files) != 1:
        raise RagDollyError(f"Data set {name!r} has {len(files)} .jsonl files, expected one: name a local file of it.")
    card = folder / "README.md"
    return files[0], card.read_text("utf-8", "replace") if card.is_file() else ""


def _from_hub(name: str, offline: bool) -> Path:
    """Return the hub's copy of a data set: the local cache first, the hub only unless `offline`."""
    from huggingface_hub import snapshot_download

    wanted = ["*.jsonl", "README.md"]
    try:
        cached = Path(snapshot_download(name, repo_type="dataset", allow_patterns=wanted, local_files_only=True))
        if next(cached.rglob("*.jsonl"), None):
            return cached
    except Exception as error:  # which errors an HTTP client raises differs between releases
        if offline:
            raise RagDollyError(
                f"No data set {name!r} in the hub cache, and offline, so the hub was not asked: "
                "fetch it once without --offline, or name a file of JSON lines."
            ) from error
    try:
        return Path(snapshot_download(name, repo_type="dataset", allow_patterns=wanted))
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise RagDollyError(f"No data set {name!r}: no such file, and the hub did not give it: {reason}") from error


def _records(raw: bytes, name: str) -> Iterator[Record]:
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise RagDollyError(f"{name}, line {number}: not JSON in UTF-8: {error}.") from error
        try:
            yield _record(row)
        except ValueError as error:
            raise RagDollyError(f"{name}, line {number}: {error}.") from error


def _record(row: Any) -> Record:
    if not isinstance(row, dict):
        raise ValueError(f"{_DOLLY}, found {type(row).__name__}")
    if "question" in row and "instruction" not in row:
        return Record(_text(row, "question"), _text(row, "context"), _answer(row), "closed_qa")
    return Record(
        _text(row, "instruction"), _text(row, "context", ""), _text(row, "response"), _text(row, "category", "")
    )


def _text(row: dict[str, Any], key: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, str):
        found = "missing" if key not in row else f"{type(value).__name__}, not text"
        raise ValueError(f"{key!r} is {found}; {_DOLLY}")
    text = value.encode("utf-8", "replace").decode().strip()
    if not text and default is None:
        raise ValueError(f"{key!r} is empty; {_DOLLY}")
    return text


def _answer(row: dict[str, Any]) -> str:
    answers = row.get("answers", row.get("answer", row.get("response")))
    answers = [answers] if isinstance(answers, str) else answers
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise ValueError(f"'answers' is missing or no list of texts; {_DOLLY}")
    if row.get("answerable") is False or not answers:
        return ""
    return _text({"answers": answers[0]}, "answers")
