"""Files to an index on disk: ours beside plain LangChain and LlamaIndex, each in a fresh process, in turns.

    python -m benchmarks.ingest DIR_OR_FILE... [--rounds 3] [--peer-python PATH]

Ours reads, cuts, embeds and stores, as `rag-dolly ingest` does. The others get our passages as they are embedded, ready
in a JSON lines file, so that all embed the same texts with the same weights and the reading of files costs them
nothing; they embed in fp32, in batches of 32, and save what they made, as their tutorials show. PATH is a Python that
has their packages (default: this one); a way whose packages are missing is skipped with the line that installs them.

Seconds are wall time of the whole process, its start and the loading of the model included; "run" is what our report
says of itself. The ratio is theirs to ours of the same round. Memory is the most that the process and its workers
had resident together, sampled twice a second, pages that they share counted for each (a POSIX system is needed).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from ingest import chunk
from ingest.embed import open_embedder
from ingest.index import Index
from ingest.weights import bundled_folder

OURS = "rag-dolly"
CLI = [sys.executable, "-c", "from rag_dolly.cli import main; main()"]
LANGCHAIN = """
import json, sys
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
try:
    from langchain_huggingface import HuggingFaceEmbeddings
except ImportError:
    from langchain_community.embeddings import HuggingFaceEmbeddings
from langchain_community.vectorstores import FAISS
embeddings = HuggingFaceEmbeddings(
    model_name=sys.argv[2], model_kwargs={"model_kwargs": {"dtype": "float32"}}, encode_kwargs={"batch_size": 32}
)
FAISS.from_texts(texts, embeddings).save_local(sys.argv[3])
"""
LLAMA_INDEX = """
import json, sys
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
model = HuggingFaceEmbedding(model_name=sys.argv[2], embed_batch_size=32, model_kwargs={"dtype": "float32"})
index = VectorStoreIndex([TextNode(text=text) for text in texts], embed_model=model)
index.storage_context.persist(persist_dir=sys.argv[3])
"""
PEERS = {
    "LangChain + FAISS": (
        LANGCHAIN,
        "import langchain_community.vectorstores, sentence_transformers, faiss",
        "langchain-community sentence-transformers faiss-cpu",
    ),
    "LlamaIndex": (
        LLAMA_INDEX,
        "import llama_index.core, llama_index.embeddings.huggingface",
        "llama-index-core llama-index-embeddings-huggingface",
    ),
}


@dataclass(slots=True)
class Runs:
    """What was measured of one way: wall seconds, megabytes, and seconds by the report, of each round."""

    seconds: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    reported: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description="Files to an index on disk, ours beside others.")
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has the others' packages")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        passages = export(asked.paths, home)
        print(f"{passages} passages from {' '.join(path.name for path in asked.paths)}; {asked.rounds} rounds in turns")
        ways: dict[str, list[str]] = {OURS: [*CLI, "ingest", *map(str, asked.paths), "--json", "--index"]}
        for name, command in peers(asked.peer_python, home).items():
            ways[name] = command
        show(measure(ways, asked.rounds, home), passages)


def export(paths: Sequence[Path], home: Path) -> int:
    """Write what we embed of these files, one passage a line, returning how many; it also warms the disk's cache."""
    ended = subprocess.run([*CLI, "ingest", *map(str, paths), "--index", str(home / "export")], capture_output=True)
    if ended.returncode not in (0, 3):
        sys.exit(ended.stderr.decode())
    index = Index.open(home / "export", open_embedder())
    texts = [
        chunk.embedding_text(chunk.embedding_title(stored.passage.source, stored.title), stored.passage)
        for stored in index.all_passages()
    ]
    index.close()
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    (home / "passages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(texts)


def peers(python: str, home: Path) -> dict[str, list[str]]:
    """Return the command of each other way that is installed, its last argument (where to save) left out."""
    found = {}
    for name, (program, needs, packages) in PEERS.items():
        tried = subprocess.run([python, "-c", needs], capture_output=True, text=True)
        if tried.returncode:
            reason = (tried.stderr.strip().splitlines() or ["it cannot be imported"])[-1]
            print(f"{name} skipped ({reason}): {python} -m pip install {packages}")
            continue
        found[name] = [python, "-c", program, str(home / "passages.jsonl"), str(bundled_folder())]
    return found


def measure(ways: dict[str, list[str]], rounds: int, home: Path) -> dict[str, Runs]:
    """Run every way once a round, each round beginning with another."""
    measured = {name: Runs() for name in ways}
    names = list(ways)
    for number in range(rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            out = home / f"{names.index(name)}-{number}"
            seconds, peak, printed = run([*ways[name], str(out)])
            measured[name].seconds.append(seconds)
            measured[name].peak.append(peak)
            size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
            if name == OURS:
                measured[name].reported.append(float(json.loads(printed)["seconds"]))
            print(f"  round {number + 1}  {name:<20}{seconds:>8.1f} s{peak:>8.0f} MB, {size / 1e6:.1f} MB on disk")
    return measured


def run(command: list[str]) -> tuple[float, float, str]:
    """Run a command in a process of its own. Returns wall seconds, megabytes at the peak, and what it printed."""
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with tempfile.TemporaryFile() as complaints:
        began = perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True, env=offline)
        peaks: list[float] = []
        ended = threading.Event()
        watcher = threading.Thread(target=watch, args=(child.pid, ended, peaks))
        watcher.start()
        assert child.stdout is not None
        printed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = perf_counter() - began
        ended.set()
        watcher.join()
        if os.waitstatus_to_exitcode(status) not in (0, 3):
            complaints.seek(0)
            sys.exit(complaints.read().decode(errors="replace"))
    largest = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1024)
    return seconds, max([largest, *peaks]), printed


def watch(pid: int, ended: threading.Event, peaks: list[float]) -> None:
    """Append the megabytes that a process and all below it have resident, until it has ended."""
    while not ended.wait(0.5):
        listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,rss="], capture_output=True, text=True).stdout
        rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
        family = {pid}
        while more := {row[0] for row in rows if row[1] in family} - family:
            family |= more
        peaks.append(sum(row[2] for row in rows if row[0] in family) / 1024)


def show(measured: dict[str, Runs], passages: int) -> None:
    ours = measured[OURS]
    print(f"\n{'':<20}{'seconds':>9}{'passages/s':>12}{'peak MB':>9}   theirs / ours")
    for name, runs in measured.items():
        median = statistics.median(runs.seconds)
        ratios = [theirs / mine for theirs, mine in zip(runs.seconds, ours.seconds, strict=True)]
        ratio = f"{statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})"
        ratio = "" if name == OURS else ratio
        print(f"{name:<20}{median:>9.1f}{passages / median:>12.0f}{max(runs.peak):>9.0f}   {ratio}")
    median = statistics.median(ours.reported)
    print(f"{OURS + ', run':<20}{median:>9.1f}{passages / median:>12.0f}")


if __name__ == "__main__":
    main()
