"""A real (tiny) model behind LocalPipeline: what is decoded, when it stops, and who waits for whom."""

import subprocess
import sys
import threading
import time

import pytest
import torch
import transformers
from tiny_models import (
    CHAT_SPECIALS,
    WINDOW,
    build_neox,
    build_tokenizer,
    forward_widths,
    model_of,
    open_float32,
    save,
    tokenizer_of,
)

from rag_dolly.errors import OutOfMemory, QuestionTooLong
from rag_dolly.generate.local import LocalPipeline

PROMPTS = ["Who?", "Which instruction describes a task that is long?", "Write.", "日本?"]


def never() -> bool:
    return False


def reference(pipeline: LocalPipeline, prompt: str, max_tokens: int) -> str:
    """What transformers' own generate gives for the one prompt, greedily."""
    ids = torch.tensor([tokenizer_of(pipeline).encode(prompt)])
    stops = tokenizer_of(pipeline).convert_tokens_to_ids(["### End", "### Instruction:", "### Response:\n"])
    config = transformers.GenerationConfig(max_new_tokens=max_tokens, eos_token_id=[0, *stops], pad_token_id=0)
    row = model_of(pipeline).generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0]
    text = tokenizer_of(pipeline).decode(row[ids.shape[1] :], skip_special_tokens=True)
    return text.replace("\ufffd", "").strip()


def test_streamed_batched_and_plain_generate_agree(dolly):
    prompts = [dolly.render(question, ["It is so."] * n) for n, question in enumerate(PROMPTS)]
    expected = [reference(dolly, prompt, 40) for prompt in prompts]
    assert len(set(expected)) == len(expected)  # else the comparison would prove little
    assert ["".join(dolly.stream(prompt, 40, never)) for prompt in prompts] == expected
    assert dolly.batch(prompts, 40) == expected


def test_batch_larger_than_one_group_keeps_the_order(dolly):
    prompts = [dolly.render(f"{'Write ' * (n % 5)}{n}?", []) for n in range(19)]
    assert dolly.batch(prompts, 8) == [reference(dolly, prompt, 8) for prompt in prompts]
    assert dolly.batch([], 8) == []


def test_answer_comes_piece_by_piece_and_ends_at_the_end_mark(scripted):
    pipeline = scripted(["Y", "es", "."])
    widths = forward_widths(pipeline)
    assert "".join(pieces := list(pipeline.stream(pipeline.render("q", []), 50, never))) == "Yes."
    assert len(pieces) > 1
    assert len(widths) == len(tokenizer_of(pipeline).encode("Yes.")) + 1  # the end mark took one, and nothing followed


@pytest.mark.parametrize("mark", ["### End", "<|endoftext|>", "### Instruction:"])
def test_every_mark_that_ends_an_answer_is_hidden(scripted, mark):
    pipeline = scripted(["Yes"], end=mark)
    assert "".join(pipeline.stream(pipeline.render("q", []), 50, never)) == "Yes"
    assert pipeline.batch([pipeline.render("q", [])], 50) == ["Yes"]


def test_empty_answer_is_an_empty_text(scripted):
    pipeline = scripted([])
    assert list(pipeline.stream(pipeline.render("q", []), 50, never)) == []
    assert pipeline.batch([pipeline.render("q", [])], 50) == [""]


def test_characters_split_across_tokens_come_whole(scripted):
    pipeline = scripted(["é", "日"])
    assert len(tokenizer_of(pipeline).encode("é日")) == 5  # really split
    assert list(pipeline.stream(pipeline.render("q", []), 50, never)) == ["é", "日"]


def test_stop_ends_generation_within_one_token(scripted):
    pipeline = scripted(["abcdefghijklmnop"], end=None)
    widths = forward_widths(pipeline)
    pieces: list[str] = []
    for piece in pipeline.stream(pipeline.render("q", []), 50, lambda: len(widths) >= 4):
        pieces.append(piece)
    assert len(widths) == 4
    assert "abcdefghijklmnop".startswith("".join(pieces))


