"""Ours beside the plain ways of retrieval, on every data set of a folder.

    python -m benchmarks.retrieval DATA_DIR [SET...] [--limit N] [--cache DIR]

DATA_DIR holds data sets as benchmarks/data_sets.py reads them, or is one; SET names some of them. Prints nDCG@10 and
recall@5 for keyword search, dense search, their fusion by rank and by score (benchmarks/simple_ways.py) and the
product; then the product less the best of the plain ways, query by query, with its 95 % confidence interval and a
star where 0 lies outside it. All use the same vectors; long documents are cut into passages, of which the best counts.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data_sets import data_sets, read
from benchmarks.simple_ways import CANDIDATES, FullText, Ranked, simple_ways
from ingest import corpus
from ingest.embed import Embedder, open_embedder
from ingest.index import Index
from rag_dolly.beir import Collection
from rag_dolly.evaluate import bootstrap
from rag_dolly.measures import Run, score
from rag_dolly.retrieve import OVERSAMPLE, HybridRetriever

OURS = "rag-dolly"
WAYS = ("keyword", "dense", "RRF", "min-max", OURS)
MEASURES = ("ndcg@10", "recall@5")
TOP = 10


def main(asked: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Retrieval quality, ours beside the plain ways.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="*", help="names of data sets in the folder (default: all)")
    parser.add_argument("--limit", type=int, help="queries of each set (default: all)")
    parser.add_argument("--cache", type=Path, help="keep the indexes here for the next time")
    options = parser.parse_args(asked)
    found = data_sets(options.folder, options.sets)
    if not found:
        sys.exit(f"No data set {' '.join(options.sets)} in {options.folder}.".replace("  ", " "))
    embedder = open_embedder()
    print(
        f"{'':<16}{'queries':>8}{'docs':>7}  {'':<9}", *(f"{way:>9}" for way in WAYS), "  ours less the best plain way"
    )
    for name, folder in found.items():
        collection = read(folder, options.limit)
        with tempfile.TemporaryDirectory() as scratch:
            kept = (options.cache or Path(scratch)) / name.replace("/", "-")
            show(name, collection, search(collection, kept, embedder))


def search(collection: Collection, folder: Path, embedder: Embedder) -> dict[str, Run]:
    """Return way -> run over the queries, making the index first if it is not there."""
    began = time.monotonic()
    corpus.fill(folder, embedder, collection.documents)
    print(f"  index: {time.monotonic() - began:.0f} s", file=sys.stderr)
    index = Index.open(folder, embedder)
    names = {stored.id: stored.passage.source for stored in index.all_passages()}
    full_text, retriever = FullText(collection.documents), HybridRetriever(index)
    runs: dict[str, Run] = {way: {} for way in WAYS}
    for query, text in collection.queries.items():
        near = index.dense(embedder.embed_query(text), CANDIDATES * OVERSAMPLE)
        dense = once([(names[key], value) for key, value in near])
        ours = [hit.source for hit in retriever.search_documents(text, TOP)]
        found = {**simple_ways(full_text.search(text), dense), OURS: ours}
        for way, ranked in found.items():
            runs[way][query] = ranked[:TOP]
    index.close()
    return runs


def once(ranked: Ranked) -> Ranked:
    """Keep the best place of each document."""
    best: dict[str, float] = {}
    for name, value in ranked:
        best.setdefault(name, value)
    return list(best.items())


def show(name: str, collection: Collection, runs: dict[str, Run]) -> None:
    values = {way: score(run, collection.qrels, MEASURES) for way, run in runs.items()}
    for column, measure in enumerate(MEASURES):
        means = {way: found[:, column].mean() for way, found in values.items()}
        best = max((way for way in WAYS if way != OURS), key=lambda way: means[way])
        (lead,) = bootstrap((values[OURS] - values[best])[:, [column]])
        sizes = f"{name:<16}{len(collection.queries):>8}{len(collection.documents):>7}" if not column else " " * 31
        star = "*" if lead.is_beyond_noise else " "
        shown = f"{lead.mean:+.4f}{star} ({lead.low:+.4f} to {lead.high:+.4f}) {best}"
        print(f"{sizes}  {measure:<9}", *(f"{means[way]:>9.4f}" for way in WAYS), f"  {shown}", flush=True)


if __name__ == "__main__":
    main()
