"""Where each setting in force was set: on the command line, in the environment, in the file, or nowhere."""

import os
import tomllib
from pathlib import Path

from rag_dolly.settings import FILE, Settings, load_settings

DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND = "default", FILE, "environment", "command line"


def origins(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Return (name, value, where it was set, what it is about) of every setting, in the order of the settings."""
    without_flags = _without_flags()
    in_file = _names_in_file()
    found = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if without_flags is None or getattr(without_flags, name) != value:
            where = FROM_COMMAND if value != field.default else DEFAULT
        elif f"RAG_DOLLY_{name.upper()}" in {key.upper() for key in os.environ}:
            where = FROM_ENVIRONMENT
        else:
            where = FROM_FILE if name in in_file else DEFAULT
        found.append((name, str(value), where, field.description or ""))
    return found


def _without_flags() -> Settings | None:
    """Return the settings as they would be without flags; None if they would not be understood."""
    try:
        return load_settings()
    except Exception:  # what stands in the way is said elsewhere; the flags in force got past it
        return None


def _names_in_file() -> set[str]:
    try:
        return set(tomllib.loads(Path(FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()
