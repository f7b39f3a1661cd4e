"""Ours beside the plain ways of retrieval, on every data set of a folder.

    python -m benchmarks.retrieval DATA_DIR [SET...] [--limit N] [--cache DIR]

DATA_DIR holds data sets as benchmarks/data_sets.py reads them, or is one; SET names some of them. Prints nDCG@10 and
recall@5 for keyword search, dense search, their fusion by rank and by score (benchmarks/simple_ways.py), the product's
fusion, and the product with its built-in reranker, as it is by default; then the product less the best of the plain
ways, and less its fusion alone, query by query, with 95 % confidence intervals and a star where 0 lies outside. All use
the same vectors; long documents are cut into passages, of which the best counts. Last, how often the reranker read, and
how many passages it read for a question on average.
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
from ingest.embed import ModelEmbedder, Vectors, open_embedder
from ingest.index import Index
from rag_dolly.beir import Collection
from rag_dolly.evaluate import bootstrap
from rag_dolly.maxsim import MaxSimReranker
from rag_dolly.measures import Floats, Run, score
from rag_dolly.retrieve import OVERSAMPLE, HybridRetriever

OURS = "rag-dolly"
FUSED = "fused"
PLAIN = ("keyword", "dense", "RRF", "min-max")
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
    ways = [*PLAIN, FUSED, OURS]
    print(
        f"{'':<16}{'queries':>8}{'docs':>7}  {'':<9}",
        *(f"{way:>9}" for way in ways),
        "  less the best plain way, less fused",
    )
    for name, folder in found.items():
        collection = read(folder, options.limit)
        if not collection.queries:
            print(f"{name}: no question names a passage of its documents, left out", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            kept = (options.cache or Path(scratch)) / name.replace("/", "-")
            show(name, collection, search(collection, kept, embedder))


class Remembering(ModelEmbedder):
    """Embeds the tokens of a text once: the same passage is read for many questions."""

    def __init__(self, embedder: ModelEmbedder) -> None:
        super().__init__(embedder.folder, embedder.name)
        self._seen: dict[str, Vectors] = {}
        self.read: list[int] = []

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors] | None:
        """See `TokenEmbedder.token_vectors`."""
        self.read.append(len(texts) - 1)
        new = [text for text in texts if text not in self._seen]
        self._seen.update(zip(new, super().token_vectors(new) or [], strict=True))
        return [self._seen[text] for text in texts]


def search(collection: Collection, folder: Path, embedder: ModelEmbedder) -> dict[str, Run]:
    """Return way -> run over the queries, making the index first if it is not there."""
    began = time.monotonic()
    corpus.fill(folder, embedder, collection.documents)
    print(f"  index: {time.monotonic() - began:.0f} s", file=sys.stderr)
    index = Index.open(folder, embedder)
    names = {stored.id: stored.passage.source for stored in index.all_passages()}
    full_text, reader = FullText(collection.documents), Remembering(embedder)
    retrievers = {FUSED: HybridRetriever(index), OURS: HybridRetriever(index, MaxSimReranker(reader))}
    runs: dict[str, Run] = {way: {} for way in [*PLAIN, *retrievers]}
    for query, text in collection.queries.items():
        near = index.dense(embedder.embed_query(text), CANDIDATES * OVERSAMPLE)
        dense = once([(names[key], value) for key, value in near])
        found = simple_ways(full_text.search(text), dense)
        for way, retriever in retrievers.items():
            found[way] = [hit.source for hit in retriever.search_documents(text, TOP)]
        for way, ranked in found.items():
            runs[way][query] = ranked[:TOP]
    index.close()
    count = len(collection.queries)
    print(f"  reranked: {len(reader.read) / count:.2f} of the questions, {sum(reader.read) / count:.1f} passages each")
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
        best = max(PLAIN, key=lambda way: means[way])
        sizes = f"{name:<16}{len(collection.queries):>8}{len(collection.documents):>7}" if not column else " " * 31
        leads = [(values[OURS] - values[best], best), (values[OURS] - values[FUSED], FUSED)]
        shown = "  ".join(lead(difference[:, [column]], of) for difference, of in leads)
        print(f"{sizes}  {measure:<9}", *(f"{mean:>9.4f}" for mean in means.values()), f"  {shown}", flush=True)


def lead(difference: Floats, of: str) -> str:
    """Return the mean of a column of differences in words."""
    (found,) = bootstrap(difference)
    star = "*" if found.is_beyond_noise else " "
    return f"{found.mean:+.4f}{star} ({found.low:+.4f} to {found.high:+.4f}) {of}"


if __name__ == "__main__":
    main()
