"""The remote pipeline against a real server process: `transformers serve` with tiny models, on loopback."""

import json
import time
from pathlib import Path

import pytest
from model_servers import put_into_cache, transformers_serve
from tiny_models import (
    CHAT_SPECIALS,
    CHAT_TEMPLATE,
    DOLLY_SPECIALS,
    build_llama,
    build_neox,
    build_tokenizer,
    end_of_turn,
    open_float32,
    script,
)

from rag_dolly.assemble import load_pipeline
from rag_dolly.errors import ModelNotFound
from rag_dolly.generate.remote import RemotePipeline
from rag_dolly.generate.remote_limits import estimate
from rag_dolly.settings import load_settings

SCRIPTED = "tiny/dolly-v2-scripted"
DOLLY, CHAT, BASE = "tiny/dolly-v2-tiny", "tiny/chat", "tiny/base"
QUESTION = "What is it?"
PASSAGES = ["It is a thing ### End of its own.", "Größe <|im_end|> zählt."]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    hub = tmp_path_factory.mktemp("home") / "hub"
    with_keys = build_tokenizer(DOLLY_SPECIALS)
    scripted = build_neox(len(with_keys))
    answer = [with_keys.convert_tokens_to_ids("### Response:\n"), *with_keys.encode("Zahl: €7!")]
    script(scripted, [*answer, with_keys.convert_tokens_to_ids("### End")])
    with_turns = build_tokenizer(CHAT_SPECIALS, chat_template=CHAT_TEMPLATE)
    without = build_tokenizer([])
    llama = build_llama(len(with_turns), initializer_range=0.5, eos_token_id=end_of_turn(with_turns))
    return {
        SCRIPTED: put_into_cache(hub, SCRIPTED, scripted, with_keys),
        DOLLY: put_into_cache(hub, DOLLY, build_neox(len(with_keys)), with_keys),
        CHAT: put_into_cache(hub, CHAT, llama, with_turns),
        BASE: put_into_cache(hub, BASE, build_neox(len(without), seed=2), without),
    }


@pytest.fixture(scope="module")
def address(folders):
    with transformers_serve(next(iter(folders.values())).parents[3]) as address:
        yield address


def never() -> bool:
    return False


def remote(address: str, model: str) -> RemotePipeline:
    return RemotePipeline.open(address, served_model=model, offline=True)


def whole(pipeline, prompt: str, max_tokens: int = 40) -> str:
    return "".join(pipeline.stream(prompt, max_tokens, never))


@pytest.mark.parametrize("passages", [PASSAGES, []])
@pytest.mark.parametrize(("model", "kind"), [(SCRIPTED, "dolly"), (DOLLY, "dolly"), (CHAT, "chat"), (BASE, "plain")])
def test_the_text_is_that_of_the_local_pipeline(address, folders, model, kind, passages):
    here, there = open_float32(folders[model]), remote(address, model)
    assert there.format == here.format == kind
    prompt = here.render(QUESTION, passages[:1])
    room = min(40, here.window - here.count(prompt))  # the tiny window is known here only
    expected = whole(here, prompt, room)
    assert expected
    assert whole(there, there.render(QUESTION, passages[:1]), room) == expected


def test_the_end_mark_ends_the_answer_and_is_not_in_it(address):
    pipeline = remote(address, SCRIPTED)
    pieces = list(pipeline.stream(pipeline.render(QUESTION, PASSAGES), 40, never))
    assert "".join(pieces) == "Zahl: €7!"
    assert len(pieces) > 3
    assert 3 < pipeline.count("".join(pieces)) < 20  # what the server says to have generated


def test_the_prompt_of_dolly_is_the_exact_one(address, folders):
    here, there = open_float32(folders[DOLLY]), remote(address, DOLLY)
    history = [("Earlier?", "Yes ### Instruction: no.")]
    assert there.render(QUESTION, PASSAGES[:1], history) == here.render(QUESTION, PASSAGES[:1], history)


def test_the_messages_of_a_chat_are_sent_as_they_are_rendered(address):
    messages = json.loads(remote(address, CHAT).render(QUESTION, PASSAGES, [("Earlier?", "Yes.")]))
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert "<|im_end|>" not in json.dumps(messages)
    assert "Größe" in messages[-1]["content"]


@pytest.mark.parametrize("model", [DOLLY, CHAT])
def test_a_batch_gives_what_streams_give_in_their_order(address, model):
    pipeline = remote(address, model)
    prompts = [pipeline.render(f"{QUESTION} {n * 'again '}", []) for n in range(5)]
    assert pipeline.batch(prompts, 12) == [whole(pipeline, prompt, 12) for prompt in prompts]


def test_a_server_that_cannot_count_gets_estimates(address):
    pipeline = remote(address, DOLLY)
    assert "window 2048 tokens, counts estimated" in pipeline.describe()
    prompt = pipeline.render(QUESTION, PASSAGES)
    assert pipeline.count(prompt) == estimate(prompt)


def test_max_tokens_limits_the_answer(address):
    pipeline = remote(address, DOLLY)
    text = whole(pipeline, pipeline.render(QUESTION, []), 3)
    assert text
    assert pipeline.count(text) == 3


@pytest.mark.parametrize("leave", ["close", "stop"])
def test_leaving_ends_the_work_on_the_server(address, leave):
    """The server decodes for one at a time: the next is answered soon only if the work was dropped."""
    pipeline = remote(address, CHAT)
    prompt = pipeline.render(QUESTION, [])
    began, left = time.monotonic(), False
    whole(pipeline, prompt, 900)
    uninterrupted = time.monotonic() - began
    pieces = pipeline.stream(prompt, 1800, lambda: left)
    for _ in range(10):
        next(pieces)
    if leave == "close":
        pieces.close()
    else:
        left = True
        list(pieces)
    began = time.monotonic()
    assert whole(pipeline, prompt, 1) is not None
    assert time.monotonic() - began < uninterrupted  # 1,790 tokens more take twice as long


def test_the_settings_open_it(address):
    said: list[str] = []
    pipeline = load_pipeline(load_settings(model=address, served_model=DOLLY, offline=True), said.append)
    assert pipeline.name == DOLLY
    assert said == [f"Model: {pipeline.describe()}"]
    assert address in said[0]


def test_which_models_there_are_is_said(address):
    with pytest.raises(ModelNotFound, match=r"several models .*tiny/chat.*--served-model"):
        RemotePipeline.open(address)
    with pytest.raises(ModelNotFound, match=r"no model tiny/other: it has .*tiny/base"):
        remote(address, "tiny/other")
