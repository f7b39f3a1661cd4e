"""What the tests of continuous batching share: a model, what is right for it, and a look into the engine."""

import threading
from collections.abc import Callable, Iterator

import pytest
import torch
import transformers
from tiny_models import WINDOW, build_neox

from rag_dolly.generate.continuous import ContinuousBatcher

VOCABULARY = 320
LENGTHS = (3, 200, 17, 100, 1, 64, 33, 130, 90, 16, 15, 48)


def never() -> bool:
    return False


def prompt_of(length: int, seed: int = 0) -> list[int]:
    generator = torch.Generator().manual_seed(1000 * seed + length)
    return torch.randint(10, VOCABULARY, (length,), generator=generator).tolist()


def reference(model, prompt: list[int], max_tokens: int, stop_ids: frozenset[int] = frozenset({0})) -> list[int]:
    """What transformers' own generate gives for the one prompt, greedily."""
    ids = torch.tensor([prompt])
    config = transformers.GenerationConfig(max_new_tokens=max_tokens, eos_token_id=sorted(stop_ids), pad_token_id=0)
    row = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0]
    return row[len(prompt) :].tolist()


def together(engine: ContinuousBatcher, prompts: list[list[int]], max_tokens: int) -> list[list[int] | Exception]:
    """Return what one thread for each prompt gets, all at once."""
    results: list = [None] * len(prompts)

    def ask(place: int) -> None:
        try:
            results[place] = list(engine.tokens(prompts[place], max_tokens, never))
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


def widths_of(model) -> list[int]:
    """Return a list that grows by the number of input ids at each forward pass from now on."""
    widths: list[int] = []
    model.register_forward_pre_hook(lambda _, a, kwargs: widths.append(kwargs["input_ids"].shape[1]), with_kwargs=True)
    return widths


def processor_of(engine: ContinuousBatcher):
    assert engine._session is not None
    return engine._session._manager.batch_processor


def processor_model(engine: ContinuousBatcher):
    """The modules that decode: their hooks are those `model` had at the first request."""
    assert engine._session is not None
    return engine._session._manager.model


def pages_in_use(engine: ContinuousBatcher) -> int:
    """Pages that are neither free nor kept only in case their text comes again."""
    cache = processor_of(engine).cache
    allocator = cache.cache_allocators["full_attention"]
    free = round(cache.compute_free_capacity() * cache.num_blocks)
    return cache.num_blocks - free - len(allocator.ledger.cached_blocks)


def no_thread_is_left() -> bool:
    return not any(thread.name.startswith("rag-dolly-batcher") for thread in threading.enumerate())


@pytest.fixture(name="model")
def model_fixture():
    return build_neox(VOCABULARY).eval()


@pytest.fixture(name="opened")
def opened_fixture() -> Iterator[Callable[..., ContinuousBatcher]]:
    engines = []

    def make(model, stop_ids=frozenset({0}), window=WINDOW, **options) -> ContinuousBatcher:
        engines.append(ContinuousBatcher(model, stop_ids, window, **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
    assert no_thread_is_left()


@pytest.fixture(name="engine")
def engine_fixture(model, opened) -> ContinuousBatcher:
    return opened(model)
