"""The processor's engine: the tokens of transformers' own generate, many together, cancelled; each family's graph."""

import threading
import time

import pytest
import torch
import transformers
from tiny_models import DOLLY_SPECIALS, WINDOW, build_llama, build_neox, build_tokenizer, save, script

from rag_dolly.errors import OutOfMemory
from rag_dolly.generate import openvino_engine, openvino_graph
from rag_dolly.generate.openvino_files import tensors

pytestmark = pytest.mark.skipif(not openvino_engine.available(), reason="OpenVINO GenAI is not installed")
STOPS = frozenset({0})


def neox(**options) -> transformers.PreTrainedModel:
    model = build_neox(320)
    config = transformers.GPTNeoXConfig(**{**model.config.to_dict(), **options})
    torch.manual_seed(2)
    return transformers.GPTNeoXForCausalLM(config).eval()


MODELS = {
    "dolly": lambda: neox(),
    "rotated whole, in sequence": lambda: neox(
        rope_parameters={"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 1.0},
        use_parallel_residual=False,
    ),
    "llama": lambda: build_llama(320, num_key_value_heads=4).eval(),
    "llama, shared heads and words": lambda: build_llama(320, tie_word_embeddings=True, rope_theta=900.0).eval(),
}


def open_exact(model, directory, stop_ids=STOPS) -> openvino_engine.OpenVinoEngine:
    config = model.config.to_dict()
    assert openvino_graph.supported(config)
    path = directory / "openvino_model.xml"
    openvino_graph.write(path, config, tensors(model), exact=True)
    return openvino_engine.OpenVinoEngine(path, "exact", stop_ids, 8 * WINDOW, exact=True)


def reference(model, prompt: list[int], max_tokens: int, stop_ids=STOPS) -> list[int]:
    ids = torch.tensor([prompt])
    config = transformers.GenerationConfig(max_new_tokens=max_tokens, eos_token_id=sorted(stop_ids), pad_token_id=0)
    return model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0, len(prompt) :].tolist()


def prompts(count: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(3)
    lengths = [1, 2, 31, 32, 33, 64, 100, 200]
    return [torch.randint(1, 320, (lengths[n % 8],), generator=generator).tolist() for n in range(count)]


@pytest.mark.parametrize("kind", MODELS)
def test_tokens_are_those_of_generate(kind, tmp_path):
    model = MODELS[kind]()
    engine = open_exact(model, tmp_path)
    asked = prompts(8)
    expected = [reference(model, prompt, 40) for prompt in asked]
    assert len({tuple(row) for row in expected}) == len(expected)
    assert [list(engine.tokens(prompt, 40, lambda: False)) for prompt in asked] == expected
    assert [list(engine.tokens(prompt, 40, lambda: False)) for prompt in asked] == expected  # from kept prefixes
    assert engine.batch(asked, [40] * 8) == expected
    engine.close()


@pytest.fixture(scope="module")
def dolly_engine(tmp_path_factory):
    model = MODELS["dolly"]()
    engine = open_exact(model, tmp_path_factory.mktemp("openvino"))
    yield model, engine
    engine.close()


def test_full_window_and_single_tokens(dolly_engine):
    model, engine = dolly_engine
    prompt = prompts(8)[7]
    assert list(engine.tokens(prompt, WINDOW - 200, lambda: False)) == reference(model, prompt, WINDOW - 200)
    assert list(engine.tokens(prompt, 1, lambda: False)) == reference(model, prompt, 1)
    assert list(engine.tokens(prompt, 0, lambda: False)) == []
    assert engine.batch([prompt, [5], [6]], [1, 0, 3]) == [
        reference(model, prompt, 1),
        [],
        reference(model, [6], 3),
    ]


def test_many_threads_at_once(dolly_engine):
    model, engine = dolly_engine
    asked = prompts(12)
    found: dict[int, list[int]] = {}

    def ask(n: int) -> None:
        found[n] = list(engine.tokens(asked[n], 30, lambda: False))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(12)] == [reference(model, prompt, 30) for prompt in asked]


def test_stop_id_is_the_last_token(tmp_path):
    model = build_neox(320)
    script(model, [10, 11, 12, 13, 14])
    engine = open_exact(model.eval(), tmp_path, frozenset({13, 0}))
    assert list(engine.tokens([10], 20, lambda: False)) == [11, 12, 13]
    assert list(engine.tokens([12], 20, lambda: False)) == [13]
    assert engine.batch([[10], [11]], [20, 1]) == [[11, 12, 13], [12]]
    engine.close()


