"""Fine-tuning the embedder from beginning to end: questions with passages in, a directory for `--embedder` out.

Measured before and after on held-out questions over the passages of all records, with the measures of
`rag_dolly.evaluate`. An embedder with which less is found is not kept.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from ingest.corpus import document_of
from ingest.errors import RagDollyError
from rag_dolly.beir import Collection
from rag_dolly.errors import OutOfMemory
from rag_dolly.finetune import card, checkpoints, saving
from rag_dolly.finetune.disk import writing
from rag_dolly.finetune.hard_negatives import Triple, mine, open_searches
from rag_dolly.finetune.recipe import check_epochs, check_rate
from rag_dolly.finetune.records import Data, Record, licence_in, read_data
from rag_dolly.finetune.shelf import Shelf
from rag_dolly.finetune.training import OnStep

if TYPE_CHECKING:
    from ingest.embed import ModelEmbedder

STAGES = ("dense", "fused")
"""The search by the embedder alone, and the one that `rag-dolly search` shows."""
DECIDES = "ndcg@10"
LEAST = 10
"""Questions with passages that are needed; a fifth of all is held out at most."""


@dataclass(frozen=True, slots=True)
class EmbedderAsked:
    """What a run was asked for: `index` is where wrong passages are looked for, if there is one."""

    data: str
    out: Path
    index: Path
    embedder: str = "auto"
    offline: bool = False
    epochs: float = 2.0
    rate: float = 2e-5
    batch: int = 32
    held_out: int = 200
    seed: int = 42
    licence: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TunedEmbedder:
    """What came of a run: records trained on, held-out questions, and "stage measure" -> figure before and after."""

    out: Path
    records: int
    questions: int
    before: dict[str, float]
    after: dict[str, float]


def finetune_embedder(
    asked: EmbedderAsked, tell: Callable[[str], None] = lambda _: None, on_step: OnStep = lambda _: None
) -> TunedEmbedder:
    """Train, measure and, if it finds as much as before or more, save.

    Raises `RagDollyError` for data that does not do, for a folder that is not empty, and for a result that is worse;
    `BadSetting`; `ModelNotFound`; `IndexMismatch` if another embedder made the index; `OutOfMemory`.
    """
    from ingest.embed import open_embedder

    check_epochs(asked.epochs), check_rate(asked.rate)
    data = read_data(asked.data, asked.offline, asked.licence)
    saving.check_empty(asked.out, can_resume=False)
    records = [record for record in data.records if record.context and record.response]
    if len(records) < LEAST:
        raise RagDollyError(
            f'{data.name} has {len(records)} questions with a passage ("context") and an answer, '
            f"{LEAST} are the least: give more."
        )
    embedder = open_embedder(asked.embedder, asked.offline)
    training, held_out = split(records, asked.held_out, asked.seed)
    shelf = Shelf((record.context for record in records), embedder)
    triples = mine(training, shelf, open_searches(asked.index, embedder, shelf))
    found = sum(bool(triple.wrong) for triple in triples)
    tell(f"{data.name}: {len(training)} questions to train on, {len(held_out)} held out, {found} with a hard negative")
    collection = collection_of(shelf.contexts, held_out)
    before = measures(collection, embedder)
    losses, after = _trained(
        asked, embedder, triples, lambda made: refuse_worse(before, measures(collection, made)), on_step
    )
    tuned = TunedEmbedder(asked.out, len(training), len(held_out), before, after)
    with writing(asked.out):
        _write_papers(asked, data, embedder, tuned, losses)
    return tuned


def _trained(
    asked: EmbedderAsked,
    embedder: "ModelEmbedder",
    triples: Sequence[Triple],
    judge: "Callable[[ModelEmbedder], dict[str, float]]",
    on_step: OnStep,
) -> tuple[list[float], dict[str, float]]:
    """Train, and put the result in its place unless `judge` raises; return the losses and what `judge` found."""
    from ingest.embed import ModelEmbedder
    from rag_dolly.finetune.embedder_training import train_embedder
    from rag_dolly.generate.checkpoint import is_out_of_memory

    fresh = asked.out / "model-new"
    settings = {"epochs": asked.epochs, "rate": asked.rate}
    try:
        losses = train_embedder(
            embedder.folder, embedder.identity, triples, fresh,
            batch=asked.batch, seed=asked.seed, on_step=on_step, **settings,
        )  # fmt: skip
        found = judge(ModelEmbedder(fresh, asked.out.name))
        with writing(asked.out):
            for path in sorted(fresh.iterdir(), key=lambda path: path.name == "config.json"):
                shutil.move(path, asked.out / path.name)
        return losses, found
    except Exception as error:
        if isinstance(error, RagDollyError) or not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"Training the embedder with --batch-size {asked.batch} needs more memory than there is: give less."
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def split(records: Sequence[Record], held_out: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Return the records to train on and those held out; none of the latter has a text that is trained on."""
    contexts = list(dict.fromkeys(record.context for record in records))
    order = np.random.default_rng([seed, 3]).permutation(len(contexts)).tolist()
    wanted = max(1, min(held_out, len(records) // 5))
    held: set[str] = set()
    count = 0
    for place in order:
        if count >= wanted:
            break
        held.add(contexts[place])
        count += sum(record.context == contexts[place] for record in records)
    training = [record for record in records if record.context not in held]
    if not training:
        raise RagDollyError("All questions are about one passage: give questions about several.")
    return training, [record for record in records if record.context in held]


def collection_of(contexts: Sequence[str], held_out: Sequence[Record]) -> Collection:
    """Return the held-out questions over all contexts, as a test collection."""
    number = {context: str(place) for place, context in enumerate(contexts)}
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    for record in held_out:
        key = str(len(queries))
        queries[key] = record.instruction
        qrels[key] = {number[record.context]: 1}
    documents = [document_of(key, "", context) for context, key in number.items()]
    return Collection(documents, queries, qrels, {})


def measures(collection: Collection, embedder: "ModelEmbedder") -> dict[str, float]:
    """Return "stage measure" -> its mean over the questions."""
    from rag_dolly.evaluate import evaluate

    with TemporaryDirectory() as folder:
        found = evaluate(collection, embedder, Path(folder))
    return {f"{stage} {name}": estimate.mean for stage in STAGES for name, estimate in found.stages[stage].items()}


def refuse_worse(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return the figures after. Raises `RagDollyError` if a stage finds less than it did."""
    for stage in STAGES:
        was, now = (figures[f"{stage} {DECIDES}"] for figures in (before, after))
        if now < was:
            raise RagDollyError(
                f"The trained embedder is worse on the held-out questions ({stage} {DECIDES} {was:.4f} before, "
                f"{now:.4f} after) and was not kept: give more questions, fewer --epochs, or a smaller --lr."
            )
    return after


def _write_papers(
    asked: EmbedderAsked, data: Data, embedder: "ModelEmbedder", tuned: TunedEmbedder, losses: Sequence[float]
) -> None:
    readme = embedder.folder / "README.md"
    licence = licence_in(readme.read_text("utf-8", "replace")) if readme.is_file() else "unknown"
    facts = {
        "records": f"{tuned.records} trained on, {tuned.questions} held out",
        "steps": f"{len(losses)} of {asked.batch} questions at most, {asked.epochs:g} epochs",
        "learning rate": f"{asked.rate:g}, a tenth of the steps rising, then falling",
        "loss": "in-batch negatives with one hard negative each",
        "seed": asked.seed,
        "data, sha256": data.sha256,
    }
    page = card.Card(
        asked.out.resolve().name, embedder.identity.name, licence, data.name, data.licence, facts, asked.command,
        {**tuned.before, "records": tuned.questions}, {**tuned.after, "records": tuned.questions},
        f"rag-dolly reembed --embedder {asked.out.name}",
    )  # fmt: skip
    (asked.out / "README.md").write_text(card.as_markdown(page), "utf-8")
    checkpoints.write_json(
        asked.out / "run.json",
        {"data": data.name, "data_sha256": data.sha256, "before": tuned.before, "after": tuned.after, "losses": losses},
    )
