"""The commands that write what is kept to a file: `rag-dolly export ...`."""

from pathlib import Path
from typing import Annotated

import typer

from rag_dolly.cli_options import EmbedderOption, IndexOption, JsonOption, OfflineOption

export = typer.Typer(help="Write what the index holds to a file.", no_args_is_help=True, rich_markup_mode=None)


@export.command("passages")
def export_passages(
    out: Annotated[Path, typer.Argument(help="The JSON lines file to write.", show_default=False)],
    index: IndexOption = None,
    embedder: EmbedderOption = None,
    offline: OfflineOption = None,
) -> None:
    """Write every passage as a line of JSON."""
    from rag_dolly import assemble, batch
    from rag_dolly.settings import load_settings

    opened = assemble.open_index(load_settings(index=index, embedder=embedder, offline=offline))
    batch.export_passages(opened, out)


@export.command("feedback")
def export_feedback(
    out: Annotated[Path, typer.Argument(help="The JSON lines file to write.", show_default=False)],
    redact: Annotated[
        Path | None, typer.Option(help="Regular expressions, one a line, of what must not be in it either.")
    ] = None,
    redact_words: Annotated[
        Path | None, typer.Option(help="Names and other words, one a line, that must not be in it either.")
    ] = None,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Write corrections, answers rated up and written records, with consent only, as databricks-dolly-15k has them."""
    from ingest.errors import IndexMissing
    from rag_dolly import feedback, feedback_export, show
    from rag_dolly.redact import rules_of
    from rag_dolly.settings import load_settings

    rules = rules_of(redact, redact_words)
    folder = load_settings(index=index).index
    if not folder.is_dir():
        raise IndexMissing(f"No index in {folder}, so there is no feedback: name the right folder with --index.")
    kept = feedback.read(folder)
    counts = feedback_export.export(kept.records, out, rules)
    show.exported(feedback_export.as_json(counts, kept.damaged), feedback_export.in_words(counts, kept.damaged), json)
