"""The vectors of a text's tokens: the same as transformers has, by numpy and by OpenVINO."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ingest.bert_openvino import load
from ingest.embed import ModelEmbedder, TokenEmbedder, open_embedder
from ingest.weights import bundled_folder

TEXTS = ["How do I re-index my documents?", "naïve café 漢字 :-) 3.14", "word " * 400, ""]
PARAGRAPHS = (Path(__file__).parents[2] / "docs" / "ingest.md").read_text(encoding="utf-8").split("\n\n")[:12]
READ = TEXTS + PARAGRAPHS


@pytest.fixture(scope="module")
def minilm():
    return open_embedder()


@pytest.fixture(scope="module")
def reference():
    """`last_hidden_state` at the tokens of each text, in rows of length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bundled_folder())
    model = AutoModel.from_pretrained(bundled_folder(), dtype=torch.float32).eval()
    found = []
    with torch.inference_mode():
        for text in READ:
            states = model(**tokenizer(text, truncation=True, max_length=256, return_tensors="pt")).last_hidden_state[0]
            found.append(torch.nn.functional.normalize(states, dim=-1).numpy())
    return found


def lowest_cosine(ours, reference):
    assert [rows.shape for rows in ours] == [rows.shape for rows in reference]
    assert all(rows.dtype == np.float32 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5) for rows in ours)
    return min(float((mine * theirs).sum(axis=1).min()) for mine, theirs in zip(ours, reference, strict=True))


def test_numpy_agrees_with_transformers(minilm, reference):
    assert lowest_cosine(minilm._light.token_vectors(READ), reference) > 0.99999


def test_openvino_agrees_with_transformers(minilm, reference):
    engine = load(minilm._light, "LATENCY")
    if engine is None:
        pytest.skip("OpenVINO is not installed")
    with ThreadPoolExecutor(3) as pool:
        for rows in pool.map(lambda _: engine.token_vectors(READ), range(4)):
            assert lowest_cosine(rows, reference) > 0.999


def test_their_mean_is_the_vector_of_the_text(minilm):
    for text, rows in zip(TEXTS, minilm._light.states(minilm._light.token_ids(TEXTS)), strict=True):
        mean = rows.mean(axis=0)
        assert minilm.embed_query(text) @ mean / np.linalg.norm(mean) > 0.9999


def test_an_embedder_has_them_where_it_is_a_plain_bert(minilm):
    assert isinstance(minilm, TokenEmbedder) and minilm.token_vectors([]) == []
    (rows,) = minilm.token_vectors(["a kettle"])
    assert rows.shape == (2 + len(minilm.token_spans("a kettle")), 384)
    other = ModelEmbedder(bundled_folder(), "other")
    other._light = None
    assert other.token_vectors(["a kettle"]) is None
