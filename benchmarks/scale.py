"""Large indexes: time to build and open, memory, time of a query, recall, time until a change is seen.

    python -m benchmarks.scale [TEXT_DIR] [--passages 100000 1000000] [--keep DIR]

Makes indexes of so many passages from the documents in TEXT_DIR (default: docs) in a scratch folder, or in DIR to use
them again, and prints for each size: seconds to store and to derive the search structures, size on disk, and, in a
fresh process each, the time to open and the memory, the median and 95th percentile of whole hybrid queries (warm, and
without reranking, which costs the same whatever the size), of the keyword search beside other engines, and of the dense
search beside an exact one in fp32 (faiss.IndexFlatIP), with recall@10, and how long an open reader takes to see one
document added and deleted. Where other programs keep the machine busy, compare processor times. How the passages are
made is said in `benchmarks.scale_corpus`. A million passages need about 8 GB of disk, 6 GB of memory and 20 minutes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scale_corpus
from benchmarks.scale_others import peak
from ingest import derived, keyword
from ingest.embed import Embedder, Vectors, open_embedder
from ingest.index import FILE, Index
from ingest.rows import Ids
from ingest.store import Store
from ingest.writing import claim, writing
from rag_dolly.retrieve import HybridRetriever

QUERIES = 100
WARMING = 20
"""Questions before those that are timed, after which what is loaded in the background is there."""
TOP = 100
Took = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure large indexes.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs"))
    parser.add_argument("--passages", type=int, nargs="+", default=[4120, 100_000])
    parser.add_argument("--keep", type=Path, help="a folder to make the indexes in, and to find them in the next time")
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.look:
        look(asked.look, json.loads(sys.stdin.read()))
        return
    real = scale_corpus.read_real(asked.folder, open_embedder())
    questions = scale_corpus.questions(real, QUERIES + WARMING)
    with tempfile.TemporaryDirectory() as scratch:
        for count in asked.passages:
            home = (asked.keep or Path(scratch)) / str(count)
            print(f"\n{count:,} passages")
            if not (home / FILE).exists():
                make(home, real, count)
            sizes = {
                p.name: p.stat().st_size / 2**20 for p in home.rglob("*") if p.is_file() and p.stat().st_size > 1e5
            }
            print("  MiB on disk: " + ", ".join(f"{name} {size:.0f}" for name, size in sorted(sizes.items())))
            command = [sys.executable, "-m", "benchmarks.scale", "--look", str(home)]
            subprocess.run(command, input=json.dumps(questions), text=True, check=True)
            for name in ("fts5", "bm25s", "tantivy"):
                beside(name, home, questions)


def make(home: Path, real: scale_corpus.Real, count: int) -> None:
    embedder = open_embedder()
    home.parent.mkdir(parents=True, exist_ok=True)
    with writing(home):
        store = Store(home / FILE, create=True)
        claim(store, embedder, home)
        vectors = embedded(home.parent / "real.npy", embedder, real.texts)
        began = time.monotonic()
        scale_corpus.write(store, real, vectors, count)
        stored = time.monotonic() - began
        before = peak()
        derived.refresh(store, home)
        took = time.monotonic() - began - stored
        store.close()
    print(
        f"  stored in {stored:.1f} s, derived files made in {took:.1f} s, peak memory {before:.0f} -> {peak():.0f} MiB"
    )


def embedded(path: Path, embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Return the vectors of the real passages, made once for all sizes."""
    if not path.exists():
        np.save(path, embedder.embed_passages(texts))
    vectors: Vectors = np.load(path)
    return vectors


def look(home: Path, questions: list[str]) -> None:
    """Measure an index in this process."""
    embedder = open_embedder()
    embedder.embed_query("Is it warm?")
    warming, questions = questions[:WARMING], questions[WARMING:]
    before, began = peak(), time.perf_counter()
    index = Index.open(home, embedder)
    retriever = HybridRetriever(index)
    opened = time.perf_counter() - began
    index.keyword("anything", 1)
    searched = time.perf_counter() - began
    print(f"  open {opened * 1000:.1f} ms, with the search structures {searched * 1000:.1f} ms")
    for question in warming:
        retriever.search(question, 10)
    time.sleep(2)
    report("whole hybrid query", timed(lambda said: retriever.search(said, 10), questions))
    print(f"  memory: {before:.0f} MiB before opening, at most {peak():.0f} MiB after {len(questions)} queries")
    report("embedding alone", timed(embedder.embed_query, questions))
    report("keyword, BM25 here", timed(lambda said: index.keyword(said, TOP), questions))
    report("keyword, terms ready", timed(lambda terms: index.keyword_terms(terms, TOP), terms_of(index, questions)))
    dense(index, questions)
    for share in (0.5, 0.01):
        among = np.sort(
            np.random.default_rng(0).choice(np.arange(1, index.passage_count), int(share * index.passage_count))
        )
        filtered(index, questions[:50], among, f"among {share:.0%}")
    catching_up(home, index)


