"""The commands that measure: `rag-dolly eval ...`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_dolly.cli_options import (
    AskTopK,
    DeviceOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    MaxTokens,
    ModelOption,
    OfflineOption,
    OffloadOption,
    QuantizeOption,
    RerankerOption,
    ServedModelOption,
)

if TYPE_CHECKING:
    from rag_dolly.evaluate_answers import AnswerEvaluation

evaluation = typer.Typer(
    help="Measure how good what is found and answered is.", no_args_is_help=True, rich_markup_mode=None
)


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


@evaluation.command("answers")
def answers(
    questions: Annotated[
        Path, typer.Argument(help="JSON lines of {id, question, answers, answerable, doc}.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(help="Keep each answer in this .jsonl file, and go on from it.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write each answer beside its sources into this .html.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the calibration into this .html or .png file.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many questions.")] = None,
    top_k: AskTopK = None,
    max_tokens: MaxTokens = None,
    model: ModelOption = None,
    served_model: ServedModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    device: DeviceOption = None,
    quantize: QuantizeOption = None,
    offload: OffloadOption = None,
    index: IndexOption = None,
    offline: OfflineOption = None,
    json: JsonOption = False,
) -> None:
    """Ask questions whose answers are known, and measure answers, citations and refusals."""
    from rag_dolly import answer_questions, evaluate_answers, show, show_answers, show_eval
    from rag_dolly.chain import RagChain
    from rag_dolly.settings import load_settings

    models = {"model": model, "served_model": served_model, "embedder": embedder, "reranker": reranker}
    where = {"device": device, "quantize": quantize, "offload": offload}
    settings = load_settings(**models, **where, index=index, offline=offline, top_k=top_k, max_tokens=max_tokens)
    _check_files(out, report, plot)
    asked = answer_questions.read_questions(questions, limit)
    kept = len(answer_questions.read_answers(out, asked)) if out else 0
    if kept:
        show.note(f"{kept} of {len(asked)} answers are kept from {out}; delete it to ask again")
    chain = RagChain.from_settings(settings, show.note)
    with show_eval.steps() as on_step:
        given = answer_questions.answer_questions(asked, chain.invoke, out, on_step)
    sources = [row.source for row in chain.index.documents() if row.state == "indexed"]
    found = evaluate_answers.evaluate_answers(asked, given, evaluate_answers.names_in(sources))
    facts = {
        "data": questions.name,
        "documents": len(sources),
        "model": ", ".join(sorted({str(answer["model"]) for answer in given})),
        "embedder": chain.index.embedder.identity.name,
        "reranker": settings.reranker,
        "kept": kept,
    }
    _write_files(found, facts, report, plot)
    show_answers.answers(found, facts, json)


def _check_files(out: Path | None, report: Path | None, plot: Path | None) -> None:
    """Raise what writing would raise, before the questions are asked."""
    from rag_dolly import answer_report
    from rag_dolly import plot as drawing
    from rag_dolly.errors import RagDollyError

    if plot:
        drawing.check_suffix(plot)
    if report:
        answer_report.check_suffix(report)
    for path in (out, report, plot):
        if path and not path.absolute().parent.is_dir():
            raise RagDollyError(f"{path} cannot be written: expected a folder that exists, make {path.parent} first.")


def _write_files(found: "AnswerEvaluation", facts: dict[str, Any], report: Path | None, plot: Path | None) -> None:
    from rag_dolly import answer_report
    from rag_dolly import plot as drawing
    from rag_dolly.calibration import as_table

    if report:
        answer_report.write_report(found, facts, report)
    if plot:
        drawing.write_plot(as_table(found.bins), answer_report.calibration_title(found), plot)
