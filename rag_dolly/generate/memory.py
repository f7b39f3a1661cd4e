"""Where a language model goes: in which format, on which devices, at what cost, and what would fit if it does not.

Pure functions over numbers: a `Footprint` (what the model takes) and `Room`s (what is free, measured by `device`).

The order of choice: the model's 16-bit format on one GPU; spread over several; 8-bit on one, spread; 4-bit likewise.
16-bit comes first because it is the model as published. 8-bit (one scale for each row, weights only) changes answers
little; 4-bit changes them more. A GPU is asked for weights, cache and working memory together, so that the first full
prompt does not fail. Part of the weights goes to main memory only if offloading was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag_dolly.errors import BadSetting, OutOfMemory
from rag_dolly.generate.device import Choice, Room
from rag_dolly.generate.footprint import DOLLY, Footprint

BITS = {"8bit": 8, "4bit": 4}
INSTALL_QUANTIZED = "pip install 'rag-dolly[quantized]'"
_PASSAGE = 256  # tokens of a passage in a prompt
_AROUND = 512  # tokens of question, wrapper and answer


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a model goes. Sizes in bytes."""

    device: str
    """The device, or the first of several."""
    dtype: str
    bits: int | None
    """8 or 4 if the linear layers are quantised while loading."""
    max_memory: Mapping[str, int] | None
    """For several devices: how much of the weights each may take."""
    need: int
    """Weights, cache and working memory together."""
    line: str
    """What was chosen and what it costs, in words."""

    @property
    def choice(self) -> Choice:
        """The device and the number format."""
        return Choice(self.device, self.dtype, self.line)


def make_plan(
    name: str,
    model: Footprint,
    rooms: Sequence[Room],
    *,
    quantize: str = "auto",
    extra: bool = True,
    offload: bool = False,
    main: Room | None = None,
) -> Plan:
    """Return where to load a model, in the first format that fits.

    `quantize` is auto, none, 8bit or 4bit; with auto only GPUs get a quantised model, and only if `extra`: the library
    for it is installed. With `offload`, what fits in no format goes partly to `main`, the main memory, unquantised.
    The last format is also taken if it leaves too little working memory; the line says so.

    Raises `OutOfMemory`, which names what would fit, and `BadSetting` for a format that these devices do not have.
    """
    formats = formats_for(name, model, rooms, quantize, extra)
    if found := fitting_plan(name, model, rooms, formats):
        return found
    room, bits = max(rooms, key=lambda room: room.free), formats[-1]
    if offload and main is not None and room.kind != "cpu" and (found := _offloaded(name, model, room, main)):
        return found
    if model.weights(room.dtype, bits) + model.cached(room.dtype) <= room.free:
        return _on_one(name, model, room, bits, "; little is left to work with, a long prompt may not fit")
    raise OutOfMemory(explain(name, model, rooms, bits, extra=extra, main=main))


def fitting_plan(name: str, model: Footprint, rooms: Sequence[Room], formats: Sequence[int | None]) -> Plan | None:
    """Return the plan for the first of `formats` that fits with all its working memory, else None. Never offloads."""
    for bits in formats:
        if _allowed(bits, rooms) is not None:
            continue
        for room in sorted(rooms, key=lambda room: -room.free):
            if need_of(model, room, bits) <= room.free:
                return _on_one(name, model, room, bits)
        if len(rooms) > 1 and (spread := _spread(name, model, rooms, bits)):
            return spread
    return None


