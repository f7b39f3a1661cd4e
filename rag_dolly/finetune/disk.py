"""The folder of a run: made, and written in; what goes wrong with the disk is one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_dolly.errors import RagDollyError


def make_folder(out: Path) -> Path:
    """Make the folder of --out, if it is not there. Raises `RagDollyError`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RagDollyError(f"--out {out} cannot be used: {error.strerror or error}.") from error
    return out


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Raise what a block says of the disk as `RagDollyError` that names the place: full, not writable."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        said = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
        raise RagDollyError(f"{place} cannot be written: {said}.") from error
