"""The reader's weights as a file: what training changed in the base model, and the head.

The base is the bundled embedder, all-MiniLM-L6-v2, of which the embeddings of words and places stay as they are. Each
other tensor is stored as its difference from the base: matrices as int8 with one scale per row (rounding is off by no
more than 1/254 of the row's largest change, and changes are small), vectors as float32.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import ModelNotFound
from ingest.weights import BUNDLED_SHA256

Array = NDArray[np.float32]
FILE = "reader.safetensors"
HEAD = "head."
_SCALE = ".scale"


def shipped() -> Path:
    """Return the folder of the reader that comes with the package."""
    return Path(__file__).parent / "model"


def save(folder: Path, tensors: dict[str, Array], base: dict[str, Array], about: dict[str, str]) -> Path:
    """Write the tensors that differ from the base, and the head; return the file."""
    from safetensors.numpy import save_file

    written: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        change = tensor if name.startswith(HEAD) else tensor - base[name]
        if name.startswith(HEAD) or change.ndim < 2:
            written[name] = np.ascontiguousarray(change, dtype=np.float32)
        elif np.any(change):
            scale = np.maximum(np.abs(change).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
            written[name] = np.rint(change / scale).astype(np.int8)
            written[name + _SCALE] = scale
    folder.mkdir(parents=True, exist_ok=True)
    save_file(written, folder / f"{FILE}.part", {"base": BUNDLED_SHA256, **about})
    return (folder / f"{FILE}.part").replace(folder / FILE)


def load(folder: Path, base: dict[str, Array]) -> dict[str, Array]:
    """Return the reader's tensors. Raises `ModelNotFound` if the folder has none that fit the base."""
    from safetensors import SafetensorError, safe_open

    path = folder / FILE
    if not path.is_file():
        raise ModelNotFound(f"No reader in {folder}: expected {FILE} in it; make one with `rag-dolly finetune-reader`.")
    try:
        with safe_open(path, framework="numpy") as file:
            made_from = (file.metadata() or {}).get("base")
            read = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelNotFound(f"{path} cannot be read as a reader: {error}.") from error
    if made_from != BUNDLED_SHA256:
        raise ModelNotFound(f"{path} was trained from another base: expected sha256 {BUNDLED_SHA256[:12]}...")
    return {**base, **_whole(read, base, path)}


def _whole(read: dict[str, NDArray[Any]], base: dict[str, Array], path: Path) -> dict[str, Array]:
    """Return the changed tensors put together again."""
    whole = {}
    for name, change in read.items():
        if name.endswith(_SCALE):
            continue
        if change.dtype == np.int8:
            change = change.astype(np.float32) * read[name + _SCALE]
        if not name.startswith(HEAD):
            if name not in base or base[name].shape != change.shape:
                raise ModelNotFound(f"{path} has a tensor '{name}' that the base model does not have so.")
            change = base[name] + change
        whole[name] = np.ascontiguousarray(change, dtype=np.float32)
    return whole


def about(folder: Path) -> dict[str, str]:
    """Return what the file says of itself; {} without a file."""
    path = folder / FILE
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    found: dict[str, str] = header.get("__metadata__", {})
    return found