def explain(
    name: str,
    model: Footprint,
    rooms: Sequence[Room],
    bits: int | None,
    *,
    extra: bool = True,
    main: Room | None = None,
    running: bool = False,
) -> str:
    """Return one line: what the model needs in this format, what is free, and which settings would fit.

    `running` says that the model was loaded and the memory ran out while it answered; `main` is the main memory.
    """
    room = max(rooms, key=lambda room: room.free)
    weights, cache = model.weights(room.dtype, bits), model.cached(room.dtype)
    working = model.working(room.kind, room.dtype, bits)
    free = gigabytes(sum(room.free for room in rooms))
    found = remedies(name, model, rooms, bits, extra=extra, main=main, running=running)
    todo = (
        "what would fit: " + ", or ".join(found) if found else "close what else uses the memory, or choose --model none"
    )
    return (
        f"model {name!r} needs {gigabytes(weights + cache + working)} {in_format(room.dtype, bits)} "
        f"({gigabytes(weights)} of weights, {gigabytes(cache)} of cache at {model.tokens:,} tokens, "
        f"{gigabytes(working)} to work with), {free} are free on {names(rooms)}; {todo}"
    )


def remedies(
    name: str,
    model: Footprint,
    rooms: Sequence[Room],
    bits: int | None,
    *,
    extra: bool = True,
    main: Room | None = None,
    running: bool = False,
) -> list[str]:
    """Return the settings with which an answer would fit, best first, each with what it then needs."""
    found = []
    for setting, smaller in BITS.items():
        if model.packed is None and smaller < (bits or 16) and (plan := fitting_plan(name, model, rooms, [smaller])):
            install = "" if extra else f" after {INSTALL_QUANTIZED}"
            found.append(f"--quantize {setting} ({gigabytes(plan.need)}){install}")
            break
    if running and (passages := _passages(model, max(rooms, key=lambda room: room.free), bits)):
        found.append(f"--top-k {passages}")
    for other, shape in DOLLY.items():
        formats = [None, 8] if extra and rooms[0].kind != "cpu" else [None]
        if shape.parameters < model.parameters and (plan := fitting_plan(other, shape, rooms, formats)):
            found.append(f"--model {other}{' --quantize 8bit' if plan.bits else ''} ({gigabytes(plan.need)})")
            break
    if main and main.device != rooms[0].device and (plan := fitting_plan(name, model, [main], [None])):
        found.append(f"--device cpu ({gigabytes(plan.need)} of main memory, slow)")
    if not found and main and rooms[0].kind != "cpu" and _offloaded(name, model, rooms[0], main):
        found.append("--quantize auto --offload (very slow)")
    return found


def gigabytes(size: int) -> str:
    """Return a size in words: "13.7 GB" (10^9 bytes), below 1 GB "270 MB"."""
    return f"{size / 1e9:.1f} GB" if size >= 950_000_000 else f"{max(size, 0) / 1e6:.0f} MB"


def formats_for(name: str, model: Footprint, rooms: Sequence[Room], quantize: str, extra: bool) -> list[int | None]:
    """Return the formats that may be used, best first: None for 16-bit (or float32), 8, 4."""
    if quantize in BITS:
        if model.packed is not None:
            raise BadSetting(f"--quantize {quantize}: model {name!r} is quantised already; use --quantize none")
        if not extra:
            raise BadSetting(f"--quantize {quantize} needs torchao; install it with: {INSTALL_QUANTIZED}")
        if reason := _allowed(BITS[quantize], rooms):
            raise BadSetting(f"--quantize {quantize}: {reason}")
        return [BITS[quantize]]
    if quantize == "none" or model.packed is not None or not extra or rooms[0].kind == "cpu":
        return [None]
    return [None, 8, 4] if _allowed(4, rooms) is None else [None, 8]


def _allowed(bits: int | None, rooms: Sequence[Room]) -> str | None:
    """Return why these devices cannot use the format, None if they can."""
    if bits == 4 and not all(room.kind == "cuda" and room.dtype == "bfloat16" for room in rooms):
        return "4-bit runs on NVIDIA GPUs of compute capability 8.0 or newer; use --quantize 8bit"
    return None


def need_of(model: Footprint, room: Room, bits: int | None) -> int:
    """Return the bytes that weights, cache and work take in this memory."""
    return model.weights(room.dtype, bits) + model.cached(room.dtype) + model.working(room.kind, room.dtype, bits)


