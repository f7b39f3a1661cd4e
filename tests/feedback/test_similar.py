"""Near texts are found among those that share words, and no others are embedded."""

from rag_dolly.similar import LOOKED_AT, nearest
from tests.fakes import HashingEmbedder


def test_the_nearest_come_first_and_far_ones_not_at_all():
    others = ["How deep is Lake Baikal?", "Why does ice float?", "Why does ice float on the water?", "Ice cream?"]
    assert nearest("Why does ice float on water?", others, HashingEmbedder().embed_sentences) == [2, 1]


def test_little_is_embedded_however_much_there_is():
    sizes = []

    def embed(texts):
        sizes.append(len(texts))
        return HashingEmbedder().embed_sentences(texts)

    others = [f"Tomatoes number {n}" for n in range(500)] + ["Something else"]
    assert nearest("Tomatoes number 7", others, embed)[0] == 7
    assert nearest("Volcano", others, embed) == [] and sizes == [LOOKED_AT + 1]
