"""Kill ingestion at random moments, and look at what is left.

    python -m benchmarks.crash [DIR] [--kills 50] [--seed 0] [--real]

Copies DIR (default: docs and 400 generated notes) into a scratch folder and ingests it in child processes, each killed
by SIGKILL at a moment drawn between its start and the end of a run's usual time: in turns the whole process group,
workers too, and the parent alone, as the system does when memory runs out. Every fifth begins without an index, and
half of these are killed within 30 ms of the index file's appearance. Before each, a fifth of the files are changed,
now and then some deleted, renamed or copied. The embedder is a cheap one that hashes words, or with --real the
bundled model.

After each kill: the index opens, SQLite finds nothing wrong, passages, their terms and vectors are the same in
number and by id, each passage is its document's text[start:end], and each document's passages are exactly those that an
uninterrupted run made of that version of the file. At the end a run that is not killed must leave the same
passages and vectors as a fresh index. Needs a POSIX system.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.crash_corpus import change, make_corpus
from benchmarks.crash_left import Content, content, faults
from ingest.embed import Embedder, Identity, Vectors, open_embedder
from ingest.errors import IndexMissing, RagDollyError
from ingest.index import FILE
from ingest.sync import ingest_paths

PATIENCE = 15.0
"""Seconds that orphaned workers have to notice and leave."""


class WordHashes:
    """An embedder that costs a millisecond a passage: words hashed into 64 numbers."""

    max_tokens = 120
    identity = Identity("word-hashes", hashlib.sha256(b"word-hashes").hexdigest(), 64)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `Embedder.token_spans`."""
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_passages`."""
        time.sleep(0.001 * len(texts))
        rows = np.full((len(texts), 64), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[hashlib.sha256(word.encode()).digest()[0] % 64] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def embed_query(self, text: str) -> Vectors:
        """See `Embedder.embed_query`."""
        first: Vectors = self.embed_passages([text])[0]
        return first

    def begin_query(self, text: str) -> Callable[[], Vectors]:
        """See `Embedder.begin_query`."""
        return lambda: self.embed_query(text)

    def knows(self, text: str) -> float:
        """See `Embedder.knows`: not told, so taken to be all of it."""
        return 1.0

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_sentences`."""
        return self.embed_passages(texts)


@dataclass(slots=True)
class Tally:
    """What was seen. `wrong` has a line for everything that should not be."""

    kills: int = 0
    in_time: int = 0
    none_yet: int = 0
    opened: int = 0
    complete: int = 0
    with_workers: int = 0
    orphans: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill ingestion at random moments.")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", action="store_true", help="embed with the bundled model")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    embedder: Embedder = open_embedder() if asked.real else WordHashes()
    if asked.child:
        ingest_paths([asked.folder], asked.child, embedder)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch) / "corpus"
        make_corpus(corpus, asked.folder)
        tally = Tally()
        kill_often(corpus, Path(scratch), embedder, asked, tally)
    print(f"kills {tally.kills}, runs that ended before their kill {tally.in_time}")
    print(f"no index file yet {tally.none_yet}, opened {tally.opened}, sound and every document whole {tally.complete}")
    print(f"runs that had workers when killed {tally.with_workers}, worker processes left after 15 s: {tally.orphans}")
    print("\n".join(f"WRONG {line}" for line in tally.wrong) or "result: nothing wrong")
    return int(bool(tally.wrong))


def kill_often(corpus: Path, scratch: Path, embedder: Embedder, asked: argparse.Namespace, tally: Tally) -> None:
    draw = random.Random(asked.seed)
    reference, index = scratch / "reference", scratch / "index"
    whole: Content = {}
    began = time.monotonic()
    start(corpus, reference, asked.real).wait()
    usual = first = time.monotonic() - began
    print(f"{len(list(corpus.rglob('*.*')))} files, an uninterrupted first run takes {usual:.1f} s", flush=True)
    while tally.kills < asked.kills and tally.in_time < 4 * asked.kills + 10:
        from_nothing = tally.kills % 5 == 0
        if from_nothing:
            shutil.rmtree(index, ignore_errors=True)
        change(corpus, draw)
        began = time.monotonic()
        ingest_paths([corpus], reference, embedder)
        usual = first if not index.exists() else time.monotonic() - began + 1.0  # a second for the start of Python
        whole |= content(reference, not asked.real)
        child = start(corpus, index, asked.real)
        wait_for_moment(child, index, usual, draw, at_birth=from_nothing and tally.kills % 10 == 0)
        was_killed, had, left = kill(child, group=tally.kills % 2 == 0)
        tally.kills += was_killed
        tally.in_time += not was_killed
        tally.with_workers += was_killed and had > 0
        tally.orphans += left
        look(index, embedder, whole, not asked.real, tally)
        if left:
            tally.wrong.append(f"kill {tally.kills}: {left} worker processes live on")
    ingest_paths([corpus], index, embedder)
    ingest_paths([corpus], scratch / "fresh", embedder)
    fresh = content(scratch / "fresh", not asked.real)
    for name in ("index", "reference"):
        if content(scratch / name, not asked.real) != fresh:
            tally.wrong.append(f"at the end: {name} is not what a fresh index is")
    passages = sum(row[3] is not None for rows in fresh.values() for row in rows)
    print(f"at the end {len(fresh)} files, {passages} passages, compared with a fresh index")


def look(index: Path, embedder: Embedder, whole: Content, with_vectors: bool, tally: Tally) -> None:
    """Count what a kill has left. An index that cannot be opened is taken away, so that the next runs begin anew."""
    try:
        found = faults(index, embedder, whole, with_vectors)
    except IndexMissing:
        tally.none_yet += 1
        return
    except RagDollyError as error:
        tally.wrong.append(f"kill {tally.kills}: {error}")
        shutil.rmtree(index)
        return
    tally.opened += 1
    tally.complete += not found
    tally.wrong += [f"kill {tally.kills}: {line}" for line in found[:5]]


def start(corpus: Path, index: Path, is_real: bool) -> subprocess.Popen[bytes]:
    """Start an ingestion as the leader of a process group of its own."""
    command = [sys.executable, "-m", "benchmarks.crash", str(corpus), "--child", str(index)]
    return subprocess.Popen([*command, *(["--real"] if is_real else [])], start_new_session=True)


def wait_for_moment(
    child: subprocess.Popen[bytes], index: Path, usual: float, draw: random.Random, at_birth: bool
) -> None:
    if at_birth:
        while child.poll() is None and not (index / FILE).exists():
            time.sleep(0.0005)
        time.sleep(draw.uniform(0, 0.03))
    else:
        time.sleep(draw.uniform(0, usual))


def kill(child: subprocess.Popen[bytes], group: bool) -> tuple[bool, int, int]:
    """Kill a run. Returns whether it was still running, how many workers it had, how many live on after 15 s."""
    family = below(child.pid)
    if group and child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    was_killed = child.wait() == -signal.SIGKILL
    until = time.monotonic() + PATIENCE
    while (left := survivors(child.pid, family)) and time.monotonic() < until:
        time.sleep(0.2)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return was_killed, len(family), len(left)


def survivors(leader: int, family: dict[int, str]) -> list[int]:
    """Return who of a family lives on, and who else is in the leader's group."""
    now = processes()
    return [pid for pid, (_, group, command) in now.items() if group == leader or family.get(pid) == command]


def below(leader: int) -> dict[int, str]:
    """Return the processes that a process started, whether or not they left its group, and their commands."""
    now = processes()
    family: set[int] = set()
    while more := {pid for pid, (parent, _, _) in now.items() if parent in family | {leader}} - family:
        family |= more
    return {pid: now[pid][2] for pid in family}


def processes() -> dict[int, tuple[int, int, str]]:
    """Return pid -> (parent, process group, command) of every process that has not ended."""
    command = ["ps", "-e", "-o", "pid=,ppid=,pgid=,stat=,args="]
    rows = [line.split(None, 4) for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines()]
    return {int(row[0]): (int(row[1]), int(row[2]), row[4]) for row in rows if len(row) == 5 and row[3][0] != "Z"}


if __name__ == "__main__":
    raise SystemExit(main())
