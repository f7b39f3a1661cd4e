"""How good retrieval is on a test collection: each stage scored by itself, with confidence intervals.

Stages are a dict of name -> document ids, best first; a document stands where its best passage stands. Intervals are
percentile bootstraps over the queries with a fixed seed, so that the same runs give the same figures; a difference of
two stages is taken query by query. A difference whose interval does not hold 0 is beyond the noise of these queries.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ingest import corpus
from ingest.embed import Embedder
from ingest.index import FILE, Index, Scored
from rag_dolly.beir import Collection, Qrels, trec_name
from rag_dolly.errors import RagDollyError
from rag_dolly.measures import MEASURES, Floats, Run, score
from rag_dolly.retrieve import OVERSAMPLE, HybridRetriever
from rag_dolly.types import Reranker

PRODUCT = "fused"
"""The stage that `rag-dolly search` shows."""
RERANKED = "reranked"
"""The stage that it shows where there is a reranker."""
DEPTH = 100
"""Documents of each stage that are scored."""
RRF_CANDIDATES, RRF_K = 100, 60
RESAMPLES, SEED, CONFIDENCE = 2000, 0, 0.95

OnStep = Callable[[str, int, int], None]
"""Told (what is counted, done, of how many)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over queries and the bounds of its 95 % confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def is_beyond_noise(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


Table = dict[str, dict[str, Estimate]]
"""Stage -> measure -> estimate."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found and how good it is; `differences` are the product less the named stage, query by query."""

    runs: dict[str, Run]
    stages: Table
    differences: Table
    documents: int
    passages: int

    @property
    def product(self) -> str:
        """The stage that `rag-dolly search` shows."""
        return product_of(self.runs)


def search_stages(index: Index, question: str, depth: int = DEPTH) -> dict[str, Scored]:
    """Return stage -> (passage id, score), best first, for the stages below the product and plain rank fusion."""
    dense = index.dense(index.embedder.embed_query(question), depth * OVERSAMPLE)
    keyword = index.keyword(question, depth * OVERSAMPLE)
    fused = reciprocal_rank_fusion(dense[:RRF_CANDIDATES], keyword[:RRF_CANDIDATES])
    return {"keyword": keyword, "dense": dense, "rrf": fused}


def reciprocal_rank_fusion(*lists: Scored, k: int = RRF_K) -> Scored:
    """Return (id, sum of 1 / (k + rank)) over the lists, best first; equal sums keep the order of the first list."""
    scores: dict[int, float] = {}
    for scored in lists:
        for rank, (key, _) in enumerate(scored, 1):
            scores[key] = scores.get(key, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: -item[1])


def run_stages(
    index: Index,
    queries: Iterable[tuple[str, str]],
    name_of: Callable[[str], str],
    depth: int = DEPTH,
    reranker: Reranker | None = None,
) -> dict[str, Run]:
    """Search for each (id, text) by every stage; `name_of` makes a source the id of a document."""
    names = {stored.id: name_of(stored.passage.source) for stored in index.all_passages()}
    retrievers = {PRODUCT: HybridRetriever(index)}
    if reranker:
        retrievers[RERANKED] = HybridRetriever(index, reranker)
    runs: dict[str, Run] = {}
    for query, text in queries:
        stages = search_stages(index, text, depth)
        found = {stage: [names[key] for key, _ in scored] for stage, scored in stages.items()}
        for stage, retriever in retrievers.items():
            found[stage] = [name_of(hit.source) for hit in retriever.search_documents(text, depth)]
        for stage, documents in found.items():
            runs.setdefault(stage, {})[query] = list(dict.fromkeys(documents))[:depth]
    return runs


def without_suffix(source: str) -> str:
    """Return the id of a document that was read from a file: its source without the suffix."""
    return str(PurePosixPath(source).with_suffix(""))


def bootstrap(values: Floats) -> list[Estimate]:
    """Return the mean of each column of `values`, shape (queries, columns), with its confidence interval.

    All columns see the same resamples of the queries.
    """
    count = len(values)
    generator = np.random.default_rng(SEED)
    means = np.empty((RESAMPLES, values.shape[1]))
    for row in range(RESAMPLES):
        means[row] = np.bincount(generator.integers(count, size=count), minlength=count) @ values / count
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return [Estimate(*map(float, found)) for found in zip(values.mean(axis=0), low, high, strict=True)]


def product_of(runs: Mapping[str, Run]) -> str:
    """Return the stage of these that `rag-dolly search` shows."""
    return RERANKED if RERANKED in runs else PRODUCT


def measures_for(depth: int) -> list[str]:
    """Return the names of the measures that need at most `depth` documents."""
    return [name for name in MEASURES if int(name.partition("@")[2]) <= depth]


def estimate(runs: Mapping[str, Run], qrels: Qrels, measures: Sequence[str]) -> tuple[Table, Table]:
    """Return the measures of each stage, and by how much the product is better than each other stage."""
    values = {stage: score(run, qrels, measures) for stage, run in runs.items()}
    table = {stage: dict(zip(measures, bootstrap(found), strict=True)) for stage, found in values.items()}
    product = product_of(runs)
    differences = {
        stage: dict(zip(measures, bootstrap(values[product] - found), strict=True))
        for stage, found in values.items()
        if stage != product
    }
    return table, differences


def evaluate(
    collection: Collection,
    embedder: Embedder,
    folder: Path,
    depth: int = DEPTH,
    on_step: OnStep = lambda *_: None,
    reranker: Reranker | None = None,
) -> Evaluation:
    """Search for every query of a collection in the index in `folder`, and measure what is found.

    The index is made of the collection's documents if there is none, and taken as it is if there is one: an index of
    files has the sources without their suffixes as ids. With a reranker there is one more stage. Raises
    `RagDollyError` if the index has none of the judged documents.
    """
    count = len(collection.documents)
    is_of_files = (folder / FILE).exists() and not corpus.is_corpus(folder)
    if not is_of_files:
        corpus.fill(folder, embedder, collection.documents, lambda done: on_step("documents embedded", done, count))
    index = Index.open(folder, embedder)
    try:
        name_of = without_suffix if is_of_files else str
        _check_judged(index, collection.qrels, name_of)
        runs = run_stages(index, _counted(collection.queries, on_step), name_of, depth, reranker)
        table, differences = estimate(runs, collection.qrels, measures_for(depth))
        counts = index.counts()
        return Evaluation(runs, table, differences, counts["documents"], counts["passages"])
    finally:
        index.close()


def _check_judged(index: Index, qrels: Qrels, name_of: Callable[[str], str]) -> None:
    held = {name_of(row.source) for row in index.documents() if row.state == "indexed"}
    if not held & {name for row in qrels.values() for name in row}:
        raise RagDollyError("The index has none of the judged documents: sources must be the ids of corpus.jsonl.")


def _counted(queries: Mapping[str, str], on_step: OnStep) -> Iterator[tuple[str, str]]:
    for done, query in enumerate(queries.items()):
        on_step("queries searched", done, len(queries))
        yield query
    on_step("queries searched", len(queries), len(queries))


def write_runs(runs: Mapping[str, Run], folder: Path) -> None:
    """Write a TREC run of each stage, STAGE.trec; scores are 1 / rank. Raises `RagDollyError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stage, run in runs.items():
            rows = [
                f"{trec_name(query)} Q0 {trec_name(name)} {rank} {1 / rank:.6f} {stage}\n"
                for query, names in run.items()
                for rank, name in enumerate(names, 1)
            ]
            (folder / f"{stage}.trec").write_text("".join(rows), encoding="utf-8")
    except OSError as error:
        raise RagDollyError(f"{folder} cannot be written: {error.strerror}.") from error
