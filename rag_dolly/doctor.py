"""What is installed, what would be used and why, and whether the index is sound."""

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ingest.errors import IndexMissing, RagDollyError
from ingest.weights import BUNDLED_NAME, bundled_folder, verified_sha256
from rag_dolly import __version__, assemble, licences
from rag_dolly.generate import bundled
from rag_dolly.generate.checkpoint import cached
from rag_dolly.settings import FILE, Settings

PACKAGES = (
    "torch",
    "transformers",
    "torchao",
    "sentence-transformers",
    "faiss-cpu",
    "langchain-core",
    "streamlit",
    "pypdfium2",
)


def examine(settings: Settings) -> dict[str, Any]:
    """Return sections of facts; "problems" lists what does not work, with what to do."""
    problems: list[str] = []
    return {
        "versions": _versions(),
        "settings": {"file": FILE, **{key: str(value) for key, value in settings.model_dump().items()}},
        "device": _device(settings, problems),
        "models": _models(settings, problems),
        "licences": licences.as_findings(licences.in_use(settings)),
        "index": _index(settings, problems),
        "problems": problems,
    }


def _versions() -> dict[str, str]:
    found = {"rag-dolly": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _device(settings: Settings, problems: list[str]) -> dict[str, str]:
    from rag_dolly.generate.device import choose

    try:
        choice = choose(settings.device)
    except RagDollyError as error:
        problems.append(str(error))
        return {"requested": settings.device}
    return {"device": choice.device, "dtype": choice.dtype, "why": choice.reason}


def _models(settings: Settings, problems: list[str]) -> dict[str, str]:
    choice = assemble.choose_model(settings)
    found = {"would be used": f"{choice.name} ({choice.reason})"}
    try:
        sha = verified_sha256(bundled_folder())
        found[BUNDLED_NAME] = f"bundled embedder, Apache-2.0, commercial use allowed, sha256 {sha[:12]} verified"
    except RagDollyError as error:
        problems.append(str(error))
    if bundled.find():
        found["SmolLM2-135M-Instruct"] = f"bundled language model, {bundled.LICENCE}, commercial use allowed"
    else:
        found["SmolLM2-135M-Instruct"] = f"not installed: {assemble.INSTALL_BUNDLED}"
    return {**found, **_dollies(settings)}


def _dollies(settings: Settings) -> dict[str, str]:
    """Return for each Dolly its size, whether it fits and in which format, and whether it is on this machine."""
    from rag_dolly.generate import quantized
    from rag_dolly.generate.device import choose, rooms
    from rag_dolly.generate.footprint import DOLLY
    from rag_dolly.generate.largest_dolly import about_dolly

    try:
        places = rooms(choose(settings.device))
    except RagDollyError:  # said under "device"
        return {}
    lines = {}
    for name in DOLLY:
        fits = about_dolly(name, places, quantize=settings.quantize, extra=quantized.installed())
        here = "on this machine" if cached(name) else "not on this machine"
        lines[name] = f"{here}; {fits}; MIT, commercial use allowed"
    return lines


def _index(settings: Settings, problems: list[str]) -> dict[str, Any]:
    try:
        index = assemble.open_index(settings)
    except IndexMissing:
        return {"folder": str(settings.index), "state": "not made yet"}
    except RagDollyError as error:
        problems.append(str(error))
        return {"folder": str(settings.index), "state": "cannot be opened"}
    damage = index.problems()
    problems += [f"The index is damaged: {line}; ingest into a new --index." for line in damage]
    return {"folder": str(settings.index), "state": "damaged" if damage else "sound", **index.counts()}