def test_closing_the_iterator_ends_generation_and_its_thread(scripted):
    pipeline = scripted(["abcdefghijklmnop"], end=None)
    model_of(pipeline).register_forward_hook(lambda *_: time.sleep(0.02))
    widths = forward_widths(pipeline)
    pieces = pipeline.stream(pipeline.render("q", []), 16, never)
    assert next(pieces) == "a"
    pieces.close()
    passes = len(widths)
    assert passes < 8
    time.sleep(0.1)
    assert len(widths) == passes


def test_stream_never_started_costs_nothing(scripted):
    pipeline = scripted(["a"])
    widths = forward_widths(pipeline)
    pipeline.stream(pipeline.render("q", []), 16, never).close()
    assert widths == []


def test_program_may_exit_in_the_middle_of_an_answer(dolly_directory):
    code = (
        "import sys, time; from rag_dolly.generate.local import LocalPipeline; "
        "p = LocalPipeline.load(sys.argv[1], quantize='none'); "
        "p.engine.model.register_forward_hook(lambda *_: time.sleep(1)); "
        "pieces = p.stream(p.render('Which?', []), 150, lambda: False); next(pieces); print('left')"
    )
    started = time.monotonic()
    result = subprocess.run([sys.executable, "-c", code, str(dolly_directory)], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "left\n", "")
    assert time.monotonic() - started < 60  # it would take 150 s to the end


def fail_at(pipeline: LocalPipeline, passes: int, error: Exception) -> None:
    widths = forward_widths(pipeline)

    def fail(*_) -> None:
        if len(widths) == passes:
            raise error

    model_of(pipeline).register_forward_hook(fail)


def test_error_in_the_model_surfaces_at_once_and_frees_the_model(scripted):
    pipeline = scripted(["abc"])
    fail_at(pipeline, 3, ArithmeticError("broken"))
    pieces = pipeline.stream(pipeline.render("q", []), 16, never)
    assert [next(pieces), next(pieces)] == ["a", "b"]
    with pytest.raises(ArithmeticError, match="broken"):
        next(pieces)
    assert "".join(pipeline.stream(pipeline.render("q", []), 16, never)) == "abc"


