"""Continuous batching on tiny real models: the same tokens as `generate`, for many callers at once, and clean ends."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import psutil
import pytest
import torch
import transformers
from tiny_models import WINDOW, build_neox

from rag_dolly.errors import OutOfMemory
from rag_dolly.generate.continuous import ContinuousBatcher
from rag_dolly.generate.paged_attention import _one_by_one
from rag_dolly.generate.paged_manager import can_batch, with_attention

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


@pytest.fixture
def model():
    return build_neox(VOCABULARY).eval()


@pytest.fixture
def opened() -> Iterator[Callable[..., ContinuousBatcher]]:
    engines = []

    def make(model, stop_ids=frozenset({0}), window=WINDOW, **options) -> ContinuousBatcher:
        engines.append(ContinuousBatcher(model, stop_ids, window, **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
    assert no_thread_is_left()


@pytest.fixture
def engine(model, opened) -> ContinuousBatcher:
    return opened(model)


def test_tokens_are_those_of_generate_alone_and_together(model, engine):
    prompts = [prompt_of(length) for length in LENGTHS]
    expected = [reference(model, prompt, 40) for prompt in prompts]
    assert len({tuple(tokens) for tokens in expected}) == len(prompts)  # else the comparison would prove little
    assert list(engine.tokens(prompts[3], 40, never)) == expected[3]
    assert together(engine, prompts, 40) == expected
    assert engine.batch(prompts, [40] * len(prompts)) == expected
    assert pages_in_use(engine) == 0


def test_whole_window_one_token_and_none(model, engine):
    for length, room in ((WINDOW - 56, 56), (WINDOW - 1, 1), (1, WINDOW - 1)):
        assert list(engine.tokens(prompt_of(length), room, never)) == reference(model, prompt_of(length), room)
    assert list(engine.tokens(prompt_of(9), 0, never)) == []
    expected = [reference(model, prompt_of(9), 3), [], reference(model, prompt_of(5), 1)]
    assert engine.batch([prompt_of(9), prompt_of(9), prompt_of(5)], [3, 0, 1]) == expected
    assert engine.batch([], []) == []


def test_prompts_longer_than_a_step_are_read_in_pieces(model, opened):
    engine = opened(model, window=4 * WINDOW)
    widths = widths_of(model)
    prompts = [prompt_of(length) for length in (700, 530, 513, 20)]
    assert together(engine, prompts, 20) == [reference(model, prompt, 20) for prompt in prompts]
    assert max(widths) == 700  # the reference
    assert 512 in widths and len([width for width in widths if width > 512]) == 3


def test_each_token_attends_to_its_own_past_and_to_nothing_else():
    new, kept, size = [1, 5, 7], [9, 5, 12], 8  # a token, a whole prompt, a later piece of one
    query, key, value = (torch.randn(1, 2, sum(count), size) for count in (new, kept, kept))
    bounds = {f"cu_seq_lens_{n}": torch.tensor([0, *accumulate(c)]) for n, c in (("q", new), ("k", kept))}
    found = _one_by_one(torch.nn.Module(), query, key, value, 0.3, bounds)
    row = 0
    for count, length, end in zip(new, kept, accumulate(kept), strict=True):
        for past in range(end - count + 1, end + 1):
            seen = slice(end - length, past)
            weights = torch.softmax(0.3 * query[0, :, row, None] @ key[0, :, seen].transpose(1, 2), dim=-1)
            torch.testing.assert_close(found[0, row], (weights @ value[0, :, seen])[:, 0])
            row += 1


def test_any_stop_id_ends_an_answer_and_is_its_last_token(model, opened):
    prompts = [prompt_of(length) for length in (20, 30)]
    whole = [reference(model, prompt, 40) for prompt in prompts]
    stops = frozenset({0, whole[0][11], whole[1][23]})
    expected = [reference(model, prompt, 40, stops) for prompt in prompts]
    assert all(tokens[-1] in stops and len(tokens) < 40 for tokens in expected)
    engine = opened(model, stops)
    assert together(engine, prompts, 40) == expected


@pytest.mark.parametrize(("family", "window"), [("llama", None), ("mistral", 32)])
def test_models_with_grouped_heads_and_with_a_sliding_window(family, window, opened):
    config = transformers.AutoConfig.for_model(
        family,
        sliding_window=window,
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=WINDOW,
        initializer_range=0.5,
    )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    engine = opened(model, frozenset({2}))
    prompts = [prompt_of(length) for length in (5, 70, 120)]
    assert together(engine, prompts, 30) == [reference(model, prompt, 30, frozenset({2})) for prompt in prompts]


def test_closed_iterator_leaves_nothing_running_and_the_others_alone(model, engine):
    model.register_forward_hook(lambda *_: time.sleep(0.005))
    widths = widths_of(model)
    long, other = prompt_of(40), prompt_of(50)
    results: list = []
    neighbour = threading.Thread(target=lambda: results.extend(engine.tokens(other, 60, never)))
    leaver = engine.tokens(long, 200, never)
    began = [next(leaver) for _ in range(3)]
    neighbour.start()
    began += [next(leaver) for _ in range(3)]
    leaver.close()
    assert len(processor_of(engine).scheduler.active_requests) <= 1
    neighbour.join(60)
    assert began == reference(model, long, 200)[:6]
    assert results == reference(model, other, 60)
    assert pages_in_use(engine) == 0
    passes = len(widths)
    time.sleep(0.1)
    assert len(widths) == passes


def test_decoding_ends_within_one_token_after_ended_turns_true(model, engine):
    widths = widths_of(model)
    got = list(engine.tokens(prompt_of(40), 200, lambda: len(widths) >= 5))
    assert len(widths) == 5
    assert got == reference(model, prompt_of(40), 5)
    assert pages_in_use(engine) == 0


def test_request_that_ended_before_it_began_starts_no_thread(model, engine):
    widths = widths_of(model)
    assert list(engine.tokens(prompt_of(40), 200, lambda: True)) == []
    engine.tokens(prompt_of(40), 200, never).close()
    assert widths == [] and no_thread_is_left()


def test_error_of_one_caller_reaches_that_caller_only(model, engine):
    def broken() -> bool:
        raise LookupError("mine")

    stream = engine.tokens(prompt_of(30), 60, never)
    first = next(stream)
    with pytest.raises(LookupError, match="mine"):
        list(engine.tokens(prompt_of(40), 50, broken))
    assert [first, *stream] == reference(model, prompt_of(30), 60)


def test_ten_at_once_all_begin_before_any_ends(model, opened):
    engine = opened(model, frozenset({VOCABULARY}))  # an id that no answer has: they are all long
    model.register_forward_hook(lambda *_: time.sleep(0.005))
    events: list[str] = []

    def ask(place: int) -> None:
        stream = engine.tokens(prompt_of(150, place), 100, never)
        next(stream)
        events.append("begin")
        list(stream)
        events.append("end")

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert events == ["begin"] * 10 + ["end"] * 10


def test_common_beginning_is_computed_once(model, engine):
    common = prompt_of(100)
    asked = [common + prompt_of(20, seed) for seed in (1, 2)]
    list(engine.tokens(asked[0], 4, never))
    widths = widths_of(processor_model(engine))
    assert list(engine.tokens(asked[1], 4, never)) == reference(model, asked[1], 4)
    assert widths[0] == 120 - 96  # six pages of sixteen were there


def test_more_than_fits_is_served_all_the_same(model, opened):
    answers, share = 8, 1.6e6 / psutil.virtual_memory().available
    engine = opened(model, share=share)
    prompts = [prompt_of(120, seed) for seed in range(answers)]
    assert together(engine, prompts, 80) == [reference(model, prompt, 80) for prompt in prompts]
    assert WINDOW <= processor_of(engine).cache.num_blocks * 16 < answers * 200 / 2


def test_no_room_for_one_window_is_out_of_memory(model, opened):
    engine = opened(model, share=1e-7, name="tiny")
    with pytest.raises(OutOfMemory, match="'tiny' does not fit"):
        list(engine.tokens(prompt_of(9), 9, never))
    assert no_thread_is_left()


@pytest.mark.parametrize(
    ("raised", "seen"), [(RuntimeError("broken"), RuntimeError), (torch.OutOfMemoryError("full"), OutOfMemory)]
)
def test_error_while_decoding_reaches_all_and_the_next_request_works(model, engine, raised, seen, capfd):
    passes: list[int] = []

    def fail(*_) -> None:
        passes.append(1)
        time.sleep(0.01)
        if len(passes) == 8:
            raise raised

    hook = model.register_forward_pre_hook(fail)
    results = together(engine, [prompt_of(length) for length in LENGTHS], 100)
    assert [type(result) for result in results] == [seen] * len(LENGTHS)
    hook.remove()
    assert list(engine.tokens(prompt_of(9), 9, never)) == reference(model, prompt_of(9), 9)
    assert pages_in_use(engine) == 0
    assert capfd.readouterr() == ("", "")


def test_close_ends_the_answers_under_way(model, engine):
    model.register_forward_hook(lambda *_: time.sleep(0.01))
    stream = engine.tokens(prompt_of(40), 200, never)
    next(stream)
    engine.close()
    assert len(list(stream)) < 100
    assert no_thread_is_left()
    with pytest.raises(RuntimeError, match="closed"):
        next(engine.tokens(prompt_of(40), 200, never))


def test_model_is_not_changed_and_decodes_elsewhere_meanwhile(model, opened):
    model.set_attn_implementation("eager")  # not an attention for batching: it takes new modules, over the same weights
    engine = opened(model)
    expected = reference(model, prompt_of(50), 100)
    results: list = []
    batched = threading.Thread(target=lambda: results.append(together(engine, [prompt_of(50)] * 4, 100)))
    batched.start()
    while batched.is_alive():
        assert reference(model, prompt_of(50), 100) == expected
    assert results == [[expected] * 4]
    assert model.config._attn_implementation == "eager"
    twin = with_attention(model, "sdpa")
    assert all(a is b for a, b in zip(model.parameters(), twin.parameters(), strict=True))


def test_which_models_can_be_batched(model):
    assert can_batch(model)
    model.config.layer_types = ["full_attention", "linear_attention"]
    assert not can_batch(model)


PROGRAM = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
from tiny_models import WINDOW, build_neox
from rag_dolly.generate.continuous import ContinuousBatcher
model = build_neox(320).eval()
model.register_forward_hook(lambda *_: time.sleep(0.2))
engine = ContinuousBatcher(model, frozenset({0}), WINDOW)
ask = lambda: list(engine.tokens(list(range(10, 90)), 150, lambda: False))
stream = engine.tokens(list(range(10, 60)), 150, lambda: False)
next(stream)
threading.Thread(target=ask).start()
print("left", flush=True)
list(stream)
"""


def test_interrupted_program_ends_though_answers_are_under_way():
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stdout.readline() == "left\n"
        started = time.monotonic()
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=60)
    assert time.monotonic() - started < 15  # the answers would take 30 s to their ends
    assert program.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt")  # Python's own
