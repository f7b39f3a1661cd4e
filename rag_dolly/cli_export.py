"""The commands that write what is kept to a file: `rag-dolly export ...`."""

from pathlib import Path
from typing import Annotated

import typer

from rag_dolly.cli_options import EmbedderOption, IndexOption, OfflineOption

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
