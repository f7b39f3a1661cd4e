"""Where the model runs, in which number format, and how much memory is free there.

On a processor the format matters: where it computes in bfloat16, SmolLM2-135M decoded 1.6 times as fast in it as in
float32 (39 against 62 ms a token) and read its prompt 1.8 times as fast; measured on two AMD cores with avx512_bf16.
"""

from dataclasses import dataclass
from pathlib import Path

from rag_dolly.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Choice:
    """A device ("cpu", "cuda", "cuda:1", "mps"), a dtype by its torch name, and why, in a few words."""

    device: str
    dtype: str
    reason: str


@dataclass(frozen=True, slots=True)
class Room:
    """Memory that a model may take: of a GPU, or main memory (device "cpu"). Free bytes, and the dtype used there."""

    device: str
    name: str
    free: int
    dtype: str

    @property
    def kind(self) -> str:
        """The kind of device: cpu, cuda or mps."""
        return self.device.partition(":")[0]


def choose(requested: str | None = None) -> Choice:
    """Return where to run: `requested` if given (None or "auto": CUDA, then MPS, then the processor).

    Raises `BadSetting` if the name is not a device, or the device is not there.
    """
    import torch

    name = (requested or "auto").strip().lower()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind == "cpu" and not number:
        return _processor()
    if kind == "mps" and not number:
        if not torch.backends.mps.is_available():
            raise BadSetting("device mps was asked for, but this machine has none; use --device cpu or auto")
        return Choice("mps", "float16", "Apple GPU")
    if kind == "cuda" and (not number or number.isdecimal()):
        return _nvidia(name, int(number or 0))
    raise BadSetting(f"device {requested!r} is not known; expected auto, cpu, mps, cuda or cuda:N")


def _nvidia(name: str, number: int) -> Choice:
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if number >= found:
        raise BadSetting(f"device {name} was asked for, but torch sees {found} CUDA device(s); use cpu or auto")
    if torch.cuda.get_device_capability(number) >= (8, 0):
        return Choice(name, "bfloat16", f"{torch.cuda.get_device_name(number)}, computes in bfloat16")
    return Choice(name, "float16", f"{torch.cuda.get_device_name(number)}, has no bfloat16")


def _processor() -> Choice:
    """bfloat16 halves what is read from memory for each token, but only pays where the processor computes in it."""
    import torch

    query = getattr(torch.cpu, "get_capabilities", None)  # public since torch 2.10
    known = query() if query is not None else {}
    for feature in ("amx_bf16", "avx512_bf16"):
        if known.get(feature):
            return Choice("cpu", "bfloat16", f"processor has {feature}")
    if query is None and torch.cpu._is_avx512_bf16_supported():
        return Choice("cpu", "bfloat16", "processor has avx512_bf16")
    return Choice("cpu", "float32", "processor does not compute in bfloat16")


def rooms(choice: Choice, *, ours: bool = False) -> list[Room]:
    """Return the memory that is free on the device; "cuda" without a number means every GPU, the first one first.

    With `ours`, what this process has taken already counts as free.
    """
    if choice.device == "cpu":
        return [main_memory(choice.dtype, ours=ours)]
    import torch

    if choice.device == "mps":
        taken = 0 if ours else torch.mps.driver_allocated_memory()
        return [Room("mps", "Apple GPU", torch.mps.recommended_max_memory() - taken, choice.dtype)]
    number = choice.device.partition(":")[2]
    return [_gpu(i, ours) for i in ([int(number)] if number else range(torch.cuda.device_count()))]


def main_memory(dtype: str | None = None, *, ours: bool = False) -> Room:
    """Return the free main memory: what can be had without swapping, and no more than the container allows."""
    import psutil

    free = int(psutil.virtual_memory().available)
    limit = container_limit()
    free = free if limit is None else min(free, limit)
    taken = psutil.Process().memory_info().rss if ours else 0
    return Room("cpu", "this machine", free + taken, dtype or _processor().dtype)


def container_limit(group: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes that a control group (version 2) still allows, None without a limit. File cache can be had."""
    try:
        most, used = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        stats = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return None if most == "max" else int(most) - int(used) + int(stats.get("inactive_file", 0))
    except (OSError, ValueError):
        return None


def _gpu(number: int, ours: bool) -> Room:
    """Count what torch has reserved but does not use as free."""
    import torch

    free, _ = torch.cuda.mem_get_info(number)
    reserved, used = torch.cuda.memory_reserved(number), torch.cuda.memory_allocated(number)
    dtype = "bfloat16" if torch.cuda.get_device_capability(number) >= (8, 0) else "float16"
    return Room(f"cuda:{number}", torch.cuda.get_device_name(number), free + reserved - (0 if ours else used), dtype)
