"""The commands that train: `rag-dolly finetune` and `rag-dolly finetune-embedder`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rag_dolly.cli_options import DeviceOption, EmbedderOption, IndexOption, JsonOption, OfflineOption

Data = Annotated[str, typer.Argument(help="A .jsonl file of records, or a data set's hub name.", show_default=False)]
Out = Annotated[Path, typer.Option(help="The folder to make.", show_default=False)]
Licence = Annotated[
    str | None,
    typer.Option("--data-licence", help="The licence of the data, for the card. [default: what its card says]"),
]
HeldOut = Annotated[
    int, typer.Option(min=0, max=10_000, help="Records to measure on, before and after; at most a tenth of all.")
]
Seed = Annotated[int, typer.Option(min=0, max=1_000_000, help="Decides the order and what is held out.")]


def finetune(
    data: Data,
    base: Annotated[
        str, typer.Option(help="The model to train: hub name, directory, .gguf, or bundled.", show_default=False)
    ],
    out: Out,
    lora: Annotated[bool, typer.Option("--lora", help="Train a LoRA adapter, and merge it at the end.")] = False,
    rank: Annotated[int, typer.Option(min=1, max=512, help="With --lora: its rank.")] = 16,
    as_answers: Annotated[
        bool, typer.Option("--as-answers", help="Prompts as `ask` builds them: several passages, one of them right.")
    ] = False,
    missing: Annotated[
        float, typer.Option(min=0, max=0.99, help="With --as-answers: share without the right passage, to refuse.")
    ] = 0.2,
    epochs: Annotated[float, typer.Option(help="Passes over the records.")] = 2.0,
    lr: Annotated[float | None, typer.Option(help="Learning rate. [default: 5e-6; with --lora 2e-4]")] = None,
    warm_up: Annotated[int, typer.Option(min=0, help="Steps until the rate is reached; at most a tenth of all.")] = 50,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Records a step, over all devices.")] = 48,
    micro_batch: Annotated[int, typer.Option(min=1, max=4096, help="Records at once on a device, at most.")] = 6,
    max_length: Annotated[
        int, typer.Option(min=16, help="Tokens of a record; longer ones are dropped. At most the model's window.")
    ] = 2048,
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing/--no-checkpointing", help="Compute twice instead of keeping: less memory.")
    ] = True,
    held_out: HeldOut = 200,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between two checkpoints.")] = 200,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    seed: Seed = 42,
    data_licence: Licence = None,
    device: DeviceOption = None,
    offline: OfflineOption = None,
    json: JsonOption = False,
) -> None:
    """Train a model on records of instruction and response, by Dolly's recipe; `--model OUT` then uses it."""
    from rag_dolly import show, show_finetune
    from rag_dolly.finetune.recipe import Asked, Recipe, check_rate
    from rag_dolly.finetune.run import finetune as train
    from rag_dolly.settings import load_settings

    settings = load_settings(device=device, offline=offline)
    recipe = Recipe(
        epochs=epochs,
        rate=0.0 if lr is None else check_rate(lr),
        warm_up=warm_up,
        batch=batch_size,
        micro=micro_batch,
        max_length=max_length,
        rank=rank if lora else 0,
        as_answers=as_answers,
        missing=missing,
        held_out=held_out,
        checkpointing=checkpointing,
        save_every=save_every,
        seed=seed,
    )
    asked = Asked(data, base, out, recipe, settings.device, settings.offline, resume, data_licence, _command())
    with show_finetune.training() as on_step:
        found = train(asked, show.note, on_step)
    show_finetune.tuned(found, json)


def finetune_embedder(
    data: Data,
    out: Out,
    index: IndexOption = None,
    embedder: EmbedderOption = None,
    epochs: Annotated[float, typer.Option(help="Passes over the records.")] = 2.0,
    lr: Annotated[float, typer.Option(help="Learning rate.")] = 2e-5,
    batch_size: Annotated[
        int, typer.Option(min=2, max=4096, help="Questions a step; the others' passages are wrong.")
    ] = 32,
    held_out: HeldOut = 200,
    seed: Seed = 42,
    data_licence: Licence = None,
    offline: OfflineOption = None,
    json: JsonOption = False,
) -> None:
    """Train the embedder on questions and their passages; one that finds less than before is not kept."""
    from rag_dolly import show, show_finetune
    from rag_dolly.finetune.embedder_run import EmbedderAsked
    from rag_dolly.finetune.embedder_run import finetune_embedder as train
    from rag_dolly.settings import load_settings

    settings = load_settings(index=index, embedder=embedder, offline=offline)
    asked = EmbedderAsked(
        data,
        out,
        settings.index,
        settings.embedder,
        settings.offline,
        epochs=epochs,
        rate=lr,
        batch=batch_size,
        held_out=held_out,
        seed=seed,
        licence=data_licence,
        command=_command(),
    )
    with show_finetune.training() as on_step:
        found = train(asked, show.note, on_step)
    show_finetune.tuned_embedder(found, json)


def _command() -> tuple[str, ...]:
    """Return the command as it was given, without the folder of the program."""
    return ("rag-dolly", *sys.argv[1:])
