"""The model that is trained: loaded, made to speak Dolly's format if it has none, with a LoRA adapter if asked for.

A model with a chat template keeps it. One with neither gets Dolly's three tokens, in the order in which Dolly added
them, and embeddings of the tokenizer's size, as Dolly's training did.
"""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import BadSetting
from rag_dolly.generate.checkpoint import load_tokenizer, load_weights, quiet
from rag_dolly.generate.dialect import Dialect, eos_ids
from rag_dolly.prompt import END_KEY, INSTRUCTION_KEY, RESPONSE_KEY

if TYPE_CHECKING:
    from rag_dolly.generate.device import Choice

ADDED = (END_KEY, INSTRUCTION_KEY, f"{RESPONSE_KEY}\n")
LORA_ALPHA = 2
"""The adapter's scale, in ranks."""
LORA_DROPOUT = 0.05
INSTALL = 'pip install "rag-dolly[finetune]"'


def load_speech(directory: Path) -> tuple[Any, Dialect, int]:
    """Return the tokenizer, its dialect, and how many tokens were added for Dolly's format. Raises `ModelNotFound`."""
    tokenizer: Any = load_tokenizer(directory)
    configs = [_json(directory / name) for name in ("config.json", "generation_config.json")]
    dialect = Dialect(tokenizer, eos_ids(*configs))
    if dialect.format != "plain":
        return tokenizer, dialect, 0
    from transformers import AddedToken

    make: Any = AddedToken
    added = tokenizer.add_tokens([make(token, special=True, normalized=False) for token in ADDED], special_tokens=True)
    return tokenizer, Dialect(tokenizer, eos_ids(*configs)), int(added)


def load_base(directory: Path, choice: "Choice", tokenizer: Any, added: int) -> Any:
    """Return the model on the processor, in the dtype of `choice`, with rows for the added tokens."""
    import torch

    model: Any = load_weights(directory, choice)
    if added:
        torch.manual_seed(0)  # the new rows are drawn
        with quiet():
            model.resize_token_embeddings(len(tokenizer))
        end = tokenizer.convert_tokens_to_ids(END_KEY)
        model.generation_config.eos_token_id = end
    return model


def with_adapter(model: Any, rank: int, added: int) -> Any:
    """Return the model with a LoRA adapter (Hu et al. 2021) on every linear layer but the output; the rest is frozen.

    Embeddings and output layer are trained too where tokens were added, for what they mean must be learned. Raises
    `BadSetting` if peft is not installed.
    """
    try:
        import peft
    except ImportError as error:
        raise BadSetting(f"--lora needs peft, which is not installed: run `{INSTALL}`.") from error
    embeddings = [_name_of(model, model.get_input_embeddings()), _name_of(model, model.get_output_embeddings())]
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=LORA_ALPHA * rank,
        lora_dropout=LORA_DROPOUT,
        target_modules="all-linear",
        modules_to_save=embeddings if added else None,
        ensure_weight_tying=bool(added and model.config.tie_word_embeddings),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks for activation checkpointing by its old name
        adapted: Any = peft.get_peft_model(model, config)
    return adapted


def save_adapter(model: Any, folder: Path) -> None:
    """Write the adapter alone, as peft reads it."""
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # a form to fill in; ours stands beside it


def merged(model: Any) -> Any:
    """Return the plain model with the adapter's product added to its weights. Raises nothing; memory stays as it is."""
    return model.merge_and_unload()


def _name_of(model: Any, module: Any) -> str:
    name: str = next(name for name, found in model.named_modules() if found is module)
    return name.rpartition(".")[2]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
