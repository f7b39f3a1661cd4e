"""LoRA: the merged model says what base and adapter say together."""

from dataclasses import replace

import pytest
import torch

from rag_dolly.finetune.base_model import load_base, load_speech
from rag_dolly.finetune.records import Record
from rag_dolly.finetune.run import finetune
from rag_dolly.generate.checkpoint import load_weights
from rag_dolly.generate.device import Choice
from tests.finetune.conftest import RECIPE, asked, speaker

peft = pytest.importorskip("peft")
FLOAT32 = Choice("cpu", "float32", "test")


@pytest.mark.parametrize("name", ["dolly", "neox", "chat", "tied"])
def test_merged_equals_base_with_adapter(name, request, twenty, tmp_path):
    base, out = request.getfixturevalue(name), tmp_path / "out"
    recipe = replace(RECIPE, rank=4, rate=1e-2, epochs=2)
    found = finetune(asked(twenty, base, out, recipe))
    assert found.after.loss < found.before.loss
    tokenizer, _, added = load_speech(base)
    assert added == (3 if name in ("neox", "tied") else 0)
    plain = load_base(base, FLOAT32, tokenizer, added)
    example = speaker(out).example(Record("What is number 3?", "", "x"))
    ids = torch.tensor([example.prompt])
    with torch.no_grad():
        before = plain(input_ids=ids).logits
        adapted = peft.PeftModel.from_pretrained(plain, out / "adapter").eval()(input_ids=ids).logits
        merged = load_weights(out, FLOAT32)(input_ids=ids).logits
    assert (merged - before).abs().max() > 0.1
    torch.testing.assert_close(merged, adapted, atol=5e-3, rtol=1e-2)
