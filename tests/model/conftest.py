"""Fixtures over `tiny_models`, and a record of every attempt to reach the network."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from batching import engine_fixture, model_fixture, opened_fixture  # noqa: F401
from tiny_models import (
    CHAT_SPECIALS,
    CHAT_TEMPLATE,
    DOLLY_SPECIALS,
    build_llama,
    build_neox,
    build_tokenizer,
    end_of_turn,
    open_float32,
    over,
    save,
    script,
)

from rag_dolly.generate.checkpoint import load_tokenizer
from rag_dolly.generate.local import LocalPipeline


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny models gain nothing from more threads, and lose much on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def dolly_directory(tmp_path_factory) -> Path:
    tokenizer = build_tokenizer(DOLLY_SPECIALS)
    return save(tmp_path_factory.mktemp("models") / "tiny-dolly", build_neox(len(tokenizer)), tokenizer)


@pytest.fixture(scope="session")
def dolly(dolly_directory) -> LocalPipeline:
    return open_float32(dolly_directory)


@pytest.fixture(scope="session")
def chat(tmp_path_factory) -> LocalPipeline:
    tokenizer = build_tokenizer(CHAT_SPECIALS, chat_template=CHAT_TEMPLATE)
    model = build_llama(len(tokenizer), eos_token_id=end_of_turn(tokenizer))
    return open_float32(save(tmp_path_factory.mktemp("models") / "tiny-chat", model, tokenizer))


@pytest.fixture
def scripted(dolly_directory):
    """Return a function: text and end -> (pipeline, model) that answers any Dolly prompt with exactly that."""

    def make(pieces: list[str] | list[int], end: str | None = "### End") -> LocalPipeline:
        tokenizer = load_tokenizer(dolly_directory)
        answer = [i for p in pieces for i in (tokenizer.encode(p) if isinstance(p, str) else [p])]
        start = tokenizer.convert_tokens_to_ids("### Response:\n")
        chain = [start, *answer, *([tokenizer.convert_tokens_to_ids(end)] if end else [])]
        model = build_neox(len(tokenizer))
        script(model, chain)
        return over("scripted", model.eval(), tokenizer)

    return make


_network_events: list[str] | None = None


def _audit(event: str, _args: object) -> None:
    if _network_events is not None and event in ("socket.connect", "socket.getaddrinfo"):
        _network_events.append(event)


sys.addaudithook(_audit)


@pytest.fixture
def network_events() -> Iterator[list[str]]:
    """Record every look-up and connection that Python attempts, also those that are blocked or swallowed."""
    global _network_events
    _network_events = []
    yield _network_events
    _network_events = None
