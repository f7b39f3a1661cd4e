"""The licence of each model in use and of the data it names, and whether commercial use is allowed.

A licence is taken from the model's own files alone: the front matter of its card (README.md), the metadata of a GGUF
file, the "license" of its config.json, or the metadata of the package it came in. What none of these says is unknown,
and is said to be. Nothing is fetched. Limits: this is no legal advice; a card may be wrong; data sets are those that a
card names, and a card seldom says under which licence these are.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path
from typing import Any, Literal

from rag_dolly.settings import Settings

Commercial = Literal["yes", "no", "with conditions", "unknown"]
MAX_CARD = 1_000_000
"""Characters of a card that are looked at."""
_YES = re.compile(
    r"apache-2\.0|apache(-software)?-license(-2\.0)?|mit(-0|-cmu)?|bsd(-[234]-clause.*)?|0bsd|isc|unlicense|zlib|bsl-1\.0"
    r"|cc0-1\.0|pddl|cc-by(-sa)?(-\d\.\d)?|odc-by(-1\.0)?|odbl(-1\.0)?|cdla-(permissive|sharing)-[12]\.0|afl-3\.0"
    r"|artistic-2\.0|python-2\.0|postgresql|ncsa|ecl-2\.0|ms-pl|mpl-2\.0|epl-[12]\.0|eupl-1\.[12]|[al]?gpl(-\d\.\d.*)?"
)
_NO = re.compile(r".*(^|-)nc(-|$).*|.*non-?commercial.*|.*research(-only)?$|h-research|.*academic-only.*")
_CONDITIONS = re.compile(
    r"llama[\d.]*|gemma|.*openrail.*|bigscience-bloom-rail.*|deepseek|falcon-llm-license|cc-by-nd(-\d\.\d)?"
)
_KNOWN_DATA = {"databricks/databricks-dolly-15k": "cc-by-sa-3.0"}
"""Data sets whose licence this program's own documentation records."""
KNOWN = "docs/licences.md"


@dataclass(frozen=True, slots=True)
class Licence:
    """Of one thing: what it is used as, its licence ("" if unknown), and where that is stated ("" likewise)."""

    name: str
    used_as: str
    licence: str
    stated: str
    is_data: bool = False

    @property
    def commercial(self) -> Commercial:
        """Whether commercial use is allowed, as far as the name of the licence tells."""
        return commercial_use(self.licence)

    def in_words(self) -> str:
        """Return all but the name in a line."""
        if not self.licence:
            return f"{self.used_as}; licence unknown, and so is commercial use: see where it comes from"
        may = {"yes": "allowed", "no": "not allowed", "with conditions": "allowed with conditions: read it"}
        return f"{self.used_as}; {self.licence} ({self.stated}); commercial use {may.get(self.commercial, 'unknown')}"


def commercial_use(licence: str) -> Commercial:
    """Return whether a licence, by its SPDX name or that of a hub, allows commercial use. Share-alike ones do.

    Of several that hold together ("mit and cc-by-nc-4.0") the strictest decides.
    """
    names = [re.sub(r"[\s_]+", "-", part.strip()) for part in licence.lower().split(" and ")]
    found = [_use(name) for name in names]
    order: tuple[Commercial, ...] = ("no", "unknown", "with conditions", "yes")
    return min(found, key=order.index)


def _use(name: str) -> Commercial:
    if _NO.fullmatch(name):
        return "no"
    if _YES.fullmatch(name) or _YES.fullmatch(name.removesuffix("-license")):
        return "yes"
    return "with conditions" if _CONDITIONS.fullmatch(name) else "unknown"


def in_use(settings: Settings) -> list[Licence]:
    """Return the embedder, the reranker, the reader, the language model and the data sets that their cards name."""
    return [*_embedder(settings), *_reranker(settings), *_reader(), *_language_model(settings)]


def as_findings(found: Iterable[Licence]) -> dict[str, str]:
    """Return a line for each, by name; data sets of which the same is known share one."""
    lines: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for one in found:
        if one.is_data:
            groups.setdefault(one.in_words(), []).append(one.name)
        else:
            lines[one.name] = one.in_words()
    return lines | {", ".join(names): words for words, names in groups.items()}


def _reader() -> Iterator[Licence]:
    from rag_dolly.reader.weights import about, shipped

    if about(shipped()):
        yield from of_folder(shipped(), "the reader", "reader")


def _embedder(settings: Settings) -> Iterator[Licence]:
    from ingest.errors import ModelNotFound
    from ingest.weights import find_embedder

    try:
        folder, name = find_embedder(settings.embedder, offline=True)
    except ModelNotFound:
        yield Licence(settings.embedder, "embedder", "", "")
        return
    yield from of_folder(folder, name, "embedder")


def _reranker(settings: Settings) -> Iterator[Licence]:
    if settings.reranker not in ("", "auto", "none", "maxsim"):  # maxsim is the embedder again
        yield from of_folder(_local(settings.reranker), settings.reranker, "reranker")


