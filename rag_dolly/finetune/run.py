"""Fine-tuning a language model from beginning to end: records and a base in, a directory for `--model` out.

In the folder afterwards: the model and its tokenizer, `adapter/` if it was trained with LoRA (it is merged into the
model), `README.md` (the card), `loss.html` and `loss.png`, and `run.json` with every setting, loss and figure. While it
runs, `checkpoint-STEP` too: a run that was killed goes on from there with `resume`, to the same losses.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_dolly.errors import OutOfMemory, RagDollyError
from rag_dolly.finetune import checkpoints, saving
from rag_dolly.finetune.disk import make_folder
from rag_dolly.finetune.measure import Figures, measure
from rag_dolly.finetune.merge import save_all
from rag_dolly.finetune.papers import write_papers
from rag_dolly.finetune.prepare import Prepared, prepare
from rag_dolly.finetune.recipe import RUN, Asked
from rag_dolly.finetune.records import Data, read_data
from rag_dolly.finetune.trainee import make_trainee, open_devices
from rag_dolly.finetune.training import OnStep, Trainee, train

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of a run; `left_out` counts records in words, `records` are those trained on."""

    out: Path
    records: int
    left_out: dict[str, int]
    losses: list[float]
    before: Figures | None
    after: Figures | None


def finetune(asked: Asked, tell: Tell = lambda _: None, on_step: OnStep = lambda _: None) -> Tuned:
    """Train, measure and save; see the module's docstring.

    Raises `RagDollyError` (data, disk, a run that does not match), `ModelNotFound`, `BadSetting` or `OutOfMemory`.
    """
    from rag_dolly.generate.checkpoint import is_out_of_memory

    recipe = asked.recipe.check()
    data = read_data(asked.data, asked.offline, asked.licence)
    accelerator, choice = open_devices(asked.device, recipe)
    make_folder(asked.out) if asked.resume else saving.check_empty(asked.out, can_resume=True)
    made = prepare(asked, data)
    facts = {**_identity(asked, data, made), **_earlier(asked, data, made)}
    try:
        trainee, stored = make_trainee(asked, made, accelerator, choice)
        if accelerator.is_main_process:
            tell(made.summary(data))
        else:
            on_step = _silent
        before = _before(asked, made, trainee, facts)
        losses = train(trainee, made.training, recipe, asked.out, on_step)
        after = measure(trainee, made.dialect, made.held_out, recipe.micro_for(accelerator.num_processes))
        save_all(asked, made, trainee, stored)
    except Exception as error:
        if isinstance(error, RagDollyError) or not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"Training {asked.base} with --micro-batch {recipe.micro} needs more memory than there is: try "
            "--micro-batch 1, --lora, a smaller --max-length or --base, or several GPUs (docs/finetune.md)."
        ) from error
    if accelerator.is_main_process:
        facts |= {"after": after.as_json() if after else None, "losses": losses, "left_out": made.left_out}
        write_papers(asked, data, made, facts)
        checkpoints.remove_all(asked.out)
    return Tuned(asked.out, len(made.training), made.left_out, losses, before, after)


def _silent(_: object) -> None: ...


def _before(asked: Asked, made: Prepared, trainee: Trainee, facts: dict[str, Any]) -> Figures | None:
    """Return the figures of the untrained model: those that an interrupted run noted, else measured and noted."""
    accelerator = trainee.accelerator
    accelerator.wait_for_everyone()  # all have read what there was
    if "before" in facts:
        return Figures(**facts["before"]) if facts["before"] else None
    found = measure(trainee, made.dialect, made.held_out, asked.recipe.micro_for(accelerator.num_processes))
    facts["before"] = found.as_json() if found else None
    if accelerator.is_main_process:
        checkpoints.write_json(asked.out / RUN, facts)
    return found


def _identity(asked: Asked, data: Data, made: Prepared) -> dict[str, Any]:
    """Return what must be the same for a run to go on where another stopped."""
    return {
        "data": data.name,
        "data_sha256": data.sha256,
        "base": asked.base,
        "base_config": json.loads((made.directory / "config.json").read_text("utf-8")),
        "recipe": asked.recipe.as_json(),
        "records": len(made.training),
        "held_out": len(made.held_out),
    }


def _earlier(asked: Asked, data: Data, made: Prepared) -> dict[str, Any]:
    """Return what the interrupted run noted, {} if there is none. Raises `RagDollyError` if it was another run."""
    path = asked.out / RUN
    if not path.exists():
        if checkpoints.latest(asked.out) or (asked.out / "config.json").exists():
            raise RagDollyError(f"{asked.out} has no {RUN}, so nothing there can be resumed: name another --out.")
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
        asked_now = json.loads(json.dumps(_identity(asked, data, made)))
        differs = [key for key, value in asked_now.items() if found.get(key) != value]
    except (OSError, ValueError, AttributeError) as error:
        raise RagDollyError(f"{path} cannot be read: {error}; name another --out.") from error
    if "after" in found:
        raise RagDollyError(
            f"The run in {asked.out} is finished: use it with --model {asked.out}, or name another --out."
        )
    if differs:
        raise RagDollyError(
            f"The run in {asked.out} had another {', '.join(differs).replace('_', ' ')}: give the same as then to "
            "resume it, or name another --out."
        )
    return dict(found)