def filtered(index: Index, questions: Sequence[str], among: Ids, name: str) -> None:
    vectors = [index.embedder.embed_query(said) for said in questions]
    report(f"keyword {name}", timed(lambda said: index.keyword(said, TOP, among), questions))
    report(f"dense {name}", timed(lambda vector: index.dense(vector, TOP, among), vectors))


def terms_of(index: Index, questions: Sequence[str]) -> list[Any]:
    return [keyword.query_terms(said, index.languages) for said in questions]


def dense(index: Index, questions: Sequence[str]) -> None:
    """Compare the dense search with an exact one in fp32."""
    import faiss

    vectors = [index.embedder.embed_query(said) for said in questions]
    report("dense here", timed(lambda vector: index.dense(vector, TOP), vectors))
    exact = faiss.IndexFlatIP(index.embedder.identity.dimension)
    for rows in Store(index.folder / FILE).search_rows(0, exact.d):
        exact.add(rows.vectors.astype(np.float32))
    report("dense, flat fp32", timed(lambda vector: exact.search(vector[None, :], TOP), vectors[:50]))
    shares: dict[int, list[float]] = {10: [], 100: []}
    for vector in vectors:
        found = [score for _, score in index.dense(vector, TOP)]
        truth = exact.search(vector[None, :], TOP)[0][0]
        for k, share in shares.items():  # by score, so that equal vectors may stand for each other
            share.append(sum(score >= truth[k - 1] - 2e-4 for score in found[:k]) / k)
    print("  recall of exact: " + ", ".join(f"@{k} {statistics.mean(share):.4f}" for k, share in shares.items()))


def catching_up(home: Path, index: Index) -> None:
    """Time how long after a commit the open reader has its first answer, less what a query takes."""
    store, times = Store(home / FILE), dict[str, list[Took]]()
    dimension = index.embedder.identity.dimension
    for number in range(10):
        vectors = np.eye(1, dimension, number, dtype=np.float32)
        steps: list[tuple[str, Callable[[], None]]] = [
            ("added", lambda v=vectors: scale_corpus.put(store, 1, "new.txt", ["A zyzzyva."], v)),  # type: ignore[misc]
            ("deleted", lambda: store.delete_document("new.txt")),
        ]
        for name, step in steps:
            step()
            times.setdefault(name, []).extend(timed(lambda _: index.keyword("zyzzyva", 3), [0]))
            assert len(index.keyword("zyzzyva", 3)) == (name == "added")
    store.close()
    for name, took in times.items():
        report(f"a document {name} is seen after", took)


def beside(name: str, home: Path, questions: Sequence[str]) -> None:
    command = [sys.executable, "-m", "benchmarks.scale_others", name, str(home), json.dumps(questions)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        print(f"  {name}: not measured ({(done.stderr.strip().splitlines() or ['?'])[-1]})")
        return
    said = json.loads(done.stdout.strip().splitlines()[-1])
    report(f"keyword, {name}", said["times"])
    print(f"  {name}: built in {said['build']:.1f} s, {said['disk']:.0f} MiB on disk, at most {said['peak']:.0f} MiB")


def timed(work: Callable[[Any], Any], given: Sequence[Any]) -> list[Took]:
    """Return the milliseconds that the work takes for each, by the clock and of this thread's processor time."""
    times = []
    for one in given:
        began = time.perf_counter(), time.thread_time()
        work(one)
        times.append(((time.perf_counter() - began[0]) * 1000, (time.thread_time() - began[1]) * 1000))
    return times


def report(name: str, times: Sequence[Sequence[float]]) -> None:
    clock, own = (np.percentile(column, [50, 95]) for column in zip(*times, strict=True))
    print(f"  {name:32} p50 {clock[0]:8.2f} ms   p95 {clock[1]:8.2f} ms   processor p50 {own[0]:7.2f} ms", flush=True)


if __name__ == "__main__":
    main()
