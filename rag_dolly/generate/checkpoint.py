"""From a model's name to its weights: where a language model is looked for, in which format it is loaded, and where to.

A name is a local directory, or "owner/name" on the Hugging Face hub: then the local hub cache is asked first and
the hub only if the cache has no complete copy. Nothing else ever reaches for the network. No code that comes with a
model is run; weights are read from safetensors, or from .bin with torch's weights_only reader. Linear layers are
quantised while they are loaded (see `quantized`); embeddings and output head never are.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rag_dolly.errors import BadSetting, ModelNotFound, OutOfMemory
from rag_dolly.generate import quantized
from rag_dolly.generate.device import Choice, main_memory, rooms
from rag_dolly.generate.footprint import Footprint, footprint, read_footprint
from rag_dolly.generate.memory import BITS, Plan, explain, make_plan

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
    with quiet():
        loader: Any = transformers.PreTrainedTokenizerFast if exact else transformers.AutoTokenizer
        try:
            tokenizer = loader.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        except Exception as error:  # tokenizers raises bare Exception for a broken file
            raise ModelNotFound(f"model {directory.name!r}: its tokenizer cannot be read: {_line(error)}") from error
    return cast("PreTrainedTokenizerBase", tokenizer)


def plan_load(
    directory: Path, choice: Choice, *, name: str = "", quantize: str = "auto", offload: bool = False
) -> Plan:
    """Return where and in which format to load the model in `directory`; nothing is loaded yet.

    `quantize` is auto, none, 8bit or 4bit. Raises `OutOfMemory` if it cannot fit, `BadSetting` for a format that this
    machine does not have.
    """
    name = name or display_name(directory)
    model = read_footprint(directory)
    if model is None:
        if quantize in BITS or offload:
            raise BadSetting(f"--quantize and --offload: the files of model {name!r} do not tell its size; set neither")
        return Plan(
            choice.device, choice.dtype, None, None, 0, f"{name} in {choice.dtype}: its files do not tell its size"
        )
    return make_plan(
        name, model, rooms(choice), quantize=quantize, extra=quantized.installed(), offload=offload, main=main_memory()
    )


def load_weights(
    directory: Path, choice: Choice, bits: int | None = None, max_memory: Mapping[str, int] | None = None
) -> "PreTrainedModel":
    """Return the model on its device, ready to generate.

    `bits` (8 or 4) quantises the linear layers; `max_memory` spreads the weights over the devices it names, each taking
    at most so many bytes. Raises `ModelNotFound` if the files are broken, incomplete, or need code of their own;
    `OutOfMemory`.
    """
    import torch
    import transformers

    spread = {
        int(device.removeprefix("cuda:")) if ":" in device else device: most
        for device, most in (max_memory or {}).items()
    }
    with quiet(), _heard() as warnings:
        loader: Any = transformers.AutoModelForCausalLM
        try:
            model, report = loader.from_pretrained(
                directory,
                dtype=getattr(torch, choice.dtype),
                device_map="auto" if spread else None if choice.device == "cpu" else {"": choice.device},
                max_memory=spread or None,
                quantization_config=None if bits is None else quantized.configuration(bits),
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                output_loading_info=True,
            )
        except Exception as error:  # each reader of a broken file has errors of its own
            cause = _cause(error, warnings)
            if is_out_of_memory(cause):
                found = read_footprint(directory)
                raise _explained(display_name(directory), found, choice, bits, running=False) from error
            raise ModelNotFound(f"model {directory.name!r} cannot be loaded: {_line(cause)}") from error
    _check_complete(directory.name, report["missing_keys"])
    _check_places(directory.name, model, max_memory or {})
    return cast("PreTrainedModel", model.eval())


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether a library ran out of memory; only CUDA has an exception of its own for it."""
    import torch

    text = str(error)
    signs = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in text for sign in signs)
    )


def out_of_memory(name: str, model: "PreTrainedModel | None" = None) -> OutOfMemory:
    """Return the error to raise when the device has no room for the model or its cache.

    With the loaded `model` its line says what is needed, what is free, and the settings that would fit.
    """
    if model is None:
        return _explained(name, None, Choice("cpu", "", ""), None)
    places = set(getattr(model, "hf_device_map", {}).values())
    device = "cuda" if len(places - {"cpu", "disk"}) > 1 else str(model.device)
    choice = Choice(device, str(model.dtype).removeprefix("torch."), "")
    return _explained(name, footprint(model.config.to_dict()), choice, quantized.bits_of(model))


def _explained(
    name: str, model: Footprint | None, choice: Choice, bits: int | None, running: bool = True
) -> OutOfMemory:
    if model is None or choice.device == "meta":
        return OutOfMemory(
            f"model {name!r} does not fit into the memory of the device; close what else uses it, choose "
            "--quantize 8bit, a smaller --model, fewer passages (--top-k), or --device cpu"
        )
    places = rooms(choice, ours=True)
    return OutOfMemory(
        explain(name, model, places, bits, extra=quantized.installed(), main=main_memory(), running=running)
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


def _check_complete(name: str, missing_keys: set[str]) -> None:
    if missing_keys:
        raise ModelNotFound(
            f"model {name!r} is incomplete: {len(missing_keys)} weights are missing, the first is {min(missing_keys)}; "
            "fetch or save it again"
        )


def _check_places(name: str, model: Any, max_memory: Mapping[str, int]) -> None:
    """Refuse a model of which more than planned went to main memory or to the disk, where it would only crawl."""
    places = {str(place) for place in getattr(model, "hf_device_map", {}).values()}
    if max_memory and places & {"cpu", "disk", "meta"} - set(max_memory):
        raise out_of_memory(name, model)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the warnings and progress bars of transformers and torchao off the terminal while a model loads."""
    for library in ("torchao", "torch.utils._pytree"):  # which transformers imports if it is there
        logging.getLogger(library).setLevel(logging.ERROR)
    from transformers.utils import logging as module

    said: Any = module
    verbosity, bars = said.get_verbosity(), said.is_progress_bar_enabled()
    said.set_verbosity_error()
    said.disable_progress_bar()
    try:
        yield
    finally:
        said.set_verbosity(verbosity)
        if bars:
            said.enable_progress_bar()


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect what transformers warns of while it loads weights: the reason why one could not be converted."""
    from transformers import modeling_utils

    module: Any = modeling_utils
    logger, said = module.logger, []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def _cause(error: Exception, warnings: list[str]) -> Exception:
    """Return the error itself, or for a failed conversion the one that transformers only warned of."""
    if "conversion" not in str(error) or not warnings:
        return error
    causes = re.findall(r"^[\w.]+(?:Error|Exception): .+$", "\n".join(warnings), re.MULTILINE)
    return RuntimeError(causes[-1]) if causes else error


def _line(error: BaseException) -> str:
    """Return what an exception says, on one line, shortened."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."
