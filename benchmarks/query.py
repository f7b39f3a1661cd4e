"""A warm query from end to end: ours beside plain LangChain and LlamaIndex, each in a fresh process, in turns.

    python -m benchmarks.query DATA_DIR [SET] [--made N] [--queries 200] [--rounds 3] [--cache DIR] [--peer-python PATH]

DATA_DIR and SET are as in benchmarks/retrieval.py (default set: dolly-15k, its 4,000 contexts). With --made DATA_DIR is
a folder of documents, of which N passages are made as in benchmarks/scale.py; sentences of theirs are the questions.
Every way answers the same questions over the same passages and returns ten. Ours embeds the question, searches by
meaning and by words, fuses and reads the passages from the index on disk, once without and once with the reranker,
which reads close ones again. The others embed and search their vectors in memory, which they got from our index instead
of making them, with the same weights in fp32. The first 20 questions are not counted; two seconds after them, when all
is warm, the others are. PATH is a Python that has the others' packages (default: this one); a way whose packages are
missing is skipped.

Milliseconds are medians (p50) and 95th percentiles (p95) over the questions, then the median over the rounds; the
ratio is theirs to ours, p50 of the same round, with its smallest and largest. How long a cold search takes, with the
start of its process, is measured by benchmarks/startup.py.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import scale, scale_corpus
from benchmarks.data_sets import data_sets, read
from ingest import chunk, corpus
from ingest.embed import open_embedder
from ingest.index import FILE, Index
from ingest.weights import bundled_folder

OURS = "rag-dolly"
WARMING = scale.WARMING
TIMES = """
import json, sys, time
home, weights = sys.argv[1:3]
def show(search):
    spent = []
    for number, question in enumerate(json.load(open(home + "/questions.json", encoding="utf-8"))):
        began = time.perf_counter()
        found = search(question)
        if number >= 20:
            spent.append(1000 * (time.perf_counter() - began))
        assert len(found) == 10, len(found)
        if number == 19:
            time.sleep(2)
    print(json.dumps(spent))
def given():
    import numpy
    texts = json.load(open(home + "/texts.json", encoding="utf-8"))
    return texts, numpy.load(home + "/vectors.npy").tolist()
"""
_OURS = """
from ingest.embed import open_embedder
from ingest.index import Index
from rag_dolly.assemble import open_reranker
from rag_dolly.retrieve import HybridRetriever
from rag_dolly.settings import load_settings
index = Index.open(sys.argv[3], open_embedder())
"""
PROGRAMS = {
    OURS: f"""{_OURS}
retriever = HybridRetriever(index)
show(lambda question: retriever.search(question, 10))
""",
    "reranked if close": f"""{_OURS}
retriever = HybridRetriever(index, open_reranker(load_settings(), index.embedder))
show(lambda question: retriever.search(question, 10))
""",
    "LangChain, dense": """
try:
    from langchain_huggingface import HuggingFaceEmbeddings
except ImportError:
    from langchain_community.embeddings import HuggingFaceEmbeddings
from langchain_community.vectorstores import FAISS
texts, vectors = given()
embeddings = HuggingFaceEmbeddings(model_name=weights, model_kwargs={"model_kwargs": {"dtype": "float32"}})
store = FAISS.from_embeddings(list(zip(texts, vectors)), embeddings)
show(lambda question: store.similarity_search(question, k=10))
""",
    "LlamaIndex, dense": """
