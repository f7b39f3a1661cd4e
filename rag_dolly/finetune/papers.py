"""What is written beside a trained model: the card, the plot of the loss, every figure."""

from importlib.metadata import version
from typing import Any

from rag_dolly.finetune import card, checkpoints, loss_plot
from rag_dolly.finetune.base import called, licence_of
from rag_dolly.finetune.disk import writing
from rag_dolly.finetune.prepare import Prepared
from rag_dolly.finetune.recipe import RUN, Asked
from rag_dolly.finetune.records import Data


def write_papers(asked: Asked, data: Data, made: Prepared, facts: dict[str, Any]) -> None:
    """Write card, plot and figures."""
    base = called(asked.base)
    held_out = [facts[when]["loss"] for when in ("before", "after") if facts[when]]
    for suffix in ("html", "png"):
        loss_plot.write_loss_plot(facts["losses"], held_out, f"{base} on {data.name}", asked.out / f"loss.{suffix}")
    recipe = asked.recipe
    lines = {
        "records": f"{len(made.training)} trained on, {len(made.held_out)} held out",
        **{f"left out, {what}": count for what, count in made.left_out.items()},
        "prompts": f"{made.dialect.format} format" + (", as the product builds them" if recipe.as_answers else ""),
        "kind": f"LoRA of rank {recipe.rank}, merged" if recipe.rank else "all weights",
        "steps": f"{len(facts['losses'])} of {recipe.batch} records, {recipe.epochs:g} epochs",
        "learning rate": f"{recipe.learning_rate(1, 1):g}, {recipe.warm_up} steps of warm-up at most, no decay",
        "longest record": f"{recipe.max_length} tokens",
        "seed": recipe.seed,
        "data, sha256": data.sha256,
        "made with": ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "accelerate")),
    }
    use = f'rag-dolly ask "..." --model {asked.out.name}'
    page = card.as_markdown(
        card.Card(
            asked.out.resolve().name, base, licence_of(asked.base), data.name, data.licence, lines, asked.command,
            facts["before"], facts["after"], use,
        )
    )  # fmt: skip
    with writing(asked.out / "README.md"):
        (asked.out / "README.md").write_text(page, "utf-8")
    checkpoints.write_json(asked.out / RUN, facts)
