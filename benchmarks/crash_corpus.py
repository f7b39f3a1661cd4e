"""The files that `benchmarks.crash` ingests: made, and changed between runs."""

import random
import shutil
from pathlib import Path

NOTES = 400
WORDS = "harbour ledger lamp keeper storm rope tide engine coal signal night oil glass stair wind repair".split()


def make_corpus(corpus: Path, folder: Path | None) -> None:
    shutil.copytree(folder or Path("docs"), corpus / "given")
    if folder is None:
        draw = random.Random(7)
        (corpus / "notes").mkdir()
        for number in range(NOTES):
            (corpus / "notes" / f"note{number:03}.md").write_text(note(draw), encoding="utf-8")


def note(draw: random.Random) -> str:
    parts = [f"## {draw.choice(WORDS)} {draw.randrange(1000)}\n\n{sentences(draw)}" for _ in range(draw.randint(1, 6))]
    return f"# Note on {draw.choice(WORDS)}\n\n" + "\n\n".join(parts) + "\n"


def sentences(draw: random.Random) -> str:
    return " ".join(f"{' '.join(draw.choices(WORDS, k=9)).capitalize()} {draw.random()}." for _ in range(8))


def change(corpus: Path, draw: random.Random) -> None:
    """Change a fifth of the text files; one time in three also delete, rename and copy a few."""
    files = sorted(path for path in corpus.rglob("*") if path.suffix in {".md", ".txt"})
    for path in draw.sample(files, len(files) // 5):
        path.chmod(0o644)
        path.write_text(note(draw), encoding="utf-8")
    if draw.random() < 1 / 3 and len(files) > 12:
        gone, renamed, copied = (draw.sample(files, 12)[n : n + 4] for n in (0, 4, 8))
        for path in gone[: len(files) // 100]:
            path.unlink(missing_ok=True)
        for path in renamed:
            if path.exists():
                path.rename(path.with_name(f"r{draw.randrange(10**6)}{path.suffix}"))
        for path in copied:
            if path.exists():
                shutil.copy(path, path.with_name(f"c{draw.randrange(10**6)}{path.suffix}"))