def test_closing_or_ending_frees_the_model_for_the_next(dolly_engine):
    model, engine = dolly_engine
    long, short = [7], prompts(3)[2]
    started = engine.tokens(long, WINDOW - 2, lambda: False)
    first = next(started)
    started.close()
    assert first == reference(model, long, 1)[0]
    got: list[int] = []
    for token in engine.tokens(long, WINDOW - 2, lambda: bool(got)):
        got.append(token)
    assert len(got) < WINDOW - 2
    assert list(engine.tokens(long, 20, lambda: True)) == []
    assert list(engine.tokens(short, 20, lambda: False)) == reference(model, short, 20)
    deadline = time.monotonic() + 10
    while engine._pipeline.has_non_finished_requests() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not engine._pipeline.has_non_finished_requests()


def test_eight_bits_choose_nearly_the_same_words(tmp_path):
    """Of a random model, whose likeliest tokens lie close together."""
    model = neox(hidden_size=128)
    path = tmp_path / "openvino_model.xml"
    openvino_graph.write(path, model.config.to_dict(), tensors(model))
    engine = openvino_engine.OpenVinoEngine(path, "8-bit weights", STOPS, 8 * WINDOW)
    asked = prompts(24)
    expected = [reference(model, prompt, 1) for prompt in asked]
    assert sum(a == b for a, b in zip(engine.batch(asked, [1] * 24), expected, strict=True)) >= 20
    assert "8-bit" in engine.describe()
    engine.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "gpt2"},
        {"hidden_act": "relu"},
        {"rope_parameters": {"rope_type": "yarn"}},
        {"attention_bias": False},
        {"quantization_config": {"bits": 4}},
    ],
)
def test_model_that_the_graph_does_not_know_is_left_to_transformers(changes):
    assert not openvino_graph.supported({**neox().config.to_dict(), **changes})


def test_a_checkpoint_is_written_once_and_again_when_it_changes(tmp_path, monkeypatch):
    from rag_dolly.generate.local import LocalPipeline

    monkeypatch.setenv("RAG_DOLLY_CACHE", str(tmp_path / "cache"))
    tokenizer = build_tokenizer(DOLLY_SPECIALS)
    folder = save(tmp_path / "tiny", build_neox(len(tokenizer)), tokenizer)
    said: list[str] = []

    def answer() -> str:
        pipeline = LocalPipeline.load(str(folder), device="cpu", on_message=said.append)
        assert "OpenVINO" in pipeline.describe()
        text = "".join(pipeline.stream(pipeline.render("Which?", []), 8, lambda: False))
        pipeline.engine.close()
        return text

    first = answer()
    assert [line.split()[0] for line in said] == ["writing", "Memory:"]
    said.clear()
    assert (answer(), [line.split()[0] for line in said]) == (first, ["Memory:"])
    (kept,) = (path for path in (tmp_path / "cache" / "models").iterdir() if path.is_dir())
    (kept / "openvino_model.bin").write_bytes(b"cut")
    assert (answer(), said[1].split()[0]) == (first, "writing")
    save(folder, build_neox(len(tokenizer), seed=5), tokenizer)
    assert answer() != first
    assert len([path for path in (tmp_path / "cache" / "models").iterdir() if path.is_dir()]) == 1


def test_model_that_does_not_fit_is_refused():
    from rag_dolly.generate.opening import check_room

    check_room("m", free=8_000_000_000, need=3_000_000_000, making=8_000_000_000)
    for need, making in ((9_000_000_000, 0), (3_000_000_000, 9_000_000_000)):
        with pytest.raises(OutOfMemory, match=r"8\.0 GB are free: .* smaller --model"):
            check_room("m", 8_000_000_000, need, making)


def test_cache_holds_a_window_and_no_more_than_its_bytes():
    dolly_12b = 2 * 36 * 5120
    assert openvino_engine.cache_tokens(2048, 11_520) == openvino_engine.CACHE_TOKENS
    assert openvino_engine.cache_tokens(2048, dolly_12b) == 1_000_000_000 // dolly_12b
    assert openvino_engine.cache_tokens(2048, 10_000_000) == 2048 + openvino_engine.CHUNK
    assert openvino_engine.cache_tokens(131_072, 10_000_000) == 8192 + openvino_engine.CHUNK
