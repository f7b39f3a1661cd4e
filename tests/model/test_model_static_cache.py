"""The static-cache decoder against transformers' own `generate`: the same tokens, fewer passes."""

import random
import shutil

import pytest
import torch
import transformers
from tiny_models import WINDOW, build_llama, build_neox, script

from rag_dolly.generate.decode_step import WIDTH
from rag_dolly.generate.static_cache import StaticDecoder, supports

VOCABULARY = 324
STOPS = frozenset({5, 6})


@pytest.fixture(
    scope="module", params=[lambda: build_neox(VOCABULARY), lambda: build_llama(VOCABULARY)], ids=["neox", "llama"]
)
def model(request):
    return request.param().eval()


@pytest.fixture
def copier():
    """Return a model that answers 100, 101, ... 139, 0, each after the one before, and 100 after 99."""
    model = build_neox(VOCABULARY)
    script(model, [99, *range(100, 140), 0])
    return model.eval()


def generated(model, prompt, max_tokens, stop_ids=frozenset()):
    model.generation_config = transformers.GenerationConfig()  # else its own end would count where none is given
    ids = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        generation_config=transformers.GenerationConfig(
            max_new_tokens=max_tokens, do_sample=False, eos_token_id=sorted(stop_ids) or None, pad_token_id=0
        ),
    )
    return ids[0, len(prompt) :].tolist()


def words(length, seed):
    return random.Random(seed).choices(range(VOCABULARY), k=length)


