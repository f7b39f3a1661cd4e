"""From a model's name to its weights: where a language model is looked for, and how it is loaded.

A name is a local directory, or "owner/name" on the Hugging Face hub: then the local hub cache is asked first and
the hub only if the cache has no complete copy. Nothing else ever reaches for the network. No code that comes with a
model is run; weights are read from safetensors, or from .bin with torch's weights_only reader.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rag_dolly.errors import ModelNotFound, OutOfMemory
from rag_dolly.generate.device import Choice

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SMALL_FILES = ["*.json", "*.jinja", "*.model", "*.txt"]
_WEIGHTS = {
    "model.safetensors.index.json": "*.safetensors",
    "model.safetensors": "model.safetensors",
    "pytorch_model.bin.index.json": "pytorch_model-*.bin",
    "pytorch_model.bin": "pytorch_model.bin",
}
"""The file that shows which kind of weights a directory holds, best first, and the files they are in."""


def locate(name: str, offline: bool) -> Path:
    """Return the directory that holds the model `name`, fetched from the hub if need be and not `offline`.

    Raises `ModelNotFound`, which says where it was looked for.
    """
    directory = Path(name).expanduser()
    if directory.is_dir():
        if (directory / "config.json").is_file() and _weights_in(directory):
            return directory
        raise ModelNotFound(
            f"model {name!r}: expected a directory with config.json and model.safetensors, found none of them there; "
            "name a directory saved by transformers, or a hub model as owner/name"
        )
    if not _HUB_NAME.fullmatch(name) or directory.exists():
        raise ModelNotFound(f"model {name!r}: no such directory, and not a hub name (owner/name); check the path")
    return _from_hub(name, offline)


def load_tokenizer(directory: Path) -> "PreTrainedTokenizerBase":
    """Return the tokenizer exactly as its tokenizer.json says; without one, as transformers makes it."""
    import transformers

    exact = (directory / "tokenizer.json").is_file()
    loader: Any = transformers.PreTrainedTokenizerFast if exact else transformers.AutoTokenizer
    with quiet():
        try:
            tokenizer = loader.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        except Exception as error:  # tokenizers raises bare Exception for a broken file
            raise ModelNotFound(f"model {directory.name!r}: its tokenizer cannot be read: {_line(error)}") from error
    return cast("PreTrainedTokenizerBase", tokenizer)


def load_weights(directory: Path, choice: Choice) -> "PreTrainedModel":
    """Return the model on its device, ready to generate.

    Raises `ModelNotFound` if the files are broken, incomplete, or need code of their own; `OutOfMemory`.
    """
    import torch
    import transformers

    loader: Any = transformers.AutoModelForCausalLM
    with quiet():
        try:
            model, report = loader.from_pretrained(
                directory,
                dtype=getattr(torch, choice.dtype),
                device_map=None if choice.device == "cpu" else {"": choice.device},
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                output_loading_info=True,
            )
        except torch.OutOfMemoryError as error:
            raise out_of_memory(directory.name) from error
        except Exception as error:  # each reader of a broken file has errors of its own
            raise ModelNotFound(f"model {directory.name!r} cannot be loaded: {_line(error)}") from error
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise ModelNotFound(
            f"model {directory.name!r} is incomplete: {len(missing)} weights are missing, the first is {missing[0]}; "
            "fetch or save it again"
        )
    return cast("PreTrainedModel", model.eval())


def out_of_memory(name: str) -> OutOfMemory:
    """Return the error to raise when the device has no room for the model or its cache."""
    return OutOfMemory(
        f"model {name!r} does not fit into the memory of the device; close what else uses it, choose a smaller "
        "--model, fewer passages (--top-k), or set RAG_DOLLY_DEVICE=cpu"
    )


def display_name(directory: Path) -> str:
    """Return what to call the model in `directory`: the name in its manifest.json, else the directory's own."""
    try:
        name = json.loads((directory / "manifest.json").read_text("utf-8"))["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return directory.resolve().name
    return str(name)


def cached(name: str) -> Path | None:
    """Return the directory of a hub model that is complete in the local hub cache, else None. No network."""
    found = _snapshot(name, _SMALL_FILES, offline=True)
    return found if found is not None and _weights_in(found) else None


def _from_hub(name: str, offline: bool) -> Path:
    if offline and "huggingface_hub" not in sys.modules:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
    if found := cached(name):
        return found
    if offline:
        raise ModelNotFound(
            f"model {name!r}: not a local directory, not complete in the hub cache, and offline, so the hub was not "
            "asked; fetch it once without --offline"
        )
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        fetched = _snapshot(name, [*_SMALL_FILES, pattern], offline=False)
        if fetched is not None and _weights_in(fetched):
            return fetched
    raise ModelNotFound(f"model {name!r}: the hub has it, but with neither .safetensors nor .bin weights")


def _snapshot(name: str, patterns: list[str], offline: bool) -> Path | None:
    """Return the hub's copy of the files, None if `offline` and the cache has none of them."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=patterns, local_files_only=offline))
    except Exception as error:  # which errors an HTTP client raises differs between releases
        if offline:
            return None
        raise ModelNotFound(
            f"model {name!r}: not a local directory, not complete in the hub cache, and the hub did not give it: "
            f"{_line(error)}"
        ) from error


def _weights_in(directory: Path) -> bool:
    for marker in _WEIGHTS:
        if (directory / marker).is_file():
            return not marker.endswith(".index.json") or _shards_complete(directory / marker)
    return False


def _shards_complete(index: Path) -> bool:
    try:
        shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return all((index.parent / shard).is_file() for shard in shards)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' warnings and progress bars off the terminal while a model loads."""
    from transformers.utils import logging as module

    logging: Any = module
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _line(error: BaseException) -> str:
    """Return what an exception says, on one line, shortened."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."
