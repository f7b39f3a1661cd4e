"""Which scripts an embedder's vocabulary knows."""

import pytest

from ingest.embed import open_embedder
from ingest.vocabulary import known_scripts, share_known


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("What is this?", 1),
        ("Wie groß ist die Fläche?", 1),
        ("黑豹队的防守丢了多少分？", 0),
        ("كم عدد النقاط", 0),
        ("Сколько очков", 0),
        ("豹 is a cat", 6 / 7),
        ("1 + 1 = ²", 1),
        ("", 1),
    ],
)
def test_the_bundled_embedder_knows_latin_letters_alone(text, share):
    assert open_embedder().knows(text) == pytest.approx(share)


def test_a_vocabulary_with_words_of_a_script_knows_it():
    vocabulary = [
        f"слово{letter}{other}" for letter in "абвгдежзиклмнопрстуф" for other in "абвгдежзиклмнопрстуфхцчшщэюя"
    ]
    assert known_scripts(vocabulary) == {"CYRILLIC"}
    assert known_scripts([chr(code) for code in range(0x4E00, 0x4E00 + 4000)]) == {"CJK"}
    assert known_scripts([chr(code) for code in range(0x4E00, 0x4E00 + 400)]) == frozenset()
    assert share_known("слово word", frozenset({"CYRILLIC"})) == pytest.approx(5 / 9)


def test_a_vocabulary_of_bytes_is_taken_to_know_all():
    assert known_scripts(["Ġthe", "åĽ½"]) is None
