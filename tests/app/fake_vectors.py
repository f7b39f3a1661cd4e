"""What a fake index has of vectors: two numbers for each passage, so that a map can be made of it."""

import numpy as np


class FakeEmbedder:
    def embed_query(self, text):
        return np.array([0.3, 0.2, 0.1], dtype=np.float32)


class FakeVectors:
    """Reads the store behind `database`; the vectors follow from the ids."""

    embedder = FakeEmbedder()

    def passages(self, ids):
        return self.database.passages(ids)

    def vectors_of(self, ids):
        return np.array([[np.sin(key), np.cos(key * 3), key % 5] for key in ids], dtype=np.float32).reshape(-1, 3)

    def ids_at(self, places):
        from ingest.places import ids_at

        return ids_at(self.database, places)
