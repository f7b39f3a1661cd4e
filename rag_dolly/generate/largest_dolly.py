"""Which Dolly to take where none was named: the largest that is on this machine and fits its memory.

Pure functions over what is free; see `memory` for what a model needs.
"""

from collections.abc import Collection, Mapping, Sequence

from rag_dolly.errors import BadSetting
from rag_dolly.generate.device import Room
from rag_dolly.generate.footprint import DOLLY
from rag_dolly.generate.memory import (
    INSTALL_QUANTIZED,
    Plan,
    fitting_plan,
    formats_for,
    gigabytes,
    in_format,
    names,
    need_of,
)


def choose_dolly(
    rooms: Sequence[Room], here: Collection[str], *, quantize: str = "auto", extra: bool = True
) -> tuple[str | None, str]:
    """Return the largest Dolly of those `here` that fits, None if none does, and the reason in words.

    A larger model in 8-bit comes before a smaller one in 16-bit: its makers recommend just that for the 12b on a GPU of
    24 GB. 4-bit costs more accuracy, so it is taken only if no Dolly fits otherwise.
    """
    plans = dolly_plans(rooms, quantize=quantize, extra=extra)
    best, taken = _best(plans), _best({name: plans[name] for name in plans if name in here})
    where = names(rooms)
    if best is None:
        found = f"no Dolly fits the {gigabytes(sum(room.free for room in rooms))} free on {where}"
        return None, found if extra else f"{found}; smaller formats need {INSTALL_QUANTIZED}"
    fetch = (
        ""
        if best == taken
        else f"{best} would fit {_in_words(plans[best])} but is not on this machine, name it with --model to fetch it"
    )
    if taken is None:
        return None, fetch
    return taken, f"the largest Dolly on this machine that fits {where}" + (f"; {fetch}" if fetch else "")


def about_dolly(name: str, rooms: Sequence[Room], *, quantize: str = "auto", extra: bool = True) -> str:
    """Return the size of one of `DOLLY`, and whether and how it fits, in words."""
    model, room = DOLLY[name], max(rooms, key=lambda room: room.free)
    plan = dolly_plans(rooms, quantize=quantize, extra=extra)[name]
    free = f"{gigabytes(sum(room.free for room in rooms))} free on {names(rooms)}"
    whole, small = model.weights(room.dtype), model.weights(room.dtype, 8)
    sizes = f"{gigabytes(whole)} of weights {in_format(room.dtype, None)}, {gigabytes(small)} in 8-bit"
    if plan is None:
        bits = _smallest(name, rooms, quantize, extra)
        need = f"{gigabytes(need_of(model, room, bits))} {in_format(room.dtype, bits)}"
        return f"{sizes}; does not fit: needs {need}, {free}"
    over = f" over {len(rooms)} GPUs" if plan.max_memory else ""
    return f"{sizes}; fits {_in_words(plan)}{over}: needs {gigabytes(plan.need)} of {free}"


def dolly_plans(rooms: Sequence[Room], *, quantize: str = "auto", extra: bool = True) -> dict[str, Plan | None]:
    """Return for each Dolly, largest first, where it would go; None if it does not fit."""
    plans: dict[str, Plan | None] = {}
    for name, model in DOLLY.items():
        try:
            plans[name] = fitting_plan(name, model, rooms, formats_for(name, model, rooms, quantize, extra))
        except BadSetting:
            plans[name] = None
    return plans


def _smallest(name: str, rooms: Sequence[Room], quantize: str, extra: bool) -> int | None:
    try:
        return formats_for(name, DOLLY[name], rooms, quantize, extra)[-1]
    except BadSetting:
        return None


def _best(plans: Mapping[str, Plan | None]) -> str | None:
    fitting = {name: plan for name, plan in plans.items() if plan is not None}
    precise = [name for name, plan in fitting.items() if plan.bits != 4]
    return next(iter([*precise, *fitting]), None)


def _in_words(plan: Plan | None) -> str:
    return "" if plan is None else in_format(plan.dtype, plan.bits)
