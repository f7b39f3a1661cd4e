"""The trained weights, wherever they are, to one plain model on disk, with the adapter beside it."""

from typing import Any

from rag_dolly.finetune import base_model, saving
from rag_dolly.finetune.disk import writing
from rag_dolly.finetune.prepare import Prepared
from rag_dolly.finetune.recipe import Asked
from rag_dolly.finetune.training import Trainee


def save_all(asked: Asked, made: Prepared, trainee: Trainee, stored: str) -> None:
    """Write the adapter, if there is one, and the plain model. Every process takes part where the model is sharded."""
    accelerator = trainee.accelerator
    model = accelerator.unwrap_model(trainee.model)
    is_sharded = accelerator.distributed_type.value in ("FSDP", "DEEPSPEED")
    weights = accelerator.get_state_dict(trainee.model) if is_sharded else None
    if not accelerator.is_main_process:
        return
    if is_sharded:
        model, weights = _put_together(asked, made, weights), None
    if asked.recipe.rank:
        with writing(asked.out):
            base_model.save_adapter(model, asked.out / saving.ADAPTER)
        model = base_model.merged(model)
    saving.save_model(model, made.tokenizer, asked.out, stored)


def _put_together(asked: Asked, made: Prepared, weights: Any) -> Any:
    """Return a model that is on the processor, whole, with the weights gathered from all devices."""
    from rag_dolly.generate.device import Choice

    model = base_model.load_base(made.directory, Choice("cpu", "float32", ""), made.tokenizer, made.added)
    if asked.recipe.rank:
        model = base_model.with_adapter(model, asked.recipe.rank, made.added)
    model.load_state_dict(weights)
    return model