def _language_model(settings: Settings) -> Iterator[Licence]:
    from rag_dolly.assemble import choose_model

    name = choose_model(settings).name
    if name != "none":
        yield from of_model(name)


def of_model(name: str) -> Iterator[Licence]:
    """Yield the licence of a language model (URL, .gguf file, directory or hub name), then those of its data sets."""
    if name.startswith(("http://", "https://")):
        yield Licence(name, "language model on a server", "", "")
    elif name.endswith(".gguf"):
        yield from _of_gguf(Path(name).expanduser())
    else:
        yield from of_folder(_local(name), name, "language model")


def _local(name: str) -> Path | None:
    """Return the directory of a model, or of its copy in the hub's cache; None if neither is there."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.count("/") != 1:
        return None
    from huggingface_hub import try_to_load_from_cache

    for file in ("README.md", "config.json"):
        found = try_to_load_from_cache(name, file)
        if isinstance(found, str):
            return Path(found).parent
    return None


def of_folder(folder: Path | None, name: str, used_as: str) -> Iterator[Licence]:
    """Yield the licence of a model in a directory (None: not on this machine), then those of its data sets."""
    card = front_matter(folder / "README.md") if folder else {}
    said = _first(card.get("license")), "its card"
    if said[0] == "other":  # the card's own word for a licence without a name
        said = _first(card.get("license_name")) or "other", "its card"
    if not said[0] and folder:
        said = _of_config(folder / "config.json"), "its config.json"
    if not said[0] and folder:
        said = _of_package(folder), "the metadata of its package"
    yield Licence(name, used_as, said[0], said[1] if said[0] else "")
    yield from _data_sets(name, card)


def _data_sets(model: str, card: Mapping[str, Any]) -> Iterator[Licence]:
    named = card.get("datasets")
    for data in named if isinstance(named, list) else [named] if isinstance(named, str) else []:
        licence = _KNOWN_DATA.get(str(data).lower(), "")
        yield Licence(str(data), f"data that {model} was trained on", licence, KNOWN if licence else "", True)


def _of_gguf(path: Path) -> Iterator[Licence]:
    """Yield the licence that a GGUF file states, else that of the package it came in."""
    import gguf

    try:
        field = gguf.GGUFReader(path).get_field("general.license")
        said = str(field.contents()) if field is not None else ""
    except Exception:  # the reader raises whatever it stumbles over in a broken file
        said = ""
    licence, stated = (said, "the GGUF file") if said else (_of_package(path), "the metadata of its package")
    yield Licence(path.stem, "language model", licence, stated if licence else "")


def _of_config(path: Path) -> str:
    try:
        return _first(json.loads(path.read_text(encoding="utf-8")).get("license"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""


def _of_package(path: Path) -> str:
    """Return the licence of the installed package that a file or folder is part of, "" if it is part of none."""
    known = packages_distributions()
    package = next(
        (part.name for part in (path, *path.parents) if part.parent.name in ("site-packages", "dist-packages")), ""
    )
    try:
        given = metadata(known[package][0]).json if package in known else {}
    except PackageNotFoundError:
        return ""
    return str(given.get("license_expression") or given.get("license") or "").split("\n")[0]


def _first(value: Any) -> str:
    """Return a licence as text; of several all, as every one of them holds for a part."""
    if isinstance(value, str):
        return value
    return " and ".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else ""


def front_matter(path: Path) -> dict[str, str | list[str]]:
    """Return the keys between the lines "---" at the top of a card whose values are text or lists of text.

    {} if there is nothing that can be read. It is a small part of YAML, which is all that hubs ask for here.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            text = file.read(MAX_CARD)
    except OSError:
        return {}
    found = re.match(r"---[ \t]*\n(.*?)^---[ \t]*$", text, re.DOTALL | re.MULTILINE)
    card: dict[str, str | list[str]] = {}
    key = ""
    for line in found[1].splitlines() if found else ():
        if item := re.match(r"[ \t]*-[ \t]+(.+)$", line):
            held = card.get(key)
            if isinstance(held, list):
                held.append(_scalar(item[1]))
        elif pair := re.match(r"([\w-]+):[ \t]*(.*)$", line):
            key = pair[1]
            card[key] = _value(pair[2])
        elif line.strip():
            key = ""
    return card


def _value(text: str) -> str | list[str]:
    """Return what follows a key: text, or a list that is written in brackets or begins on the next line."""
    bare = _scalar(text)
    if bare.startswith("[") and bare.endswith("]"):
        return [_scalar(part) for part in bare[1:-1].split(",") if part.strip()]
    return bare or []


def _scalar(text: str) -> str:
    """Return a value without quotes, comment and spaces."""
    return re.sub(r"\s+#.*$", "", text.strip()).strip().strip("'\"")
