"""The retriever and the language model as LangChain knows them, usable in anyone's chain."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import BaseLLM
from langchain_core.outputs import Generation, GenerationChunk, LLMResult
from langchain_core.retrievers import BaseRetriever

from ingest.filters import Filters, as_filters
from rag_dolly.retrieve import OnFound
from rag_dolly.types import HEADING_SEPARATOR, Hit, Pipeline, hit_json


class RagRetriever(BaseRetriever):
    """Hybrid search as a LangChain retriever: `k` passages of the documents that `filter` names.

    Both are set here or for one call: `invoke(query, k=3, filter="kind:pdf")`. `search` is called with the question
    and `k`, and with `filters` and `on_found` where these are given.
    """

    search: Callable[..., list[Hit]]
    k: int = 5
    filter: str = ""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        filter: str | Filters | None = None,
        on_found: OnFound | None = None,
    ) -> list[Document]:
        filters = as_filters(self.filter if filter is None else filter)
        given: dict[str, Any] = {"filters": filters} if filters else {}
        given |= {"on_found": on_found} if on_found else {}
        return [to_document(hit_json(hit)) for hit in self.search(query, k or self.k, **given)]


class RagLLM(BaseLLM):
    """The local model as a LangChain LLM. Each prompt is an instruction and gets the model's own format.

    With `rendered=True` in a call the prompt is taken as it is. `stop` sequences end the text before them.
    """

    load: Callable[[], Pipeline | None]
    max_tokens: int = 256

    @property
    def _llm_type(self) -> str:
        return "rag-dolly"

    def _pipeline(self) -> Pipeline:
        pipeline = self.load()
        if pipeline is None:
            raise ValueError("This chain was opened with model='none': it quotes, and has no language model.")
        return pipeline

    def _generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        rendered: bool = False,
        max_tokens: int | None = None,
        **_: Any,
    ) -> LLMResult:
        pipeline = self._pipeline()
        ready = prompts if rendered else [pipeline.render(prompt, ()) for prompt in prompts]
        texts = pipeline.batch(ready, max_tokens or self.max_tokens)
        return LLMResult(generations=[[Generation(text="".join(until([text], stop)))] for text in texts])

    def _stream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        rendered: bool = False,
        max_tokens: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
        **_: Any,
    ) -> Iterator[GenerationChunk]:
        pipeline = self._pipeline()
        ready = prompt if rendered else pipeline.render(prompt, ())
        is_silent = True
        for text in until(pipeline.stream(ready, max_tokens or self.max_tokens, stopped), stop):
            is_silent = False
            chunk = GenerationChunk(text=text)
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk
        if is_silent:  # stopped before its first word, or it had none: LangChain takes no chunks at all for a failure
            yield GenerationChunk(text="")


def until(pieces: Iterator[str] | Sequence[str], stop: Sequence[str] | None) -> Iterator[str]:
    """Yield the pieces up to the first stop sequence; text that may be the beginning of one is held back."""
    held = ""
    for piece in pieces:
        held += piece
        cuts = [held.find(mark) for mark in stop or () if mark in held]
        if cuts:
            if held[: min(cuts)]:
                yield held[: min(cuts)]
            return
        safe = len(held) - max((_overlap(held, mark) for mark in stop or ()), default=0)
        if safe:
            yield held[:safe]
        held = held[safe:]
    if held:
        yield held


def _overlap(text: str, mark: str) -> int:
    """Return how many characters at the end of the text are the beginning of the mark."""
    return next((n for n in range(min(len(text), len(mark) - 1), 0, -1) if text.endswith(mark[:n])), 0)


def to_document(row: dict[str, Any]) -> Document:
    """Return a hit (as JSON has it) as a LangChain document: all but its text is metadata."""
    metadata = {key: value for key, value in row.items() if key != "text"}
    return Document(id=f"{row['source']}#{row['ordinal']}", page_content=row["text"], metadata=metadata)


def to_hit(document: Document) -> Hit:
    """Return the hit that a document of the retriever was made from."""
    row = dict(document.metadata)
    heading = tuple(row.pop("heading").split(HEADING_SEPARATOR)) if row["heading"] else ()
    return Hit(**{**row, "heading": heading, "also": tuple(row["also"]), "text": document.page_content})
