"""The one engine of this process: the real chain, unless something else was installed before the first page.

`install` is the seam: `serve.py` installs an engine for the settings of the command line, tests one with a fake
behind it. Under a plain `streamlit run` the first page installs the engine that the settings describe, and
switches off what libraries would send, as the command line does.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.report import OnProgress, Report
from rag_dolly.app.engine import Engine

if TYPE_CHECKING:
    from rag_dolly.settings import Settings

_lock = threading.Lock()
_engine: Engine | None = None


class LocalBackend:
    """The real chain and the real ingestion, for one set of settings."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.model = settings.model
        self.index_dir: Path = settings.index

    def open_chain(self, tell: Callable[[str], None]) -> Any:
        """Open the index and put the chain together."""
        from rag_dolly.chain import RagChain

        return RagChain.from_settings(self._settings, tell)

    def ingest(self, paths: Sequence[Path], on_progress: OnProgress) -> Report:
        """Put files into the index of the settings."""
        from rag_dolly.assemble import ingest

        return ingest(paths, self._settings, on_progress)


def install(engine: Engine) -> None:
    """Make `engine` the one that all pages of this process use."""
    global _engine
    with _lock:
        _engine = engine


def engine() -> Engine:
    """Return the process's engine, started. Raises `BadSetting` if the settings are not understood."""
    global _engine
    with _lock:
        if _engine is None:
            from rag_dolly.environment import settle
            from rag_dolly.settings import load_settings

            settle()
            _engine = Engine(LocalBackend(load_settings()))
        found = _engine
    found.start()
    return found
