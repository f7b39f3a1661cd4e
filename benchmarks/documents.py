"""What becomes of each file of a folder: indexed, in part, or not, and what we say about it.

    python -m benchmarks.documents DIR [--manifest FILE.jsonl] [--out TABLE.md]

Ingests DIR into a temporary index with the real embedder and prints a Markdown table with a row for every file in it.
A manifest has one JSON object a line: "file" (a path that ends as the file's does) and "why" (what is special in it);
both are shown as they are. A file that has no passages and no reason why is unexplained, and so is one that the
report and the index are both silent about; the exit code is 1 if there are any.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ingest.embed import open_embedder
from ingest.index import Index
from ingest.report import Report
from ingest.sync import ingest_paths

MOST = 150
"""Characters of what we said that are shown."""
SILENT = "not mentioned"


@dataclass(frozen=True, slots=True)
class Row:
    """One file. `why` is the manifest's word, `said` ours, "" where nothing was said."""

    source: str
    why: str
    state: str
    passages: int
    said: str

    @property
    def is_unexplained(self) -> bool:
        """Whether nothing is found of it and nothing was said."""
        return not self.passages and not self.said


def main() -> int:
    parser = argparse.ArgumentParser(description="What becomes of each file of a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--manifest", type=Path, help="JSON lines with the fields file and why")
    parser.add_argument("--out", type=Path, help="write the table here too")
    asked = parser.parse_args()
    why = read_manifest(asked.manifest) if asked.manifest else {}
    rows, seconds = ingest(asked.folder, why)
    text = table(rows, seconds)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")
    return int(any(row.is_unexplained for row in rows))


def read_manifest(path: Path) -> dict[str, str]:
    """Return file -> why."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {str(line["file"]): str(line.get("why") or "") for line in lines if line.get("file")}


def ingest(folder: Path, why: dict[str, str]) -> tuple[list[Row], float]:
    """Return a row for each file, by source, and the wall seconds of the run."""
    embedder = open_embedder()
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        report = ingest_paths([folder], Path(scratch) / "index", embedder)
        seconds = time.monotonic() - began
        index = Index.open(Path(scratch) / "index", embedder)
        found = {row.source: (row.state, row.passages, row.reason) for row in index.documents()}
        index.close()
    return rows_of(folder, why, report, found), seconds


def rows_of(folder: Path, why: dict[str, str], report: Report, found: dict[str, tuple[str, int, str]]) -> list[Row]:
    said: dict[str, list[str]] = {}
    for source, reason in [*report.failed, *report.skipped, *report.partial]:
        said.setdefault(source, []).append(reason)
    for source, (_, _, reason) in found.items():
        if reason:
            said.setdefault(source, [reason])
    rows = []
    for source in sorted({*files(folder), *found, *said}):
        if source not in found and source not in said and any(source.startswith(f"{above}/") for above in said):
            continue  # in a folder that was passed over as a whole, and has a row
        state, passages, _ = found.get(source, ("skipped" if source in said else SILENT, 0, ""))
        state = "in part" if passages and source in dict(report.partial) else state
        rows.append(Row(source, known(why, source), state, passages, "; ".join(dict.fromkeys(said.get(source, [])))))
    return rows


def files(folder: Path) -> list[str]:
    """Return every file under a folder as it would be called in the index; of a single file, its name."""
    if folder.is_file():
        return [folder.name]
    return [
        (Path(where) / name).relative_to(folder).as_posix() for where, _, names in os.walk(folder) for name in names
    ]


def known(why: dict[str, str], source: str) -> str:
    """Return what the manifest says of a file: its paths may begin above or below the folder."""
    for file, text in why.items():
        if f"/{file}".endswith(f"/{source}") or f"/{source}".endswith(f"/{file}"):
            return text
    return ""


def table(rows: list[Row], seconds: float) -> str:
    lines = ["| file | known of it | state | passages | what we said |", "|---|---|---|---:|---|"]
    lines += [
        f"| {cell(row.source)} | {cell(row.why)} | {row.state} | {row.passages} | {cell(row.said)} |" for row in rows
    ]
    states = Counter(row.state for row in rows)
    counts = ", ".join(f"{state} {states[state]}" for state in sorted(states))
    unexplained = [row.source for row in rows if row.is_unexplained]
    lines += ["", f"{len(rows)} files: {counts}; {sum(row.passages for row in rows)} passages in {seconds:.1f} s"]
    lines += [f"unexplained zeros: {len(unexplained)}{''.join(f' {name}' for name in unexplained)}"]
    return "\n".join(lines)


def cell(text: str) -> str:
    """Return text that cannot break out of a cell, shortened to `MOST` characters."""
    plain = " ".join(text.split())
    short = plain if len(plain) <= MOST else plain[: MOST - 1] + "…"
    return short.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    raise SystemExit(main())
