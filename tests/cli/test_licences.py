"""The licence of a model is what its own files say, and unknown where they say nothing."""

import json
import struct

import pytest

from ingest.weights import bundled_folder
from rag_dolly import licences
from rag_dolly.licences import Licence, commercial_use, front_matter
from rag_dolly.settings import load_settings


@pytest.mark.parametrize(
    ("licence", "use"),
    [
        ("apache-2.0", "yes"), ("Apache-2.0", "yes"), ("MIT", "yes"), ("MIT License", "yes"), ("BSD-3-Clause", "yes"),
        ("cc-by-4.0", "yes"), ("cc-by-sa-3.0", "yes"), ("gpl-3.0", "yes"), ("Apache Software License", "yes"),
        ("cc-by-nc-4.0", "no"), ("CC BY-NC 4.0", "no"), ("cc-by-nc-sa-4.0", "no"), ("cc-by-nc-nd-4.0", "no"),
        ("deepfloyd-non-commercial", "no"), ("qwen-research", "no"), ("mit and cc-by-nc-4.0", "no"),
        ("llama3.2", "with conditions"), ("gemma", "with conditions"), ("bigscience-openrail-m", "with conditions"),
        ("mit and llama2", "with conditions"), ("other", "unknown"), ("", "unknown"), ("mit and other", "unknown"),
        ("permit", "unknown"), ("my-gemma-licence", "unknown"),
    ],
)  # fmt: skip
def test_commercial_use_by_the_name_of_a_licence(licence, use):
    assert commercial_use(licence) == use


def card(folder, text, config=None):
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(text, encoding="utf-8")
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    return [(one.name, one.licence, one.stated) for one in licences.of_folder(folder, "m", "embedder")]


def test_a_card_says_licence_and_data(tmp_path):
    text = "---\nlicense: 'cc-by-nc-4.0'  # sorry\ndatasets:\n- ms_marco\n  - a/b\ntags: []\n---\n# M\nlicense: mit\n"
    assert card(tmp_path / "a", text) == [
        ("m", "cc-by-nc-4.0", "its card"),
        ("ms_marco", "", ""),
        ("a/b", "", ""),
    ]
    assert card(
        tmp_path / "b", "---\r\nlicense: [mit, other]\r\ndatasets: databricks/databricks-dolly-15k\r\n---\r\n"
    ) == [
        ("m", "mit and other", "its card"),
        ("databricks/databricks-dolly-15k", "cc-by-sa-3.0", licences.KNOWN),
    ]
    assert card(tmp_path / "c", "---\nlicense: other\nlicense_name: my-own\n---\n")[0] == ("m", "my-own", "its card")


def test_without_a_card_the_configuration_says_it_or_nobody(tmp_path):
    assert card(tmp_path / "a", "# no front matter\nlicense: mit\n", {"license": "mit"}) == [
        ("m", "mit", "its config.json")
    ]
    assert card(tmp_path / "b", "---\nnever closed: mit\nlicense: mit\n", {"model_type": "bert"}) == [("m", "", "")]
    assert card(tmp_path / "c", "", {"license": 3}) == [("m", "", "")]
    (one,) = licences.of_folder(tmp_path / "none", "m", "embedder")
    assert "unknown" in one.in_words() and one.commercial == "unknown"


def test_hostile_cards_are_read_as_text(tmp_path):
    path = tmp_path / "README.md"
    path.write_bytes(b"---\nlicense: !!python/object/apply:os.system ['id']\n\xff: x\n" + b"- a\n" * 1000 + b"---\n")
    assert front_matter(path)["license"] == "!!python/object/apply:os.system ['id']"
    path.write_text("---\n" + "a" * 3_000_000)
    assert front_matter(path) == {}


def gguf(path, licence):
    """Write the smallest GGUF file: one metadata field."""

    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    fields = [("general.architecture", "llama"), *([("general.license", licence)] if licence else [])]
    body = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in fields)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(fields)) + body + b"\0" * 64)


def test_a_gguf_file_says_its_licence(tmp_path):
    for name, said in (("a", "llama3.2"), ("b", "")):
        gguf(tmp_path / f"{name}.gguf", said)
        settings = load_settings(model=str(tmp_path / f"{name}.gguf"))
        (found,) = [one for one in licences.in_use(settings) if one.used_as == "language model"]
        assert (found.name, found.licence) == (name, said)
    (tmp_path / "torn.gguf").write_bytes(b"GGUF\3")
    found = licences.in_use(load_settings(model=str(tmp_path / "torn.gguf")))
    assert [one.licence for one in found if one.used_as == "language model"] == [""]


def test_the_bundled_models_state_theirs():
    (embedder, *data) = licences.of_folder(bundled_folder(), "all-MiniLM-L6-v2", "embedder")
    assert (embedder.licence, embedder.stated, embedder.commercial) == ("apache-2.0", "its card", "yes")
    assert {"ms_marco", "snli"} <= {one.name for one in data} and all(one.is_data for one in data)


def test_a_server_and_an_absent_model_are_unknown():
    settings = load_settings(model="http://127.0.0.1:9/v1", reranker="nobody/nothing", embedder="nobody/nothing")
    found = {one.used_as: one.licence for one in licences.in_use(settings)}
    assert found == {"embedder": "", "reranker": "", "reader": "apache-2.0", "language model on a server": ""}


def test_data_sets_of_which_the_same_is_known_share_a_line():
    found = [Licence("m", "embedder", "mit", "its card")]
    found += [Licence(name, "data that m was trained on", "", "", True) for name in ("a", "b")]
    lines = licences.as_findings(found)
    assert list(lines) == ["m", "a, b"] and lines["m"] == "embedder; mit (its card); commercial use allowed"
