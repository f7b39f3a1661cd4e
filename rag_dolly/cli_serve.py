"""The command that serves the HTTP API."""

from typing import Annotated

import typer

from rag_dolly.cli_options import (
    AskTopK,
    DeviceOption,
    EmbedderOption,
    HostOption,
    IndexOption,
    MaxTokens,
    ModelOption,
    OfflineOption,
    OffloadOption,
    QuantizeOption,
    RerankerOption,
    ServedModelOption,
    TokenOption,
)


def serve(
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API.")] = 8000,
    token: TokenOption = None,
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
) -> None:
    """Serve the HTTP API: OpenAI's chat and completions with citations, search, metrics."""
    from rag_dolly.server.serve import run
    from rag_dolly.settings import load_settings

    models = {"model": model, "served_model": served_model, "embedder": embedder, "reranker": reranker}
    where = {"device": device, "quantize": quantize, "offload": offload}
    settings = load_settings(**models, **where, index=index, offline=offline, top_k=top_k, max_tokens=max_tokens)
    run(settings, host, port, token)
