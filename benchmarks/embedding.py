"""Passages a second: sentence-transformers in fp32 with batches of 32, against what an ingest does.

    python -m benchmarks.embedding [DIR]

Cuts the documents under DIR (default: docs) into passages, at most 2,000, and embeds the same passages with the same
weights both ways in turns, so that a busy machine slows both. Prints the ratio of each pair of runs (median and
range), tokens a second (padding not counted), the cosine between the two ways' vectors, and how long a fresh process
takes to its first vector.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest import chunk, loaders
from ingest.embed import GROUP, ModelEmbedder, open_embedder
from ingest.errors import UnreadableFile

ROUNDS = 5
MOST = 2000
Vectors = NDArray[np.float32]
THEIRS = """
import sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], local_files_only=True)
model.encode(["A passage."], batch_size=32, normalize_embeddings=True)
"""
OURS = """
from ingest.embed import open_embedder
open_embedder().embed_passages(["A passage."])
"""


def main(folder: Path) -> None:
    embedder = open_embedder()
    texts = passages(folder, embedder)
    if not texts:
        sys.exit(f"No passages in {folder}: expected a folder of documents.")
    limit = embedder.max_tokens + 2
    tokens = sum(min(limit, len(embedder.token_spans(text)) + 2) for text in texts)
    print(f"{folder}: {len(texts)} passages, {tokens} tokens; {ROUNDS} rounds in turns")
    compare(tokens, sentence_transformers(texts, embedder.folder), lambda: in_groups(embedder, texts))
    for name, program in [("sentence-transformers", THEIRS), ("rag-dolly", OURS)]:
        first_vector(name, program, embedder.folder)


def passages(folder: Path, embedder: ModelEmbedder) -> list[str]:
    texts: list[str] = []
    for path in sorted(folder.rglob("*")):
        if len(texts) >= MOST:
            break
        if not path.is_file() or not loaders.kind_of(path.name):
            continue
        try:
            document = loaders.load(path.name, path.read_bytes())
        except UnreadableFile:
            continue
        room = min(embedder.max_tokens, chunk.PASSAGE_TOKENS - 2)
        found = chunk.chunk(document, embedder.token_spans, room)
        texts += [chunk.embedding_text(document.title, passage) for passage in found]
    return texts[:MOST]


def sentence_transformers(texts: list[str], folder: Path) -> Callable[[], Vectors]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), local_files_only=True)
    return lambda: np.asarray(model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False))


def in_groups(embedder: ModelEmbedder, texts: list[str]) -> Vectors:
    groups = [texts[start : start + GROUP] for start in range(0, len(texts), GROUP)]
    return np.concatenate([embedder.embed_passages(group) for group in groups])


def compare(tokens: int, theirs: Callable[[], Vectors], ours: Callable[[], Vectors]) -> None:
    cosines = np.sum(theirs() * ours(), axis=1)  # also the warming up
    seconds: dict[Callable[[], Vectors], list[float]] = {theirs: [], ours: []}
    for number in range(ROUNDS):
        for way in (theirs, ours) if number % 2 else (ours, theirs):
            began = time.perf_counter()
            way()
            seconds[way].append(time.perf_counter() - began)
    ratios = [slow / fast for slow, fast in zip(seconds[theirs], seconds[ours], strict=True)]
    print(f"sentence-transformers fp32   {tokens / statistics.median(seconds[theirs]):>8.0f} tokens/s")
    print(f"rag-dolly                    {tokens / statistics.median(seconds[ours]):>8.0f} tokens/s")
    print(f"ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")
    print(f"cosine with fp32: least {cosines.min():.6f}, mean {cosines.mean():.6f}")


def first_vector(name: str, program: str, folder: Path) -> None:
    began = time.perf_counter()
    ended = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True)
    if ended.returncode:
        sys.exit(ended.stderr)
    print(
        f"{name}: first vector of a fresh process after {time.perf_counter() - began:.1f} s, {ended.stdout.strip()} MB"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs"))
