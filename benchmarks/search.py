"""All figures on retrieval, one after the other: quality beside plain ways, a warm query beside others, large indexes.

    python -m benchmarks.search DATA_DIR [--cache DIR] [--peer-python PATH] [--text DIR]

Runs benchmarks/retrieval.py on every data set of DATA_DIR, benchmarks/query.py on dolly-15k and on 4,120 passages made
of the texts of --text (default: docs), and benchmarks/scale.py with these texts; what these options mean is said there.
Takes an hour, 8 GB of disk and 6 GB of memory.
"""

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description="All figures on retrieval.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, help="keep the indexes of the data sets here")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has the others' packages")
    parser.add_argument("--text", default="docs", help="the folder whose texts large indexes are made of")
    asked = parser.parse_args()
    cache = ["--cache", str(asked.cache)] if asked.cache else []
    run("retrieval", str(asked.folder), *cache)
    run("query", str(asked.folder), "--peer-python", asked.peer_python, *cache)
    run("query", asked.text, "--made", "4120", "--peer-python", asked.peer_python)
    run("scale", asked.text, "--passages", "4120", "100000", "1000000")


def run(name: str, *arguments: str) -> None:
    print(f"\n## {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], check=True)


if __name__ == "__main__":
    main()
