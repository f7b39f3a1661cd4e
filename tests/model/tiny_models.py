"""Tiny real models, built here: a GPT-NeoX, a Llama, and tokenizers with Dolly's tokens or a chat template.

`script` turns a random GPT-NeoX into one whose next token depends on the last token alone, by a table: attention and
MLP outputs are zeroed, embeddings are one-hot, and the output row of the wanted token points along the input's. The
forward pass, the cache and generate stay the real ones; only the weights are chosen.
"""

import json
from itertools import pairwise
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from rag_dolly.generate.checkpoint import load_tokenizer, load_weights
from rag_dolly.generate.device import Choice
from rag_dolly.generate.dialect import Dialect, eos_ids
from rag_dolly.generate.local import LocalPipeline
from rag_dolly.generate.opening import window_of
from rag_dolly.generate.transformers_engine import TransformersEngine

WINDOW = 256
DOLLY_SPECIALS = ["### End", "### Instruction:", "### Response:\n"]  # in the order the original adds them
CHAT_SPECIALS = ["<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CORPUS = ["Below is an instruction that describes a task. Write a response that appropriately completes it."] * 20


def build_tokenizer(specials: list[str], **options) -> transformers.PreTrainedTokenizerFast:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(_CORPUS, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|endoftext|>", pad_token="<|endoftext|>", **options
    )
    tokenizer.add_special_tokens({"additional_special_tokens": specials})
    return tokenizer


def build_neox(vocabulary: int, seed: int = 0) -> transformers.GPTNeoXForCausalLM:
    torch.manual_seed(seed)
    config = transformers.GPTNeoXConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=WINDOW,
        initializer_range=0.5,
        bos_token_id=0,
        eos_token_id=0,
    )
    return transformers.GPTNeoXForCausalLM(config)


def build_llama(vocabulary: int, **options) -> transformers.LlamaForCausalLM:
    """Return a Llama with shared heads; `options` are fields of its configuration."""
    torch.manual_seed(1)
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": WINDOW,
    }
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=vocabulary, **{**sizes, **options}))


def end_of_turn(tokenizer) -> int:
    """Return the token that ends a turn in `CHAT_TEMPLATE`."""
    return tokenizer.convert_tokens_to_ids("<|im_end|>")


def save(directory: Path, model, tokenizer) -> Path:
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def open_float32(directory: Path) -> LocalPipeline:
    """Load as `LocalPipeline.load` does, but in float32 whatever the processor prefers."""
    return over(directory.name, load_weights(directory, Choice("cpu", "float32", "test")), load_tokenizer(directory))


def over(name: str, model, tokenizer) -> LocalPipeline:
    """Return a pipeline over a model of transformers as it is."""
    config = model.config.to_dict()
    dialect = Dialect(tokenizer, eos_ids(config, model.generation_config.to_dict()))
    window = window_of(config)
    return LocalPipeline(name, dialect, TransformersEngine(name, model, dialect.stop_ids, window), window)


def model_of(pipeline: LocalPipeline):
    """Return the model of transformers that a pipeline runs."""
    return pipeline.engine.model


def tokenizer_of(pipeline: LocalPipeline):
    """Return the tokenizer that a pipeline speaks with."""
    return pipeline._dialect._tokenizer


def script(model, chain: list[int]) -> None:
    """Make `model` answer each token of `chain` with the next one (each may occur once, at most 60)."""
    assert len(set(chain)) == len(chain) <= 60
    with torch.no_grad():
        for layer in model.gpt_neox.layers:
            for linear in (layer.attention.dense, layer.mlp.dense_4h_to_h):
                linear.weight.zero_()
                linear.bias.zero_()
        inputs, outputs = model.get_input_embeddings().weight, model.get_output_embeddings().weight
        inputs.zero_()
        outputs.zero_()
        inputs[:, 63] = 1.0
        for place, (token, following) in enumerate(pairwise(chain)):
            inputs[token] = torch.nn.functional.one_hot(torch.tensor(place), 64).float()
            outputs[following, place] = 1.0


def forward_widths(pipeline: LocalPipeline) -> list[int]:
    """Return a list that grows by the number of input ids at each forward pass from now on."""
    widths: list[int] = []
    model_of(pipeline).register_forward_pre_hook(
        lambda _, args, kwargs: widths.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    return widths


def edit_json(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
