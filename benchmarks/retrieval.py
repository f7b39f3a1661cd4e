"""Retrieval quality on a data set in BEIR layout (corpus.jsonl, queries.jsonl, qrels.tsv).

    python -m benchmarks.retrieval DIR

Every document is one passage (title, then text, cut at the embedder's limit), as in the published figures, so this
checks embedding, truncation and search rather than chunking. Prints nDCG@10 and recall@10 for the plain ways (dense
alone, keyword alone, reciprocal rank fusion) beside the product's own fusion.
"""

import json
import math
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from ingest.embed import open_embedder
from ingest.index import Index, Scored
from ingest.texts import add_texts
from rag_dolly.retrieve import CANDIDATES, fuse

Qrels = dict[str, dict[str, int]]


def main(folder: Path) -> None:
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
    qrels = read_qrels(folder / "qrels.tsv")
    queries = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    queries = [query for query in queries if query["_id"] in qrels]
    embedder = open_embedder()
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        rows = [(str(doc["_id"]), f"{doc.get('title') or ''}\n{doc['text']}".strip(), "{}") for doc in corpus]
        add_texts(Path(scratch), embedder, rows)
        print(f"{folder.name}: {len(corpus)} documents in {time.monotonic() - began:.0f} s, {len(queries)} queries")
        index = Index.open(scratch, embedder)
        names = {passage.id: passage.passage.source for passage in index.all_passages()}
        runs: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for query in queries:
            for way, scored in search_each_way(index, query["text"]).items():
                runs[way][query["_id"]] = [names[key] for key, _ in scored]
        index.close()
    print(f"{'':<22}{'nDCG@10':>9}{'recall@10':>11}")
    for way, run in runs.items():
        print(f"{way:<22}{mean(run, qrels, ndcg):>9.4f}{mean(run, qrels, recall):>11.4f}")


def search_each_way(index: Index, question: str) -> dict[str, Scored]:
    dense = index.dense(index.embedder.embed_query(question), CANDIDATES)
    keyword = index.keyword(question, CANDIDATES)
    return {
        "dense": dense,
        "keyword": keyword,
        "reciprocal rank fusion": reciprocal_rank_fusion(dense, keyword),
        "rag-dolly": fuse(dense, keyword),
    }


def reciprocal_rank_fusion(*lists: Scored, k: int = 60) -> Scored:
    scores: dict[int, float] = defaultdict(float)
    for scored in lists:
        for rank, (key, _) in enumerate(scored, 1):
            scores[key] += 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: -item[1])


def read_qrels(path: Path) -> Qrels:
    qrels: Qrels = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, score = line.split("\t")
        if int(score) > 0:
            qrels[query][document] = int(score)
    return qrels


def mean(run: dict[str, list[str]], qrels: Qrels, measure: Callable[[list[str], dict[str, int]], float]) -> float:
    return sum(measure(run[query][:10], qrels[query]) for query in run) / len(run)


def ndcg(found: list[str], relevant: dict[str, int]) -> float:
    gain = sum(relevant.get(name, 0) / math.log2(rank + 1) for rank, name in enumerate(found, 1))
    ideal = sorted(relevant.values(), reverse=True)[:10]
    return gain / sum(score / math.log2(rank + 1) for rank, score in enumerate(ideal, 1))


def recall(found: list[str], relevant: dict[str, int]) -> float:
    return len(set(found) & set(relevant)) / len(relevant)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
