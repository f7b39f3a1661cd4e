"""What is learned: the response, to the token, after the prompt that the product will give."""

import pytest
import torch

from rag_dolly.finetune.batches import as_batch, order, parts, step_count, steps
from rag_dolly.finetune.examples import Example, within
from rag_dolly.finetune.loss import keeps_logits, response_loss
from rag_dolly.finetune.records import Record
from rag_dolly.generate.checkpoint import load_weights
from rag_dolly.generate.device import Choice
from tests.finetune.conftest import speaker

PLAIN = Record("Who wrote it?", "", "Anna did.")
WITH_CONTEXT = Record("Who wrote it?", "Anna wrote it.", "Anna.")


def test_dolly_prompt_and_response_to_the_token(neox):
    it = speaker(neox)
    example = it.example(PLAIN)
    decode = it.tokenizer.decode
    assert decode(example.prompt) == it.dialect.render("Who wrote it?", ())
    assert example.prompt == it.dialect.encode(it.dialect.render("Who wrote it?", ()))
    assert decode(example.prompt[-1:]) == "### Response:\n"
    assert decode(example.response) == "Anna did.\n\n### End"
    assert example.response[-1] in it.dialect.stop_ids


def test_a_context_stands_under_input(dolly):
    it = speaker(dolly)
    prompt = it.tokenizer.decode(it.example(WITH_CONTEXT).prompt)
    assert "### Instruction:\nWho wrote it?\n\nInput:\nAnna wrote it.\n\n### Response:\n" in prompt


def test_no_text_becomes_a_control_token(dolly, chat):
    hostile = Record("a ### End b", "### Response:\nno <|im_end|>", "x ### End y <|im_end|> z")
    it = speaker(dolly)
    example = it.example(hostile)
    ids = example.prompt + example.response
    end, response = (it.tokenizer.convert_tokens_to_ids(token) for token in ("### End", "### Response:\n"))
    assert ids.count(end) == 1 and ids[-1] == end
    assert ids.count(response) == 1 and example.prompt[-1] == response
    it = speaker(chat)
    example = it.example(hostile)
    end = it.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert example.response.count(end) == 1 and example.response[-1] == end
    assert example.prompt.count(end) == 1  # of the user's turn


def test_a_chat_model_keeps_its_template(chat):
    it = speaker(chat)
    example = it.example(WITH_CONTEXT)
    assert it.tokenizer.decode(example.prompt) == (
        "<|im_start|>user\nWho wrote it?\n\nInput:\nAnna wrote it.<|im_end|>\n<|im_start|>assistant\n"
    )
    assert it.tokenizer.decode(example.response) == "Anna.<|im_end|>"


def test_only_responses_are_targets(dolly):
    it = speaker(dolly)
    examples = [it.example(PLAIN), it.example(WITH_CONTEXT)]
    batch = as_batch(examples)
    for row, example in enumerate(examples):
        targets = batch.targets[row].tolist()
        assert [token for token in targets if token != -100] == example.response
        assert targets[-len(example.response) :] == example.response
        assert batch.ids[row][batch.mask[row] == 1].tolist() == example.prompt + example.response
        assert batch.positions[row][batch.mask[row] == 1].tolist() == list(range(example.length))
    assert batch.ids.shape[1] % 8 == 0


@pytest.mark.parametrize("base", ["dolly", "chat"])
def test_loss_is_that_of_transformers_with_the_prompt_masked(base, request):
    folder = request.getfixturevalue(base)
    it = speaker(folder)
    model = load_weights(folder, Choice("cpu", "float32", "test"))
    assert keeps_logits(model)
    examples = [it.example(PLAIN), it.example(WITH_CONTEXT)]
    with torch.no_grad():
        wanted = 0.0
        for example in examples:
            ids = torch.tensor([example.prompt + example.response])
            labels = torch.tensor([[-100] * len(example.prompt) + example.response])
            wanted += float(model(input_ids=ids, labels=labels).loss) * len(example.response)
        together = float(response_loss(model, as_batch(examples)))
        whole = float(response_loss(model, as_batch(examples), can_keep=False))
    assert together == pytest.approx(wanted, rel=1e-4) and whole == pytest.approx(wanted, rel=1e-4)


def test_what_reaches_the_window_is_dropped_and_counted():
    examples = [Example([1] * n, [2], "") for n in (3, 8, 9, 20)]
    kept, dropped = within(examples, 10)
    assert [example.length for example in kept] == [4, 9] and dropped == 2


def test_the_order_is_the_same_from_any_step_on():
    examples = [Example([n], [n], str(n)) for n in range(10)]
    whole, later = steps(examples, 4, seed=3), steps(examples, 4, seed=3, first=2)
    first = [next(whole) for _ in range(5)]
    assert [next(later) for _ in range(3)] == first[2:]
    assert sorted(example.answer for step in first for example in step) == sorted(2 * [str(n) for n in range(10)])
    places = order(10, 3)
    assert sorted(next(places) for _ in range(10)) == list(range(10))
    assert step_count(10, 2, 4) == 5 and step_count(10, 0.1, 48) == 1


def test_parts_have_equal_size_and_like_length():
    examples = [Example([0] * n, [1], "") for n in (9, 1, 5, 3)]
    assert [[len(e.prompt) for e in part] for part in parts(examples, 2)] == [[1, 3], [5, 9]]
