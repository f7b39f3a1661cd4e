"""The commands that answer: a question, a conversation, the page."""

from pathlib import Path
from typing import Annotated

import typer

from rag_dolly.cli_options import (
    AskTopK,
    DeviceOption,
    EmbedderOption,
    FilterOption,
    HostOption,
    IndexOption,
    JsonOption,
    MaxTokens,
    ModelOption,
    OfflineOption,
    OffloadOption,
    QuantizeOption,
    RerankerOption,
    ServedModelOption,
    TokenOption,
)


def ask(
    question: Annotated[str | None, typer.Argument(help="Your question.", show_default=False)] = None,
    top_k: AskTopK = None,
    max_tokens: MaxTokens = None,
    questions: Annotated[Path | None, typer.Option(help="JSON lines of {id, question}: answer each.")] = None,
    out: Annotated[Path | None, typer.Option(help="With --questions: the JSON lines file to write.")] = None,
    filter: FilterOption = None,
    model: ModelOption = None,
    served_model: ServedModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    device: DeviceOption = None,
    quantize: QuantizeOption = None,
    offload: OffloadOption = None,
    index: IndexOption = None,
    offline: OfflineOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show too how the answer came about.")] = False,
    json: JsonOption = False,
) -> None:
    """Answer a question from the documents, every sentence with its source."""
    from rag_dolly import batch, show, show_trace
    from rag_dolly.answer import check_question
    from rag_dolly.chain import RagChain
    from rag_dolly.settings import load_settings

    models = {"model": model, "served_model": served_model, "embedder": embedder, "reranker": reranker}
    where = {"device": device, "quantize": quantize, "offload": offload}
    settings = load_settings(**models, **where, index=index, offline=offline, top_k=top_k, max_tokens=max_tokens)
    text = "" if questions or out else check_question(question or "")
    chain = RagChain.from_settings(settings, show.note, filter)
    if questions or out:
        batch.answer_all(chain, questions, out, explain)
        return
    answer = show.answer(chain.stream({"question": text, "explain": explain}), json)
    if explain and not json:
        show_trace.trace(answer["trace"])
    raise typer.Exit(4 if answer["abstained"] else 0)


def chat(
    top_k: AskTopK = None,
    max_tokens: MaxTokens = None,
    filter: FilterOption = None,
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
    """Ask and follow up, until an empty line or Ctrl-D."""
    from rag_dolly import show
    from rag_dolly.chain import RagChain
    from rag_dolly.settings import load_settings

    models = {"model": model, "served_model": served_model, "embedder": embedder, "reranker": reranker}
    where = {"device": device, "quantize": quantize, "offload": offload}
    settings = load_settings(**models, **where, index=index, offline=offline, top_k=top_k, max_tokens=max_tokens)
    show.chat(RagChain.from_settings(settings, show.note, filter))


def page(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 8501,
    host: HostOption = "127.0.0.1",
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
    keep_conversations: Annotated[
        bool | None, typer.Option("--keep-conversations", help="Keep conversations in the index folder.")
    ] = None,
) -> None:
    """Serve the page where questions are asked and sources are read."""
    from rag_dolly.app.entry.serve import run as serve
    from rag_dolly.settings import load_settings

    models = {"model": model, "served_model": served_model, "embedder": embedder, "reranker": reranker}
    where = {"device": device, "quantize": quantize, "offload": offload, "keep_conversations": keep_conversations}
    settings = load_settings(**models, **where, index=index, offline=offline, top_k=top_k, max_tokens=max_tokens)
    serve(settings, port, host, token)