from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
texts, vectors = given()
model = HuggingFaceEmbedding(model_name=weights, model_kwargs={"dtype": "float32"})
nodes = [TextNode(text=text, embedding=vector) for text, vector in zip(texts, vectors)]
retriever = VectorStoreIndex(nodes, embed_model=model).as_retriever(similarity_top_k=10)
show(retriever.retrieve)
""",
}
NEEDS = {
    "LangChain, dense": (
        "langchain_community.vectorstores, sentence_transformers, faiss",
        "langchain-community faiss-cpu",
    ),
    "LlamaIndex, dense": ("llama_index.core, llama_index.embeddings.huggingface", "llama-index-embeddings-huggingface"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="A warm query, ours beside others.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("set", nargs="?", default="dolly-15k")
    parser.add_argument("--made", type=int, help="passages to make of the documents in the folder")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, help="keep the index here for the next time")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has the others' packages")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        kept, count = asked.cache or Path(scratch) / "index", asked.queries + WARMING
        if asked.made:
            name, index, questions = "made", *made(asked.folder, asked.made, count, kept)
        else:
            name, index, questions = real(asked.folder, asked.set, count, kept)
        passages = hand_over(index, questions, Path(scratch))
        print(f"{name}: {passages} passages, {asked.queries} questions, {asked.rounds} rounds in turns")
        show(measure(ways(asked.peer_python), asked.rounds, Path(scratch), index))


def real(folder: Path, wanted: str, count: int, kept: Path) -> tuple[str, Path, list[str]]:
    """Make the index of a data set; return its name, the index and `count` questions."""
    found = data_sets(folder, [wanted])
    if not found:
        sys.exit(f"No data set {wanted} in {folder}.")
    name, home = next(iter(found.items()))
    index = kept / name.replace("/", "-")
    corpus.fill(index, open_embedder(), read(home).documents)
    return name, index, list(read(home, count).queries.values())


def made(folder: Path, passages: int, count: int, kept: Path) -> tuple[Path, list[str]]:
    """Make an index of passages made of a folder's documents; return it and `count` questions."""
    found = scale_corpus.read_real(folder, open_embedder())
    index = kept / f"made-{passages}"
    if not (index / FILE).exists():
        scale.make(index, found, passages)
    return index, scale_corpus.questions(found, count)


def hand_over(index: Path, questions: list[str], home: Path) -> int:
    """Write the questions, and what the others are given of the index; return how many passages there are."""
    (home / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
    opened = Index.open(index, open_embedder())
    passages = {stored.id: chunk.embedding_text(stored.title, stored.passage) for stored in opened.all_passages()}
    (home / "texts.json").write_text(json.dumps(list(passages.values())), encoding="utf-8")
    np.save(home / "vectors.npy", opened.vectors_of(list(passages)))
    opened.close()
    return len(passages)


def ways(peer_python: str) -> dict[str, list[str]]:
    """Return the command of each way that is installed, its arguments left out."""
    commands = {}
    for name, program in PROGRAMS.items():
        python = peer_python if name in NEEDS else sys.executable
        modules, packages = NEEDS.get(name, ("sys", ""))
        tried = subprocess.run([python, "-c", f"import {modules}"], capture_output=True, text=True)
        if tried.returncode:
            reason = (tried.stderr.strip().splitlines() or ["it cannot be imported"])[-1]
            print(f"{name} skipped ({reason}): {python} -m pip install {packages}")
            continue
        commands[name] = [python, "-c", TIMES + program]
    return commands


def measure(commands: dict[str, list[str]], rounds: int, home: Path, index: Path) -> dict[str, list[list[float]]]:
    """Run every way once a round, each round beginning with another. Returns milliseconds by way and round."""
    spent: dict[str, list[list[float]]] = {name: [] for name in commands}
    names = list(commands)
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    for number in range(rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            command = [*commands[name], str(home), str(bundled_folder()), str(index)]
            ended = subprocess.run(command, capture_output=True, text=True, env=quiet)
            if ended.returncode:
                sys.exit(f"{name}: {ended.stderr}")
            spent[name].append(json.loads(ended.stdout.splitlines()[-1]))
    return spent


def show(spent: dict[str, list[list[float]]]) -> None:
    print(f"{'milliseconds':<20}{'p50':>8}{'p95':>8}   theirs / ours")
    ours = [statistics.median(times) for times in spent[OURS]]
    for name, rounds in spent.items():
        halves = [statistics.median(times) for times in rounds]
        slow = statistics.median(float(np.quantile(times, 0.95)) for times in rounds)
        ratios = [theirs / mine for theirs, mine in zip(halves, ours, strict=True)]
        ratio = f"{statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{name:<20}{statistics.median(halves):>8.1f}{slow:>8.1f}   {'' if name == OURS else ratio}")


if __name__ == "__main__":
    main()
