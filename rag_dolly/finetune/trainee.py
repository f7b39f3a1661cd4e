"""The devices, and the model on them ready to be trained: float32 weights, bfloat16 arithmetic where it pays."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import BadSetting
from rag_dolly.finetune import base_model, saving
from rag_dolly.finetune.loss import keeps_logits
from rag_dolly.finetune.prepare import Prepared
from rag_dolly.finetune.recipe import Asked, Recipe
from rag_dolly.finetune.training import Trainee

if TYPE_CHECKING:
    from accelerate import Accelerator

    from rag_dolly.generate.device import Choice


def open_devices(device: str | None, recipe: Recipe) -> "tuple[Accelerator, Choice]":
    """Return the devices as accelerate sees them, computing in bfloat16 where the device does."""
    from datetime import timedelta

    from rag_dolly.generate.checkpoint import quiet

    with quiet():  # it imports torchao, which has much to say
        from accelerate import Accelerator
        from accelerate.utils import InitProcessGroupKwargs

    from rag_dolly.generate.device import choose

    choice = choose(device)
    if choice.device.startswith("cuda:"):
        raise BadSetting(f"--device {choice.device}: give cuda, and choose the GPU by CUDA_VISIBLE_DEVICES.")
    choice = choice if choice.dtype == "bfloat16" else replace(choice, dtype="float32")
    accelerator = Accelerator(
        cpu=choice.device == "cpu",
        mixed_precision="bf16" if choice.dtype == "bfloat16" else "no",
        kwargs_handlers=[InitProcessGroupKwargs(timeout=timedelta(hours=6))],
    )
    accelerator.gradient_accumulation_steps = (
        recipe.batch // recipe.micro_for(accelerator.num_processes) // accelerator.num_processes
    )
    return accelerator, choice


def make_trainee(asked: Asked, made: Prepared, accelerator: "Accelerator", choice: "Choice") -> tuple[Trainee, str]:
    """Return the model ready to be trained, and the dtype to save it in: float32 if its base has it, else bfloat16."""
    import torch

    recipe = asked.recipe
    said = json.loads((made.directory / "config.json").read_text("utf-8"))
    stored = "float32" if (said.get("dtype") or said.get("torch_dtype")) == "float32" else "bfloat16"
    is_frozen = bool(recipe.rank) and accelerator.distributed_type.value != "FSDP"  # which wants one dtype for all
    dtype = stored if is_frozen and choice.dtype == "bfloat16" else "float32"  # what is trained is float32
    model = base_model.load_base(made.directory, replace(choice, device="cpu", dtype=dtype), made.tokenizer, made.added)
    can_keep = keeps_logits(model)
    if recipe.checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    if recipe.rank:
        torch.manual_seed(recipe.seed)  # an adapter begins with drawn weights
        model = base_model.with_adapter(model, recipe.rank, made.added)
    optimizer = make_optimizer(model, recipe.learning_rate(0, 1))
    if accelerator.is_main_process:
        total, trained = (
            sum(weight.numel() for weight in weights) for weights in (model.parameters(), _trained(model))
        )
        saving.check_space(asked.out, total, trained, 4 if stored == "float32" else 2)
    if accelerator.distributed_type.value == "DEEPSPEED":
        plugin: Any = accelerator.state.deepspeed_plugin
        plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = recipe.micro_for(accelerator.num_processes)
        plugin.deepspeed_config["gradient_accumulation_steps"] = accelerator.gradient_accumulation_steps
    prepared, optimizer = accelerator.prepare(model, optimizer)
    return Trainee(accelerator, prepared, optimizer, can_keep), stored


def make_optimizer(model: Any, rate: float) -> Any:
    """Return AdamW over what is trained, without weight decay; fused, which is several times faster."""
    import torch

    return torch.optim.AdamW(_trained(model), lr=rate, weight_decay=0.0, fused=True)


def _trained(model: Any) -> list[Any]:
    return [weight for weight in model.parameters() if weight.requires_grad]
