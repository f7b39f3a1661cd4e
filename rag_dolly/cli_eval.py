"""The commands that measure: `rag-dolly eval ...`."""

from pathlib import Path
from typing import Annotated

import typer

from rag_dolly.cli_options import EmbedderOption, JsonOption, OfflineOption, RerankerOption

evaluation = typer.Typer(help="Measure how good what is found is.", no_args_is_help=True, rich_markup_mode=None)


@evaluation.command("retrieval")
def retrieval(
    data: Annotated[
        Path, typer.Argument(help="Folder with corpus.jsonl, queries.jsonl and qrels.tsv.", show_default=False)
    ],
    index: Annotated[
        Path | None,
        typer.Option(help="Keep the index of the corpus here for the next time; one of files is measured as it is."),
    ] = None,
    top_k: Annotated[int, typer.Option("--top-k", min=10, max=1000, help="Documents ranked for each query.")] = 100,
    plot: Annotated[Path | None, typer.Option(help="Draw the measures into this .html or .png file.")] = None,
    run_dir: Annotated[Path | None, typer.Option(help="Write a TREC run of each stage into this folder.")] = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    offline: OfflineOption = None,
    json: JsonOption = False,
) -> None:
    """Measure each stage of retrieval on a data set in BEIR layout, with 95 % confidence intervals."""
    import tempfile

    from ingest.embed import open_embedder
    from rag_dolly import assemble, evaluate, show_eval
    from rag_dolly import plot as drawing
    from rag_dolly.beir import read_collection
    from rag_dolly.measures import has_library
    from rag_dolly.settings import load_settings

    settings = load_settings(embedder=embedder, reranker=reranker, offline=offline)
    if plot:
        drawing.check_suffix(plot)
    collection = read_collection(data)
    model = open_embedder(settings.embedder, settings.offline)
    second = assemble.open_reranker(settings, model)
    with show_eval.steps() as on_step, tempfile.TemporaryDirectory() as scratch:
        found = evaluate.evaluate(collection, model, index or Path(scratch), top_k, on_step, second)
    facts = {
        "data": data.resolve().name,
        "queries": len(collection.queries),
        "documents": found.documents,
        "passages": found.passages,
        "embedder": model.identity.name,
        "reranker": second.name if second else "none",
        "measured_by": "ir-measures" if has_library() else "rag-dolly",
        "left_out": collection.left_out,
    }
    if run_dir:
        evaluate.write_runs(found.runs, run_dir)
    if plot:
        drawing.write_plot(found.stages, f"{facts['data']}, {facts['queries']} queries", plot)
    show_eval.evaluation(found, facts, json)
