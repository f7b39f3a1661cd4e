"""A second run over a folder in which nothing changed: `python -m benchmarks.unchanged [--files 5000]`.

Makes that many small files in 50 folders, ingests them, then times `rag-dolly ingest` in fresh processes: the median
of five, beside a bare walk that reads and hashes every file.
"""

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUN = [sys.executable, "-c", "from rag_dolly.cli import main; main()", "ingest", "docs", "--json"]


def make(folder: Path, files: int) -> None:
    for number in range(files):
        path = folder / f"part{number % 50:02}" / f"note{number:05}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Note {number}\n\nMachine {number} was serviced on day {number % 365} of the year.\n")


def hash_all(folder: Path) -> None:
    for here, _, names in os.walk(folder):
        for name in names:
            hashlib.sha256(Path(here, name).read_bytes()).hexdigest()


def seconds(work: object, *arguments: object) -> float:
    began = time.monotonic()
    work(*arguments)  # type: ignore[operator]
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        make(home / "docs", wanted.files)
        first = seconds(lambda: subprocess.run(RUN, cwd=home, check=True, capture_output=True))
        time.sleep(2.5)
        again = []
        for _ in range(5):
            began = time.monotonic()
            said = subprocess.run(RUN, cwd=home, check=True, capture_output=True, text=True).stdout
            again.append(time.monotonic() - began)
        hashed = statistics.median(seconds(hash_all, home / "docs") for _ in range(5))
    print(f"{wanted.files} files, first run {first:.1f} s")
    print(f"nothing changed: median {statistics.median(again):.2f} s ({min(again):.2f}-{max(again):.2f})")
    print(f"reading and hashing every file alone: {hashed:.2f} s")
    print(said.strip()[:200])


if __name__ == "__main__":
    main()
