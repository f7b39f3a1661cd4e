"""Prompts as the product builds them: numbered passages, distractors that do not tell, and refusals."""

import shutil
from dataclasses import replace

import pytest

from rag_dolly.answer import REFUSAL
from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.rag_examples import PASSAGES, Prompter, build_examples
from rag_dolly.finetune.records import Record
from rag_dolly.finetune.run import finetune
from rag_dolly.prompt import render_dolly
from tests.fakes import HashingEmbedder
from tests.finetune.conftest import RECIPE, asked, speaker, write
from tests.model.tiny_models import edit_json

TOWNS = ("Aix", "Bonn", "Cork", "Delft", "Essen", "Faro", "Graz", "Hull")
RECORDS = [Record(f"Which river is {it} on?", f"{it} is on the river {it}stream.", f"{it}stream") for it in TOWNS]


def build(base, records=RECORDS, missing=0.0, window=100_000):
    it = speaker(base)
    return it, build_examples(records, it, Prompter("tiny", window, it.dialect), HashingEmbedder(), missing, 1)


@pytest.mark.parametrize("base", ["dolly", "chat"])
def test_right_passage_among_others_as_the_product_renders_it(base, request):
    it, built = build(request.getfixturevalue(base))
    assert len(built.examples) == len(RECORDS) and not built.left_out
    places = set()
    for record, example in zip(RECORDS, built.examples, strict=True):
        prompt = it.tokenizer.decode(example.prompt)
        lines = prompt.splitlines()
        texts = [next(one for one in lines if one.startswith(f"[{n}] "))[4:] for n in range(1, PASSAGES + 1)]
        assert texts.count(record.context) == 1 and len(set(texts)) == PASSAGES
        assert sum(record.response in text for text in texts) == 1
        assert prompt == it.dialect.render(record.instruction, texts)
        assert it.tokenizer.decode(example.response).startswith(record.response)
        places.add(texts.index(record.context))
    assert places == {0}  # the only one that names the town, so the search has it first


def test_where_the_answer_is_missing_the_response_is_the_refusal(dolly):
    it, built = build(dolly, missing=0.5)
    refused = [(r, e) for r, e in zip(RECORDS, built.examples, strict=True) if e.answer == REFUSAL]
    assert 0 < len(refused) < len(RECORDS)
    for record, example in refused:
        assert record.response not in it.tokenizer.decode(example.prompt)
        assert it.tokenizer.decode(example.response) == f"{REFUSAL}\n\n### End"


def test_a_record_that_has_no_answer_keeps_its_passage(dolly):
    silent = Record("Who built Bonn?", RECORDS[1].context, "")
    it, built = build(dolly, [*RECORDS, silent])
    assert built.examples[-1].answer == REFUSAL
    assert silent.context in it.tokenizer.decode(built.examples[-1].prompt)


def test_what_cannot_be_asked_is_left_out_and_counted(dolly):
    more = [Record("Write a poem", "", "Roses"), Record("Sum it up", "Long text.", "Text.", "summarization")]
    _, built = build(dolly, [*RECORDS, *more])
    assert built.left_out == {"without a passage, or a summary": 2}
    _, tight = build(
        dolly, window=len(speaker(dolly).dialect.encode(render_dolly("Which river is Aix on?", []))) * 2 + 20
    )
    assert tight.left_out["passage beyond the window"] > 0
    with pytest.raises(RagDollyError, match="needs records with a passage"):
        build(dolly, more[:1])


def test_a_run_on_such_prompts(chat, tmp_path):
    base = shutil.copytree(chat, tmp_path / "base")
    edit_json(base / "config.json", max_position_embeddings=2048)
    rows = [{"question": r.instruction, "context": r.context, "answers": [r.response]} for r in RECORDS]
    data = write(tmp_path / "qa.jsonl", rows)
    found = finetune(asked(data, base, tmp_path / "out", replace(RECIPE, epochs=1, as_answers=True)))
    assert found.records == len(RECORDS) and not found.left_out
    assert "as the product builds them" in (tmp_path / "out" / "README.md").read_text("utf-8")
