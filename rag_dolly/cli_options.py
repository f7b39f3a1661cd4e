"""The options that several commands of the command line share; imports nothing but typer."""

from pathlib import Path
from typing import Annotated

import typer

from rag_dolly import __version__


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rag-dolly {__version__}")
        raise typer.Exit


VersionOption = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")]
IndexOption = Annotated[
    Path | None, typer.Option("--index", help="Index folder. [default: .rag-dolly; env: RAG_DOLLY_INDEX]")
]
OfflineOption = Annotated[bool | None, typer.Option("--offline", help="Never ask a model hub or another machine.")]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help="auto, a model directory or a hub name. [env: RAG_DOLLY_EMBEDDER]")
]
RerankerOption = Annotated[
    str | None,
    typer.Option(
        "--reranker", help="auto, none, maxsim, or a cross-encoder (directory or hub name). [env: RAG_DOLLY_RERANKER]"
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help="auto, none, a hub name, a directory, a .gguf file or http://host/v1. [env: RAG_DOLLY_MODEL]"
    ),
]
ServedModelOption = Annotated[
    str | None,
    typer.Option(
        "--served-model", help="Which model of a server. [default: its only one; env: RAG_DOLLY_SERVED_MODEL]"
    ),
]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:0 or mps.")]
QuantizeOption = Annotated[
    str | None,
    typer.Option("--quantize", help="auto (8-bit on a processor and where a GPU is too small), none, 8bit, 4bit."),
]
OffloadOption = Annotated[
    bool | None,
    typer.Option("--offload", help="Let main memory hold what does not fit the GPU; slow.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]
AskTopK = Annotated[int | None, typer.Option("--top-k", min=1, max=100, help="Passages to answer from. [default: 5]")]
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="Only documents that are so: source:NAME, folder:, kind:, since:DATE, until:DATE; may be given again.",
    ),
]
MaxTokens = Annotated[int | None, typer.Option("--max-tokens", min=1, help="Length of the answer. [default: 256]")]
HostOption = Annotated[
    str, typer.Option("--host", help="Address to listen on; another than this machine's own needs --token.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="RAG_DOLLY_TOKEN",
        show_envvar=False,
        help="What requests must carry; needed where others can reach the address. [env: RAG_DOLLY_TOKEN]",
    ),
]
