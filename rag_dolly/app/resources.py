"""The one engine of this process: the real chain, unless something else was installed before the first page.

`install` is the seam: `serve.py` installs an engine for the settings of the command line, tests one with a fake
behind it. Under a plain `streamlit run` the first page installs the engine that the settings describe, and
switches off what libraries would send, as the command line does.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ingest.report import OnProgress, Report
from rag_dolly.app.engine import Engine

if TYPE_CHECKING:
    from rag_dolly.settings import Settings
    from rag_dolly.types import Pipeline, Reranker

_lock = threading.Lock()
_engine: Engine | None = None


class LocalBackend:
    """The real chain and the real ingestion, for one set of settings."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.model = settings.model
        self.max_tokens = settings.max_tokens
        self.keeps_conversations = settings.keep_conversations
        self.index_dir: Path = settings.index
        self._loading = threading.Lock()
        self._loaded: Pipeline | Literal["not yet"] | None = "not yet"

    def open_chain(self, tell: Callable[[str], None]) -> Any:
        """Open the index and put the chain together."""
        from rag_dolly.chain import RagChain

        return RagChain.from_settings(self._settings, tell, load=partial(self.load_model, tell))

    def load_model(self, tell: Callable[[str], None]) -> "Pipeline | None":
        """Load the language model of the settings, once: chain and plain chat have the same one."""
        from rag_dolly.assemble import load_pipeline

        with self._loading:
            if self._loaded == "not yet":
                self._loaded = load_pipeline(self._settings, tell)
            return self._loaded

    def open_reranker(self, embedder: Any) -> "Reranker | None":
        """Return the reranker of the settings, None if they name none."""
        from rag_dolly.assemble import open_reranker

        return open_reranker(self._settings, embedder)

    def ingest(self, paths: Sequence[Path], on_progress: OnProgress) -> Report:
        """Put files into the index of the settings."""
        from rag_dolly.assemble import ingest

        return ingest(paths, self._settings, on_progress)

    def read_again(self, within: str, anew: bool, on_progress: OnProgress) -> Report:
        """Read a document or a folder of the index again."""
        from ingest.embed import open_embedder
        from ingest.reread import reread

        embedder = open_embedder(self._settings.embedder, self._settings.offline)
        return reread(within, self.index_dir, embedder, on_progress, anew=anew)

    def forget(self, sources: Sequence[str]) -> Sequence[Path]:
        """Take documents out of the index of the settings for good, with the feedback that quotes them."""
        from rag_dolly.forgetting import forget

        return forget(sources, self.index_dir).left

    def examine(self) -> Mapping[str, Any]:
        """Look at what is installed, the device, the models and the index, as `rag-dolly doctor` does."""
        from rag_dolly.doctor import examine

        return examine(self._settings)

    def settings(self) -> Sequence[tuple[str, str, str, str]]:
        """Return every setting, and where it was set."""
        from rag_dolly.app.settings_origin import origins

        return origins(self._settings)


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
