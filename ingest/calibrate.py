"""How near a question must come to be answered, for one index: told from its own passages, stored in the index.

Halves of its own sentences stand for questions that it answers, and everyday questions against passages picked at
random for those that it does not (their mean cosine: what this embedder gives to texts that have nothing in common).
The threshold lies on the way from these up to a low quantile of the halves. So it moves with the embedder, the language
and the size of the collection, and asks less where the embedder tells the two less apart. The choices were made on
public questions: docs/ground.md.

Limits: small collections and scripts that the embedder does not know have no threshold of their own.
"""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.derived import open_snapshot
from ingest.embed import Embedder
from ingest.foreign_questions import FOREIGN_QUESTIONS
from ingest.keyword import query_terms
from ingest.nearness import near, word_share
from ingest.sentences import sentence_spans
from ingest.snapshot import Snapshot
from ingest.store import Store

KEY = "calibration"
VERSION = 2
FROM = 100
"""From how many passages on an index is calibrated."""
SAMPLE = 80
QUANTILE = 0.05
"""The share of the halves that come less near than where the way ends."""
WAY = 0.70
SHORTER = 0.3
"""The threshold lies at `WAY` * way ** `SHORTER` of the way: the shorter that is, the less is asked."""
MOST = 0.60
"""The threshold lies at most so far up the way, however near the halves come: questions are no halves."""
STALE = 0.15
"""It is calibrated anew when the number of passages has changed by more than this part."""
LEAST_KNOWN = 0.5
_NEAREST = 3


def calibrate(store: Store, index_dir: Path, embedder: Embedder) -> None:
    """Store how near a question must come, if the index is large enough and has changed. For writers only."""
    passages, made = store.counts()["passages"], _stored(store)
    if passages < FROM:
        if made:
            store.set(KEY, "")
        return
    same = made.get("version") == VERSION and made.get("embedder") == embedder.identity.fingerprint()
    if same and abs(passages - int(made["passages"])) <= STALE * int(made["passages"]):
        return
    with store.reading():
        snapshot = open_snapshot(store, index_dir, embedder.identity.dimension)
        needed = _needed(store, snapshot, embedder)
    found = {"version": VERSION, "embedder": embedder.identity.fingerprint(), "passages": passages, "needed": needed}
    store.set(KEY, json.dumps(found))


def needed_nearness(store: Store) -> float | None:
    """Return how near a question must come to be answered from this index, None if it was not calibrated."""
    made = _stored(store)
    needed = made.get("needed") if made.get("version") == VERSION else None
    return float(needed) if isinstance(needed, int | float) and made.get("embedder") == store.get("embedder") else None


def _stored(store: Store) -> dict[str, Any]:
    try:
        made = json.loads(store.get(KEY) or "{}")
    except ValueError:
        return {}
    return made if isinstance(made, dict) else {}


def _needed(store: Store, snapshot: Snapshot, embedder: Embedder) -> float | None:
    """Return the threshold; None if hardly any sentence is in a script that the embedder knows."""
    ids = np.concatenate([part.rows.ids for part in snapshot.parts])
    picked = random.Random(0).sample(ids.tolist(), min(SAMPLE, len(ids)))
    halves = [half for stored in store.passages(picked) if (half := _half(stored.passage.text))]
    halves = [half for half in halves if embedder.knows(half) >= LEAST_KNOWN]
    if len(halves) < SAMPLE // 4:
        return None
    own = [_nearness(store, snapshot, embedder, half) for half in halves]
    random_passages = snapshot.vectors.vectors_of(np.array(picked, dtype=np.int64))
    foreign = np.array([embedder.embed_query(question) for question in _foreign(snapshot)])
    nothing = float((foreign @ random_passages.T).mean())
    way = max(float(np.quantile(own, QUANTILE)) - nothing, 0.0)
    return round(nothing + min(WAY * float(way ** (1 + SHORTER)), MOST), 4)


def _half(text: str) -> str:
    """Return the first half of the longest of a passage's first sentences."""
    sentences = [text[start:end] for start, end in sentence_spans(text[:1000])]
    longest = max(sentences, key=len, default="")
    return longest[: len(longest) // 2].strip()


def _foreign(snapshot: Snapshot) -> Sequence[str]:
    languages = sorted(snapshot.languages & FOREIGN_QUESTIONS.keys()) or ["en"]
    return [question for language in languages for question in FOREIGN_QUESTIONS[language]]


def _nearness(store: Store, snapshot: Snapshot, embedder: Embedder, question: str) -> float:
    dense = snapshot.vectors.search(embedder.embed_query(question), _NEAREST)
    words = snapshot.words.search(query_terms(question, snapshot.languages), _NEAREST)
    found = store.passages([key for key, _ in (*dense, *words)])
    texts = [" ".join((*(one.passage.heading or (one.title,)), one.passage.text)) for one in found]
    return near(dense[0][1] if dense else 0.0, word_share(question, texts, [one.passage.source for one in found]))
