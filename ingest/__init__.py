"""Files to a searchable index. Knows nothing of questions, prompts or language models.

from ingest import Index, ingest_folder
report = ingest_folder("docs", index=".rag-dolly")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.index import Index as Index
    from ingest.report import Report

__all__ = ["Index", "ingest_folder"]


def ingest_folder(
    folder: str | Path,
    index: str | Path = ".rag-dolly",
    embedder: str = "auto",
    offline: bool = False,
    passwords: Sequence[str] = (),
) -> "Report":
    """Bring the index up to date with a folder (or one file) and return the report.

    `embedder` is "auto" (the bundled all-MiniLM-L6-v2), a model directory or a hub name; with `offline` no hub is
    asked; `passwords` are tried on encrypted files. Raises the errors of `ingest.sync.ingest_paths` and
    `ModelNotFound`.
    """
    from ingest.embed import open_embedder
    from ingest.sync import ingest_paths

    return ingest_paths([Path(folder)], Path(index), open_embedder(embedder, offline), passwords=passwords)


def __getattr__(name: str) -> Any:
    """Import `Index` on first use: it needs numpy and FAISS, which `import ingest` alone does not."""
    if name == "Index":
        from ingest.index import Index

        return Index
    raise AttributeError(f"module 'ingest' has no attribute '{name}'")
