"""The embedder: hard negatives from the index, a result that is used by name, and none that is worse."""

import json

import numpy as np
import pytest

from ingest import ingest_folder
from ingest.embed import open_embedder
from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.embedder_run import EmbedderAsked, finetune_embedder, refuse_worse, split
from rag_dolly.finetune.embedder_training import ranking_loss, steps
from rag_dolly.finetune.hard_negatives import Triple, mine, open_searches
from rag_dolly.finetune.records import Record
from rag_dolly.finetune.shelf import Shelf
from tests.finetune.conftest import write

TOWNS = ("Aix", "Bonn", "Cork", "Delft", "Essen", "Faro", "Graz", "Hull", "Ulm", "Jena", "Kiel", "Lyon")
RECORDS = [
    Record(f"Which river is {town} on?", f"{town} is on the river {town}stream.", f"{town}stream") for town in TOWNS
]


@pytest.fixture
def data(tmp_path):
    rows = [{"instruction": r.instruction, "context": r.context, "response": r.response} for r in RECORDS]
    return write(tmp_path / "towns.jsonl", rows)


def test_an_embedder_is_trained_measured_and_used_by_name(data, tmp_path):
    said, steps_done = [], []
    asked = EmbedderAsked(
        str(data), tmp_path / "mine", tmp_path / "no-index", batch=4, epochs=1, rate=1e-6, offline=True
    )
    found = finetune_embedder(asked, said.append, steps_done.append)
    assert found.questions == 2 and found.records == 10 and steps_done[-1].done == steps_done[-1].total == 3
    assert "10 with a hard negative" in said[0]
    assert found.after["dense ndcg@10"] >= found.before["dense ndcg@10"] > 0
    trained, plain = open_embedder(str(tmp_path / "mine"), True), open_embedder("auto", True)
    assert trained.identity.fingerprint() != plain.identity.fingerprint()
    texts = [record.context for record in RECORDS]
    vectors = trained.embed_passages(texts)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert not np.array_equal(vectors, plain.embed_passages(texts))
    assert np.abs(trained.embed_query("Bonn") - trained._model.encode("Bonn")).max() < 0.02
    card = (tmp_path / "mine" / "README.md").read_text("utf-8")
    assert "rag-dolly reembed --embedder mine" in card and "| dense ndcg@10 |" in card
    assert json.loads((tmp_path / "mine" / "run.json").read_text("utf-8"))["before"] == found.before


def test_one_that_is_worse_is_not_kept(data, tmp_path):
    out = tmp_path / "mine"
    asked = EmbedderAsked(str(data), out, tmp_path / "no-index", batch=4, epochs=1, rate=5e-2, offline=True)
    with pytest.raises(RagDollyError, match=r"worse on the held-out questions .* was not kept"):
        finetune_embedder(asked)
    assert not list(out.iterdir())
    refuse_worse({"dense ndcg@10": 0.5, "fused ndcg@10": 0.5}, {"dense ndcg@10": 0.5, "fused ndcg@10": 0.6})


def test_hard_negatives_come_from_the_users_index(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("Aix is a town without any river worth the name.")
    (folder / "b.txt").write_text("Aix is on the river Aixstream.")
    embedder = open_embedder("auto", True)
    ingest_folder(folder, index=tmp_path / "index")
    shelf = Shelf((record.context for record in RECORDS), embedder)
    triple = mine(RECORDS[:1], shelf, open_searches(tmp_path / "index", embedder, shelf))[0]
    assert triple == Triple(
        RECORDS[0].instruction, RECORDS[0].context, "Aix is a town without any river worth the name."
    )
    fallback = mine(RECORDS[:1], shelf, open_searches(tmp_path / "none", embedder, shelf))[0]
    assert fallback.wrong in {record.context for record in RECORDS[1:]}


def test_no_text_of_a_held_out_question_is_trained_on():
    twice = [*RECORDS, *(Record(f"Where is {r.response}?", r.context, "x") for r in RECORDS)]
    training, held_out = split(twice, 200, 1)
    assert not {r.context for r in training} & {r.context for r in held_out}
    assert len(training) + len(held_out) == len(twice) and len(held_out) == 4
    with pytest.raises(RagDollyError, match="about one passage"):
        split([Record(str(n), "same", "x") for n in range(12)], 5, 1)


def test_no_group_has_a_passage_twice():
    triples = [Triple(f"q{n}", f"p{n % 3}", "wrong" if n % 2 else "") for n in range(12)]
    groups = list(steps(triples, 1, 4, 0))
    assert sorted(t.question for group in groups for t in group) == sorted(t.question for t in triples)
    for group in groups:
        assert len({t.right for t in group}) == len(group) and len({bool(t.wrong) for t in group}) == 1


def test_too_few_questions(tmp_path):
    data = write(tmp_path / "few.jsonl", [{"instruction": "a", "context": "b", "response": "c"}])
    with pytest.raises(RagDollyError, match=r"has 1 questions with a passage .* 10 are the least"):
        finetune_embedder(EmbedderAsked(str(data), tmp_path / "out", tmp_path / "none", offline=True))


def test_the_loss_is_that_of_sentence_transformers():
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    torch.manual_seed(0)
    columns = [torch.randn(4, 8) for _ in range(3)]
    theirs = MultipleNegativesRankingLoss(model=torch.nn.Identity()).compute_loss_from_embeddings(columns, None)
    assert float(ranking_loss(columns)) == pytest.approx(float(theirs), rel=1e-5)
