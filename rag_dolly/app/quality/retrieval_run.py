"""An evaluation of retrieval in the background: searches for each question, without a model, and scores the result."""

from collections.abc import Iterator
from functools import partial

from rag_dolly import evaluate, retrieval_evaluations
from rag_dolly.app.engine import Engine
from rag_dolly.app.quality import evaluation_run
from rag_dolly.app.quality.evaluation_run import Run
from rag_dolly.retrieval_evaluations import Wanted


def start(engine: Engine, data: str, wanted: Wanted) -> Run:
    """Begin to search. Raises `RagDollyError` while another evaluation runs."""
    return evaluation_run.start(engine, data, list(wanted.queries), partial(search_all, wanted))


def search_all(wanted: Wanted, run: Run) -> None:
    """Search for each query, then score and keep what was found until the end or the stop."""
    if run.engine.chain is None:
        return
    index = run.engine.chain.index
    reranker = run.engine.backend.open_reranker(index.embedder)
    runs = evaluate.run_stages(index, _until_stopped(wanted, run), str, reranker=reranker)
    if runs:
        run.state = "judging"
        facts = {
            "data": run.data,
            "documents": index.counts()["documents"],
            "embedder": index.embedder.identity.name,
            "reranker": reranker.name if reranker else "none",
        }
        run.name = retrieval_evaluations.save(run.engine.backend.index_dir, runs, wanted, facts).name


def _until_stopped(wanted: Wanted, run: Run) -> Iterator[tuple[str, str]]:
    for done, query in enumerate(wanted.queries.items()):
        run.done = done
        if run.stopping.is_set():
            return
        yield query
    run.done = len(wanted.queries)
