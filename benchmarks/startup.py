"""How long a first answer takes: each command as a fresh process, and what its time is spent on.

    python -m benchmarks.startup

Indexes a small folder of its own, then runs each command several times and prints the median and the range of wall
seconds; beside them, in the same run, the time that importing sentence-transformers alone takes, which is what a search
costs that embeds its query in the usual way.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = 5
COMMAND = [sys.executable, "-c", "from rag_dolly.cli import main; main()"]
TEXT = "The lighthouse of Marrow Point was built in 1871. It is 42 metres tall. Its lamp burned oil until 1902.\n"
QUESTION = "How tall is the lighthouse of Marrow Point?"


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "docs").mkdir()
        for number in range(20):
            (Path(scratch) / "docs" / f"{number}.txt").write_text(TEXT.replace("Marrow", f"Marrow {number}"))
        run(scratch, [*COMMAND, "ingest", "docs"])
        run(scratch, [*COMMAND, "ask", QUESTION], ok=(0, 4))  # converts the bundled model if that was never done
        print(f"{'fresh process':<44}{'median':>8}{'min':>8}{'max':>8}   seconds")
        measure(scratch, "import sentence_transformers", [sys.executable, "-c", "import sentence_transformers"])
        measure(scratch, "rag-dolly --help", [*COMMAND, "--help"])
        measure(scratch, "rag-dolly ingest (nothing new)", [*COMMAND, "ingest", "docs"])
        measure(scratch, "rag-dolly search", [*COMMAND, "search", QUESTION])
        measure(scratch, "rag-dolly ask --model none", [*COMMAND, "ask", QUESTION, "--model", "none"])
        measure(scratch, "rag-dolly ask", [*COMMAND, "ask", QUESTION])
        show_stages(scratch)


def run(folder: str, command: Sequence[str], ok: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ended.returncode not in ok:
        sys.exit(ended.stderr)
    return ended


def measure(folder: str, name: str, command: Sequence[str]) -> None:
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run(folder, command, ok=(0, 4))
        seconds.append(time.perf_counter() - began)
    print(f"{name:<44}{statistics.median(seconds):>8.2f}{min(seconds):>8.2f}{max(seconds):>8.2f}")


def show_stages(folder: str) -> None:
    """Print what one `ask` of the bundled model says of its own time."""
    answer = json.loads(run(folder, [*COMMAND, "ask", QUESTION, "--json"], ok=(0, 4)).stdout)
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in answer["timings"].items())
    print(f"\none ask, seconds from the question on: {stages} (model {answer['model']}, {answer['mode']})")


if __name__ == "__main__":
    main()