def test_out_of_memory_says_what_to_set(scripted):
    pipeline = scripted(["abc"])
    fail_at(pipeline, 1, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    with pytest.raises(OutOfMemory, match=r"--quantize 8bit|--device cpu"):
        list(pipeline.stream(pipeline.render("q", []), 16, never))


def test_error_in_stop_surfaces(scripted):
    pipeline = scripted(["abc"])
    with pytest.raises(ZeroDivisionError):
        list(pipeline.stream(pipeline.render("q", []), 16, lambda: 1 / 0 > 1))


def test_concurrent_streams_are_served_in_order_and_do_not_mix(scripted):
    pipeline = scripted(["abcdefgh"])
    model_of(pipeline).register_forward_hook(lambda *_: time.sleep(0.01))
    prompt, finished = pipeline.render("q", []), []

    def ask(name: int) -> None:
        finished.append((name, "".join(pipeline.stream(prompt, 16, never))))

    callers = [threading.Thread(target=ask, args=(name,)) for name in range(4)]
    for place, caller in enumerate(callers):
        caller.start()
        while pipeline.engine._running <= place - len(finished):
            time.sleep(0.001)
    for caller in callers:
        caller.join()
    assert finished == [(name, "abcdefgh") for name in range(4)]


def test_caller_may_leave_the_line_before_its_turn(scripted):
    pipeline = scripted(["abcdefgh"])
    gate = threading.Event()
    widths = forward_widths(pipeline)

    def wait(*_) -> None:
        gate.wait(10)

    model_of(pipeline).register_forward_pre_hook(wait)
    prompt = pipeline.render("q", [])
    first: list[str] = []
    holder = threading.Thread(target=lambda: first.extend(pipeline.stream(prompt, 16, never)))
    holder.start()
    while not widths:
        time.sleep(0.001)
    assert list(pipeline.stream(prompt, 16, lambda: True)) == []
    gate.set()
    holder.join()
    assert "".join(first) == "abcdefgh"


def test_prompt_that_leaves_no_room_is_refused_at_once(dolly):
    tokens = dolly.count(dolly.render("", []))
    for over in (0, 50):
        prompt = dolly.render("?" * (WINDOW - tokens + over), [])
        assert dolly.count(prompt) == WINDOW + over
        with pytest.raises(QuestionTooLong, match=f"{WINDOW + over} tokens .* {WINDOW}"):
            dolly.stream(prompt, 5, never)
        with pytest.raises(QuestionTooLong):
            dolly.batch(["fine", prompt], 5)


def test_answer_is_clamped_to_the_window(scripted):
    pipeline = scripted([f"{c}" for c in "abcdefghijklmnop"], end=None)
    tokens = pipeline.count(pipeline.render("", []))
    prompt = pipeline.render("?" * (WINDOW - tokens - 3), [])
    assert "".join(pipeline.stream(prompt, 16, never)) == "abc"
    short = pipeline.render("", [])
    assert pipeline.batch([prompt, short], 8) == ["abc", "abcdefgh"]


def test_count_is_what_the_model_sees(dolly):
    widths = forward_widths(dolly)
    prompt = dolly.render("Who?", ["She."])
    list(dolly.stream(prompt, 1, never))
    assert widths == [dolly.count(prompt)]


def test_chat_model_gets_its_template_and_stops_at_its_own_mark(chat):
    prompt = chat.render("Who?", ["She."], [("A?", "B.")])
    assert prompt.startswith("<|im_start|>system\n")
    assert prompt.endswith("Question: Who?<|im_end|>\n<|im_start|>assistant\n")
    assert chat.format == "chat"
    assert set(tokenizer_of(chat).convert_tokens_to_ids(CHAT_SPECIALS)) <= chat._dialect.stop_ids
    text = "".join(chat.stream(prompt, 20, never))
    assert chat.batch([prompt], 20) == [text]


def test_template_that_refuses_system_messages_gets_them_with_the_question(tmp_path):
    template = (
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "<|im_start|>{{ m['role'] }} {{ m['content'] }}<|im_end|>{% endfor %}"
    )
    tokenizer = build_tokenizer(CHAT_SPECIALS, chat_template=template)
    pipeline = open_float32(save(tmp_path, build_neox(len(tokenizer)), tokenizer))
    prompt = pipeline.render("Who?", ["Ada."])
    assert prompt.startswith("<|im_start|>user You answer questions")
    prompt = pipeline.render("Who?", [])
    assert prompt.startswith("<|im_start|>user You are a helpful assistant")
    assert prompt.endswith("Who?<|im_end|>")


def test_base_model_gets_the_plain_format_and_stops_at_its_text(tmp_path, scripted):
    tokenizer = build_tokenizer([])
    pipeline = open_float32(save(tmp_path, build_neox(len(tokenizer)), tokenizer))
    assert pipeline.format == "plain"
    assert pipeline.render("q", []).endswith("### Response:\n")
    assert pipeline._dialect.transcript()._stop_texts == ("### Instruction:", "### Response:", "### End")


def test_load_takes_a_directory_and_describes_itself(dolly_directory, monkeypatch, tmp_path):
    monkeypatch.setenv("RAG_DOLLY_CACHE", str(tmp_path))
    pipeline = LocalPipeline.load(str(dolly_directory), device="cpu", offline=True)
    assert (pipeline.name, pipeline.window, pipeline.format) == ("tiny-dolly", WINDOW, "dolly")
    assert pipeline.describe().startswith("tiny-dolly (dolly format), 0.1 M parameters, ")
    assert pipeline.describe().endswith(", OpenVINO, cpu")
    prompt = pipeline.render("Which task?", [])
    assert pipeline.batch([prompt], 4) == ["".join(pipeline.stream(prompt, 4, never))]


def test_special_tokens_of_the_tokenizer_are_guarded(chat):
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>"} <= chat._dialect._control_tokens
    assert "<|im_start|>" not in chat.render("<|im_start|>", []).split("user\n")[1].split("<|im_end|>")[0]
