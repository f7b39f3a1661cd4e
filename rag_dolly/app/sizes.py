"""Numbers in words: bytes, counts, and the size of an index on disk."""

from pathlib import Path


def size(count: int) -> str:
    """Return a number of bytes for people: "812 B", "1.4 MB"."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] in ("B", "kB") else f"{amount:.1f} {units[0]}"


def counted(number: int, thing: str) -> str:
    """Return "1 file", "1,200 files"."""
    return f"{number:,} {thing if number == 1 else thing + 's'}"


def on_disk(index_dir: Path) -> int:
    """Return how many bytes the index files take, without the files that were added on the page."""
    files = [*index_dir.glob("index.sqlite3*"), *index_dir.glob("derived/**/*")]
    return sum(file.stat().st_size for file in files if file.is_file())
