"""Continuous batching on tiny real models: the same tokens as `generate`, for many callers at once, and clean ends."""

import threading
from itertools import accumulate

import pytest
import torch
import transformers
from batching import LENGTHS, VOCABULARY, never, pages_in_use, prompt_of, reference, together, widths_of
from tiny_models import WINDOW

from rag_dolly.generate.paged_attention import _one_by_one
from rag_dolly.generate.paged_manager import can_batch, with_attention


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