def forward_widths(model):
    widths = []
    model.register_forward_pre_hook(
        lambda _, args, kwargs: widths.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    return widths


@pytest.mark.parametrize("length", [1, 2, 9, 150, WINDOW - 9, WINDOW - 8, WINDOW - 1])
def test_tokens_equal_those_of_generate_up_to_the_full_window(model, length):
    prompt, room = words(length, seed=length), WINDOW - length
    decoder = StaticDecoder(model, frozenset(), WINDOW)
    expected = generated(model, prompt, room)
    assert len(expected) == room
    assert list(decoder.decode(prompt, room)) == expected
    assert list(decoder.decode(prompt, 1)) == expected[:1]


def test_the_stop_id_that_ends_an_answer_is_the_last_token(model):
    decoded = []
    for seed in range(8):
        prompt = words(30, seed)
        stops = frozenset(generated(model, prompt, 40)[seed : seed + 2])
        decoder = StaticDecoder(model, stops, WINDOW)
        decoded.append(list(decoder.decode(prompt, 40)))
        assert decoded[-1] == generated(model, prompt, 40, stops)
        assert decoded[-1][-1] in stops
    assert len(decoded[0]) == 1


def test_related_and_unrelated_prompts_in_turn_and_one_abandoned_midway(model):
    decoder = StaticDecoder(model, STOPS, WINDOW)
    prompt: list[int] = []
    for seed in range(9):
        kept = random.Random(seed).choice([0, len(prompt) // 2, len(prompt)])
        prompt = [*prompt[:kept], *words(random.Random(seed).randint(1, 60), seed)][:180]
        answer = decoder.decode(prompt, 40)
        expected = generated(model, prompt, 40, STOPS)
        if seed % 3 == 1:
            assert [next(answer) for _ in expected[:5]] == expected[:5]
            answer.close()
        else:
            assert list(answer) == expected
        prompt += expected


def test_only_what_differs_from_the_last_prompt_and_answer_is_read():
    model = build_neox(VOCABULARY).eval()
    decoder = StaticDecoder(model, frozenset(), WINDOW)
    widths = forward_widths(model)
    prompt = words(100, seed=1)
    answer = list(decoder.decode(prompt, 20))
    assert widths[0] == 100
    for following, unread in [
        ([*prompt, *answer, 1, 2, 3], 4),  # the last token of the answer was never read
        ([*prompt, *answer, 1, 2, 3], 1),
        ([*prompt[:60], 320, 321], 2),
        (words(50, seed=2), 50),
    ]:
        widths.clear()
        assert list(decoder.decode(following, 1)) == generated(model, following, 1)
        assert widths[0] == unread


def test_nothing_happens_before_the_first_token_is_asked_for_and_little_after_closing():
    model = build_neox(VOCABULARY).eval()
    widths = forward_widths(model)
    answer = StaticDecoder(model, frozenset(), WINDOW).decode(words(20, seed=3), 100)
    assert widths == []
    next(answer)
    answer.close()
    assert len(widths) <= 3


def test_an_answer_that_copies_from_the_prompt_takes_far_fewer_passes(copier):
    prompt = [1, 2, *range(100, 140), 0, 3, 99]
    expected = generated(copier, prompt, 60, frozenset({0}))
    assert expected == [*range(100, 140), 0]
    decoder = StaticDecoder(copier, frozenset({0}), WINDOW)
    widths = forward_widths(copier)
    assert list(decoder.decode(prompt, 60)) == expected
    assert decoder.accepted > 30
    assert widths.count(WIDTH) >= 5 and len(widths) < 12


def test_without_lookup_every_token_is_a_pass_of_its_own(copier):
    prompt = [1, 2, *range(100, 140), 0, 3, 99]
    decoder = StaticDecoder(copier, frozenset({0}), WINDOW, lookup=False)
    decoder.warm()
    widths = forward_widths(copier)
    assert list(decoder.decode(prompt, 60)) == [*range(100, 140), 0]
    assert (set(widths[1:]), decoder.drafted) == ({1}, 0)
    assert decoder.describe() == "static cache of 256 tokens"


@pytest.mark.parametrize("max_tokens", range(1, 24))
def test_a_guess_never_gives_more_tokens_than_asked_for(copier, max_tokens):
    decoder = StaticDecoder(copier, frozenset(), WINDOW)
    expected = list(range(100, 140))[:max_tokens]
    assert list(decoder.decode([*range(100, 140), 99], max_tokens)) == expected


def test_guesses_up_to_the_very_end_of_the_window_stay_within_it(copier):
    decoder = StaticDecoder(copier, frozenset(), 72)
    assert list(decoder.decode([*range(100, 140), 99], 31)) == list(range(100, 131))
    assert decoder.accepted > 0


def test_guesses_that_are_wrong_cost_little_and_change_nothing(copier):
    decoys = [token for first in range(100, 139) for token in (first, first + 1, 7)]
    prompt = [*decoys, 99]
    decoder = StaticDecoder(copier, frozenset({0}), WINDOW)
    widths = forward_widths(copier)
    assert list(decoder.decode(prompt, 60)) == [*range(100, 140), 0]
    assert (decoder.accepted, 0 < widths.count(WIDTH) <= 6) == (0, True)


def test_repeated_prompts_are_guessed_at_and_still_exact(model):
    decoder = StaticDecoder(model, STOPS, WINDOW)
    for seed in range(5):
        prompt = words(20, seed) * 3
        assert list(decoder.decode(prompt, 60)) == generated(model, prompt, 60, STOPS)
    assert decoder.drafted > 0


def test_warming_measures_and_leaves_no_trace(model):
    decoder = StaticDecoder(model, STOPS, WINDOW)
    prompt = words(40, seed=9)
    expected = generated(model, prompt, 50, STOPS)
    assert list(decoder.decode(prompt, 50)) == expected
    assert decoder.warm() > 0
    assert list(decoder.decode(prompt, 50)) == expected
    assert decoder.describe() == "static cache of 256 tokens, prompt lookup"


@pytest.fixture(scope="module")
def long_model():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.GPTNeoXConfig(
        vocab_size=64, max_position_embeddings=2200, initializer_range=0.5, bos_token_id=0, eos_token_id=0, **shape
    )
    return transformers.GPTNeoXForCausalLM(config).eval()


def test_a_long_window_is_read_in_pieces_and_attended_to_in_lengths(long_model):
    decoder = StaticDecoder(long_model, frozenset(), 2200)
    for length in (2030, 2047, 2100):
        prompt = random.Random(length).choices(range(64), k=length)
        assert list(decoder.decode(prompt, 40)) == generated(long_model, prompt, 40)


def test_a_prompt_that_failed_half_way_leaves_nothing_behind(long_model):
    decoder = StaticDecoder(long_model, frozenset(), 2200)
    prompt = random.Random(1).choices(range(64), k=50)
    expected = generated(long_model, prompt, 20)
    assert list(decoder.decode(prompt, 20)) == expected
    broken = [*random.Random(2).choices(range(64), k=2100), 64]  # the second piece has a token that is none
    with pytest.raises(IndexError):
        next(decoder.decode(broken, 5))
    assert list(decoder.decode(prompt, 20)) == expected


def test_a_second_prompt_in_the_midst_of_a_first_one_is_an_error_for_the_first(model):
    decoder = StaticDecoder(model, frozenset(), WINDOW)
    first = decoder.decode(words(10, seed=1), 20)
    next(first)
    prompt = words(10, seed=2)
    assert list(decoder.decode(prompt, 20)) == generated(model, prompt, 20)
    with pytest.raises(RuntimeError, match="another prompt"):
        list(first)


@pytest.mark.parametrize(("prompt", "max_tokens"), [([], 5), ([1], 0), ([1] * 250, 7), ([1] * 300, 1)])
def test_what_does_not_fit_the_window_is_refused(model, prompt, max_tokens):
    with pytest.raises(ValueError, match="within 256 tokens"):
        next(StaticDecoder(model, frozenset(), WINDOW).decode(prompt, max_tokens))


def test_sliding_windows_are_masked_and_rewound():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = transformers.MistralConfig(vocab_size=VOCABULARY, intermediate_size=64, sliding_window=16, **shape)
    model = transformers.MistralForCausalLM(config).eval()
    decoder = StaticDecoder(model, frozenset(), WINDOW)
    prompt = words(50, seed=4)
    for following in (prompt, [*prompt[:20], *words(60, seed=5)]):
        assert list(decoder.decode(following, 60)) == generated(model, following, 60)


def test_models_it_cannot_decode_are_named_before_they_are_tried():
    dynamic = build_llama(VOCABULARY, rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0})
    shape = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 1}
    recurrent = transformers.MambaForCausalLM(transformers.MambaConfig(**shape))
    flat = {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 4}
    two_sided = transformers.T5ForConditionalGeneration(transformers.T5Config(vocab_size=VOCABULARY, **flat))
    assert [supports(each) for each in (dynamic, recurrent, two_sided)] == [False, False, False]
    with pytest.raises(ValueError, match="MambaForCausalLM"):
        StaticDecoder(recurrent, STOPS, WINDOW)


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
def test_compiled_passes_give_the_same_tokens():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.GPTNeoXConfig(vocab_size=VOCABULARY, initializer_range=0.5, **shape)
    model = transformers.GPTNeoXForCausalLM(config).eval()
    decoder = StaticDecoder(model, STOPS, 64, compiled=True)
    assert decoder.describe() == "static cache of 64 tokens, compiled, prompt lookup"
    with torch._inductor.config.patch(compile_threads=1):  # as many processes as processors would only get in the way
        decoder.warm()
    for seed in range(3):
        prompt = words(8, seed) * 2
        assert list(decoder.decode(prompt, 48)) == generated(model, prompt, 48, STOPS)
    assert decoder.drafted > 0