def _on_one(name: str, model: Footprint, room: Room, bits: int | None, remark: str = "") -> Plan:
    line = _line(name, model, [room], room.dtype, bits)
    if bits:
        line += f"; in {room.dtype} it would need {gigabytes(need_of(model, room, None))}"
    return Plan(room.device, room.dtype, bits, None, need_of(model, room, bits), line + remark)


def _spread(name: str, model: Footprint, rooms: Sequence[Room], bits: int | None) -> Plan | None:
    """Put whole layers on several GPUs, each with the cache of its layers."""
    dtype = "bfloat16" if all(room.dtype == "bfloat16" for room in rooms) else "float16"
    weights, cache = model.weights(dtype, bits), model.cached(dtype)
    shares = {room.device: _share(model, room, dtype, bits) * weights // (weights + cache) for room in rooms}
    usable = sum(shares.values()) * (1.0 if bits is None else 0.9)  # transformers keeps a tenth for scales
    if min(shares.values()) <= 0 or usable < weights:
        return None
    need = weights + cache + sum(model.working(room.kind, dtype, bits) for room in rooms)
    return Plan(rooms[0].device, dtype, bits, shares, need, _line(name, model, rooms, dtype, bits))


def _offloaded(name: str, model: Footprint, room: Room, main: Room) -> Plan | None:
    """Put what the GPU cannot hold into main memory, in the GPU's format."""
    weights, cache = model.weights(room.dtype), model.cached(room.dtype)
    share = _share(model, room, room.dtype, None) - cache
    rest = weights - share
    if share <= 0 or rest > main.free * 0.8:
        return None
    line = _line(name, model, [room], room.dtype, None)
    slow = f"; {gigabytes(rest)} of the weights stay in main memory and are sent to the GPU for each token: slow"
    return Plan(
        room.device, room.dtype, None, {room.device: share, "cpu": int(main.free * 0.8)}, room.free, line + slow
    )


def _share(model: Footprint, room: Room, dtype: str, bits: int | None) -> int:
    """Return what a device of several has for weights and cache; half a layer is what whole layers waste on average."""
    layer = model.weights(dtype, bits) // max(model.layers, 1)
    return room.free - model.working(room.kind, dtype, bits) - layer


def _passages(model: Footprint, room: Room, bits: int | None) -> int:
    """Return how many passages leave the prompt short enough, 0 if none do or if that is not what is missing."""
    fixed = model.weights(room.dtype, bits) + model.working(room.kind, room.dtype, bits, tokens=0)
    token = (
        model.cached(room.dtype, 1)
        + model.working(room.kind, room.dtype, tokens=1)
        - model.working(room.kind, room.dtype, tokens=0)
    )
    tokens = min((room.free - fixed) // token, model.tokens - 1) if token else 0
    return max(0, min((tokens - _AROUND) // _PASSAGE, 4))


def _line(name: str, model: Footprint, rooms: Sequence[Room], dtype: str, bits: int | None) -> str:
    weights, cache = gigabytes(model.weights(dtype, bits)), gigabytes(model.cached(dtype))
    over = f" over {len(rooms)} GPUs" if len(rooms) > 1 else ""
    free = gigabytes(sum(room.free for room in rooms))
    packed = "as quantised in its files" if model.packed is not None else in_format(dtype, bits)
    return (
        f"{name} {packed}{over}: {weights} of weights + {cache} of cache at {model.tokens:,} tokens, "
        f"of {free} free on {names(rooms)}"
    )


def in_format(dtype: str, bits: int | None) -> str:
    """Return a format in words: "in 8-bit", "in bfloat16"."""
    return f"in {bits}-bit" if bits else f"in {dtype}"


def names(rooms: Sequence[Room]) -> str:
    """Return what the memory is of, in words."""
    return " + ".join(room.name for room in rooms)
