"""Tiny bases and twenty records, made once; training itself is the real one."""

import json
from pathlib import Path

import pytest
import torch

from rag_dolly.finetune.base_model import load_speech
from rag_dolly.finetune.examples import Speaker
from rag_dolly.finetune.recipe import Asked, Recipe
from tests.model.tiny_models import (
    CHAT_SPECIALS,
    CHAT_TEMPLATE,
    DOLLY_SPECIALS,
    build_llama,
    build_neox,
    build_tokenizer,
    end_of_turn,
    save,
)

RECIPE = Recipe(epochs=4, rate=3e-3, batch=4, held_out=2, micro=4, save_every=5)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def neox(tmp_path_factory) -> Path:
    """A GPT-NeoX without Dolly's tokens, as Pythia is; its weights are small enough to learn quickly."""
    tokenizer = build_tokenizer([])
    model = build_neox(len(tokenizer))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(0.1 if weight.dim() > 1 else 1)
    return save(tmp_path_factory.mktemp("bases") / "tiny-neox", model, tokenizer)


@pytest.fixture(scope="session")
def dolly(tmp_path_factory) -> Path:
    tokenizer = build_tokenizer(DOLLY_SPECIALS)
    return save(tmp_path_factory.mktemp("bases") / "tiny-dolly", build_neox(len(tokenizer)), tokenizer)


@pytest.fixture(scope="session")
def chat(tmp_path_factory) -> Path:
    """A Llama with a chat template and tied embeddings."""
    tokenizer = build_tokenizer(CHAT_SPECIALS, chat_template=CHAT_TEMPLATE)
    return save(tmp_path_factory.mktemp("bases") / "tiny-chat", tied_llama(tokenizer), tokenizer)


@pytest.fixture(scope="session")
def tied(tmp_path_factory) -> Path:
    """A Llama with neither a chat template nor Dolly's tokens, and tied embeddings, as SmolLM2's base has them."""
    tokenizer = build_tokenizer(CHAT_SPECIALS)
    return save(tmp_path_factory.mktemp("bases") / "tiny-tied", tied_llama(tokenizer), tokenizer)


def tied_llama(tokenizer):
    return build_llama(len(tokenizer), tie_word_embeddings=True, eos_token_id=end_of_turn(tokenizer))


@pytest.fixture(scope="session")
def twenty(tmp_path_factory) -> Path:
    """Twenty records in the schema of databricks-dolly-15k, every second one with a context."""
    rows = [
        {
            "instruction": f"What is number {n}?",
            "context": "" if n % 2 else f"The thing {n} is blue.",
            "response": f"It is thing {n * 7}",
            "category": "open_qa" if n % 2 else "closed_qa",
        }
        for n in range(20)
    ]
    return write(tmp_path_factory.mktemp("data") / "twenty.jsonl", rows)


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def speaker(base: Path) -> Speaker:
    tokenizer, dialect, _ = load_speech(base)
    return Speaker(tokenizer, dialect)


def asked(data: Path, base: Path, out: Path, recipe: Recipe = RECIPE, **more) -> Asked:
    return Asked(str(data), str(base), out, recipe, device="cpu", offline=True, **more)
