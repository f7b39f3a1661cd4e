"""The command line: parse, call one function, print. Data goes to stdout, everything else to stderr.

Exit codes: 0 done; 1 failed, one line says why; 2 wrong usage; 3 done, but some files could not be read; 4 the
documents do not answer this. Nothing heavy is imported until a command needs it.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rag_dolly.cli_ask import ask, chat, page
from rag_dolly.cli_eval import evaluation
from rag_dolly.cli_export import export
from rag_dolly.cli_finetune import finetune, finetune_embedder
from rag_dolly.cli_options import (
    DeviceOption,
    EmbedderOption,
    FilterOption,
    IndexOption,
    JsonOption,
    ModelOption,
    OfflineOption,
    OffloadOption,
    QuantizeOption,
    RerankerOption,
    VersionOption,
)
from rag_dolly.cli_reader import finetune_reader
from rag_dolly.cli_serve import serve

app = typer.Typer(
    name="rag-dolly",
    help="Ask a folder of documents, and check every sentence of the answer in its source.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(export, name="export")
app.add_typer(evaluation, name="eval")
app.command()(finetune)
app.command()(finetune_embedder)
app.command("finetune-reader")(finetune_reader)


@app.callback()
def _root(version: VersionOption = False) -> None: ...


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Folders and files to bring into the index.", show_default=False)],
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and follow every change until Ctrl-C.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that parse files. [default: one a core, at most 8]")
    ] = None,
    password: Annotated[list[str] | None, typer.Option(help="For encrypted PDFs; may be given again.")] = None,
    index: IndexOption = None,
    embedder: EmbedderOption = None,
    offline: OfflineOption = None,
    json: JsonOption = False,
) -> None:
    """Bring the index up to date with folders: what is new is read, what is gone leaves it."""
    from rag_dolly import assemble, show
    from rag_dolly.settings import load_settings

    settings = load_settings(index=index, embedder=embedder, offline=offline)
    with show.ingesting() as on_progress:
        report = assemble.ingest(paths, settings, on_progress, workers=workers, passwords=password or ())
    show.report(report, settings.index, json)
    if watch:
        changes = assemble.watch(
            paths, settings, lambda error: show.note(str(error)), workers=workers, passwords=password or ()
        )
        show.changes(changes, settings.index, json)
    raise typer.Exit(3 if report.failed else 0)


@app.command()
def forget(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Documents, named as `ls` shows them.", show_default=False)
    ] = None,
    feedback: Annotated[bool, typer.Option("--feedback", help="Delete all feedback and written records.")] = False,
    index: IndexOption = None,
) -> None:
    """Remove documents from the index with every trace: text, words, vectors, and feedback that quotes them."""
    from rag_dolly import forgetting, show
    from rag_dolly.settings import load_settings

    forgotten = forgetting.forget(sources or (), load_settings(index=index).index, everything_said=feedback)
    show.forgotten(sources or (), *forgotten)


@app.command()
def reembed(index: IndexOption = None, embedder: EmbedderOption = None, offline: OfflineOption = None) -> None:
    """Change the index over to another embedder, from its stored text; no file is read."""
    from rag_dolly import assemble, show
    from rag_dolly.settings import load_settings

    settings = load_settings(index=index, embedder=embedder, offline=offline)
    with show.ingesting() as on_progress:
        passages = assemble.reembed(settings, on_progress)
    name = assemble.open_index(settings).embedder.identity.name
    typer.echo(f"{passages} passages in {settings.index} are embedded with {name}")


@app.command()
def search(
    question: Annotated[str | None, typer.Argument(help="What to look for.", show_default=False)] = None,
    top_k: Annotated[int, typer.Option("--top-k", min=1, max=1000, help="How many hits.")] = 10,
    queries: Annotated[Path | None, typer.Option(help="JSON lines of {_id, text}: search for each.")] = None,
    run: Annotated[Path | None, typer.Option(help="With --queries: the TREC run file to write.")] = None,
    by: Annotated[str, typer.Option(help="With --run: name hits by 'document' or by 'passage'.")] = "document",
    filter: FilterOption = None,
    index: IndexOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    offline: OfflineOption = None,
    json: JsonOption = False,
) -> None:
    """Show the passages nearest to a question, with the score of each stage."""
    from ingest.filters import as_filters
    from rag_dolly import assemble, batch, show
    from rag_dolly.answer import check_question
    from rag_dolly.evidence import find_evidence
    from rag_dolly.settings import load_settings

    filters = as_filters(filter)
    settings = load_settings(index=index, embedder=embedder, reranker=reranker, offline=offline)
    is_one = not (queries or run)
    if is_one and settings.reranker == "auto":  # a process for one search is over before what reads passages has loaded
        settings = settings.model_copy(update={"reranker": "none"})
    retriever = assemble.open_retriever(settings)
    if not is_one:
        batch.search_all(retriever, queries, run, by, top_k, filters)
    else:
        show.hits(find_evidence(retriever, check_question(question or ""), top_k, filters=filters), json)


app.command()(ask)
app.command()(chat)


@app.command()
def status(
    index: IndexOption = None, embedder: EmbedderOption = None, offline: OfflineOption = None, json: JsonOption = False
) -> None:
    """Say what the index holds and what made it."""
    from rag_dolly import assemble, show
    from rag_dolly.settings import load_settings

    show.status(assemble.status(load_settings(index=index, embedder=embedder, offline=offline)), json)


@app.command()
def ls(
    index: IndexOption = None, embedder: EmbedderOption = None, offline: OfflineOption = None, json: JsonOption = False
) -> None:
    """List every file the index knows of, with its state and the reason for it."""
    from rag_dolly import assemble, show
    from rag_dolly.settings import load_settings

    opened = assemble.open_index(load_settings(index=index, embedder=embedder, offline=offline))
    show.documents(opened.documents(), json)


app.command("app")(page)
app.command()(serve)


@app.command()
def doctor(
    index: IndexOption = None,
    embedder: EmbedderOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    quantize: QuantizeOption = None,
    offload: OffloadOption = None,
    offline: OfflineOption = None,
    json: JsonOption = False,
) -> None:
    """Check versions, device, models with their licences, and the health of the index."""
    from rag_dolly import show
    from rag_dolly.doctor import examine
    from rag_dolly.settings import load_settings

    where = {"device": device, "quantize": quantize, "offload": offload}
    findings = examine(load_settings(**where, index=index, embedder=embedder, model=model, offline=offline))
    show.findings(findings, json)
    raise typer.Exit(1 if findings["problems"] else 0)


def main() -> None:
    """Run the command line; every failure a user can act on becomes one line and an exit code."""
    from ingest.errors import BadFilter, RagDollyError
    from rag_dolly.environment import settle
    from rag_dolly.errors import BadSetting, EmptyQuestion

    settle()
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        status = _say("stopped", 130)
    except (BadFilter, BadSetting, EmptyQuestion) as error:
        status = _say(str(error), 2)
    except RagDollyError as error:
        status = _say(str(error), 1)
    except KeyboardInterrupt:
        status = _say("stopped; what was stored is kept", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:
        if not hasattr(error, "format_message"):  # not the parser's own
            raise
        status = _say(error.format_message(), 2)
    sys.exit(status or 0)


def _say(line: str, status: int) -> int:
    typer.echo(f"rag-dolly: {' '.join(line.split())}", err=True)
    return status
