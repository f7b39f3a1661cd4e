"""Continuous batching when callers leave, memory runs out, a model fails, or the program ends."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch
from batching import (
    LENGTHS,
    VOCABULARY,
    never,
    no_thread_is_left,
    pages_in_use,
    processor_model,
    processor_of,
    prompt_of,
    reference,
    together,
    widths_of,
)
from tiny_models import WINDOW

from rag_dolly.errors import OutOfMemory


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
    with pytest.raises(OutOfMemory, match="'tiny' needs"):
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


PROGRAM = """
import signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
sys.path.insert(0, sys.argv[1])
from tiny_models import WINDOW, build_neox
from rag_dolly.generate.continuous import ContinuousBatcher
model = build_neox(320).eval()
model.register_forward_hook(lambda *_: time.sleep(1))
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
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=100)  # the answers would take 150 s to their ends
    assert program.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt")  # Python's own
