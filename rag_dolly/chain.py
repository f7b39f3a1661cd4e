"""The whole way from question to cited answer as one LangChain Runnable.

    chain = RagChain.open(".rag-dolly")
    answer = chain.invoke("How do I re-index?")
    answer["answer"], answer["citations"], answer["context"]

It takes a question, or {"question": ..., "chat_history": [(question, answer), ...], "filter": "kind:pdf"}, with
"explain": True for the trace of the answer too, and "top_k" and "max_tokens" for limits of its own. It streams pieces
that add up (+) to what `invoke` returns. Retriever and language model run as its children, so callbacks and events see
them.
"""

import os
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun, dispatch_custom_event
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig, patch_config
from langchain_core.runnables.utils import AddableDict

from ingest.filters import Filters, as_filters
from ingest.index import Index
from rag_dolly.answer import answer_pieces, check_question
from rag_dolly.asked import Asked, Parts, Piece, Stop
from rag_dolly.assemble import Tell, load_pipeline, open_reader, open_retriever, prefers_reader
from rag_dolly.evidence import find_evidence, widen
from rag_dolly.explain import explain
from rag_dolly.faces import RagLLM, RagRetriever, to_document, to_hit
from rag_dolly.from_thread import from_thread
from rag_dolly.retrieve import Found
from rag_dolly.settings import Settings, load_settings
from rag_dolly.types import Hit, Pipeline, Reader, Turn
from rag_dolly.vectorstore import IndexVectorStore

Question = str | dict[str, Any]
TRACE_EVENT = "rag_dolly_trace"
"""The custom event that callbacks get with the trace of an answer, when it is asked for."""
Filter = str | Sequence[str] | Filters | None
"""Which documents may be used: text as `ingest.filters.parse_filters` reads it, several taken together."""


class RagChain(Runnable[Question, dict[str, Any]]):
    """Answers questions from an index. Open one with `RagChain.open`; safe to share between threads."""

    def __init__(
        self,
        index: Index,
        search: Callable[..., list[Hit]],
        load: Callable[[], Pipeline | None],
        top_k: int = 5,
        max_tokens: int = 256,
        filter: Filter = None,
        reader: Callable[[], Reader | None] = lambda: None,
        reader_first: bool = False,
    ) -> None:
        """`search` finds passages, `load` loads the model (None for quotes alone) and is called once.

        `reader` gives what finds the words that answer; with `reader_first` it is asked before the model.

        `search` takes a question and how many passages to find, `filters` if it is ever to have any, and `on_found` if
        an answer is ever to be explained.
        """
        self.index = index
        self.retriever = RagRetriever(search=search, k=top_k, filter=str(as_filters(filter) or ""))
        self.llm = RagLLM(load=self.warm, max_tokens=max_tokens)
        self.vectorstore = IndexVectorStore(index)
        self._load = load
        self._reader = reader
        self._reader_first = reader_first
        self._lock = threading.Lock()
        self._loading: Future[Pipeline | None] | None = None

    @classmethod
    def open(cls, index: str | Path = ".rag-dolly", *, filter: Filter = None, **settings: Any) -> Self:
        """Open an index folder; keyword arguments are settings (model, embedder, top_k, ...).

        `filter` narrows every question that has no filter of its own. Raises `IndexMissing`, `IndexMismatch`,
        `ModelNotFound` (of embedder or reranker), `BadSetting` or `BadFilter`.
        """
        return cls.from_settings(load_settings(index=index, **settings), filter=filter)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        tell: Tell = lambda _: None,
        filter: Filter = None,
        load: Callable[[], Pipeline | None] | None = None,
    ) -> Self:
        """Open the index that the settings name. `tell` gets a line on the model that is chosen. Raises as `open`.

        `load` loads the model, for who has one already; without it the one of the settings is loaded.
        """
        _warn_of_tracing()
        filters = as_filters(filter)
        retriever = open_retriever(settings)
        search = partial(find_evidence, retriever)
        load = load or partial(load_pipeline, settings, tell)
        return cls(
            retriever.index,
            search,
            load,
            settings.top_k,
            settings.max_tokens,
            filters,
            open_reader,
            prefers_reader(settings),
        )

    @property
    def InputType(self) -> Any:
        """A question, or a dict: "question", optionally "chat_history", "filter", "top_k", "max_tokens", "explain"."""
        return Question

    @property
    def OutputType(self) -> type[dict[str, Any]]:
        """The answer object: see docs/chain.md."""
        return dict[str, Any]

    def warm(self) -> Pipeline | None:
        """Load the language model if it is not loaded yet, and return it. Raises `ModelNotFound`, `OutOfMemory`."""
        with self._lock:
            loading = self._loading
            if loading is None:
                mine = self._loading = Future()
        if loading is not None:
            return loading.result()
        try:
            mine.set_result(self._load())
        except BaseException as error:
            self._loading = None  # the next who asks tries again
            mine.set_exception(error)
        return mine.result()

    def invoke(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the whole answer.

        Raises `EmptyQuestion`, `QuestionTooLong`, `BadFilter` or what loading the model raises.
        """
        return self._call_with_config(self._whole, input, config, **kwargs)

    def stream(
        self,
        input: Question,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        """Yield the answer in pieces. `stop=callable` ends the model within a token once the callable says True."""
        yield from self.transform(iter([input]), config, **kwargs)

    def transform(
        self,
        input: Iterator[Question],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        """Yield the answer to the last question of a stream in pieces."""
        yield from self._transform_stream_with_config(input, self._pieces, config, **kwargs)

    async def astream(
        self,
        input: Question,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the answer in pieces without blocking the event loop; leaving the loop early stops the model."""

        async def questions() -> AsyncIterator[Question]:
            yield input

        async for piece in self.atransform(questions(), config, **kwargs):
            yield piece

    async def atransform(
        self,
        input: AsyncIterator[Question],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the answer to the last question of an async stream in pieces."""
        async for piece in self._atransform_stream_with_config(input, self._apieces, config, **kwargs):
            yield piece

    def _whole(
        self, question: Question, run_manager: CallbackManagerForChainRun, config: RunnableConfig, **kwargs: Any
    ) -> dict[str, Any]:
        whole = AddableDict()
        for piece in self._pieces(iter([question]), run_manager, config, **kwargs):
            whole = whole + AddableDict(piece)
        return whole

    def _pieces(
        self,
        inputs: Iterator[Question],
        run_manager: CallbackManagerForChainRun,
        config: RunnableConfig,
        stop: Stop = lambda: False,
    ) -> Iterator[dict[str, Any]]:
        question: Question = ""
        for question in inputs:  # noqa: B007  the last one counts
            pass
        child = patch_config(config, callbacks=run_manager.get_child())
        yield from self._answer(question, child, stop)

    async def _apieces(
        self,
        inputs: AsyncIterator[Question],
        run_manager: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
        stop: Stop = lambda: False,
    ) -> AsyncIterator[dict[str, Any]]:
        question: Question = ""
        async for question in inputs:  # noqa: B007
            pass
        child = patch_config(config, callbacks=run_manager.get_child())
        left = threading.Event()
        async for piece in from_thread(lambda: self._answer(question, child, lambda: left.is_set() or stop()), left):
            yield piece

    def _answer(self, question: Question, config: RunnableConfig, stop: Stop) -> Iterator[dict[str, Any]]:
        text, history = _read(question)
        filters = as_filters(question.get("filter")) if isinstance(question, dict) else None
        check_question(text)
        for load in (self._reader,) if self._reader_first else (self._reader, self.warm):
            threading.Thread(target=_quietly, args=(load,), daemon=True).start()
        explained, given = _explaining(question)

        def retrieve(query: str, k: int) -> list[Hit]:
            return [to_hit(document) for document in self.retriever.invoke(query, config, k=k, filter=filters, **given)]

        def generate(prompt: str, max_tokens: int, stopped: Stop) -> Iterator[str]:
            return self.llm.stream(prompt, config, rendered=True, max_tokens=max_tokens, stopped=stopped)

        wider, embedder = partial(widen, self.index), self.index.embedder
        asked = (retrieve, self.warm, generate, embedder.embed_sentences, *self._limits(question))
        parts = Parts(*asked, wider, explained, embedder, self.index.near_enough(), self._reader, self._reader_first)
        for piece in answer_pieces(text, history, parts, stop):
            if "retrieved" in piece:
                piece["context"] = [to_document(row) for row in piece["retrieved"]]
            if "trace" in piece:
                dispatch_custom_event(TRACE_EVENT, piece["trace"], config=config)
            yield AddableDict(piece)

    def _limits(self, question: Question) -> tuple[int, int]:
        """Return how many passages and how many tokens an answer may have: as the question says, or the chain."""
        given = question if isinstance(question, dict) else {}
        return given.get("top_k") or self.retriever.k, given.get("max_tokens") or self.llm.max_tokens


def _quietly(load: Callable[[], object]) -> None:
    """Begin to load while passages are retrieved; a failure is raised where what is loaded is asked for."""
    with suppress(Exception):
        load()


def _warn_of_tracing() -> None:
    """Say so when LangChain would send questions and passages away; the command line and the page switch it off."""
    for name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"):
        if os.environ.get(name, "").lower() == "true":
            line = (
                f"{name} is set: LangChain sends questions, passages and answers to LangSmith. Unset it to stop that."
            )
            warnings.warn(line, stacklevel=3)
            return


def _read(question: Question) -> tuple[str, list[Turn]]:
    """Return the question and its history; earlier turns may be (question, answer) pairs or LangChain messages."""
    if isinstance(question, str):
        return question, []
    text = question.get("question", question.get("input", ""))
    turns: list[Turn] = []
    asked = ""
    for entry in question.get("chat_history") or ():
        if isinstance(entry, HumanMessage):
            asked = str(entry.text)
        elif isinstance(entry, BaseMessage):
            turns.append((asked, str(entry.text)))
        else:
            turns.append((str(entry[0]), str(entry[1])))
    return str(text), turns


def _explaining(question: Question) -> tuple[Callable[[Asked], Piece] | None, dict[str, Any]]:
    """Return what makes the trace, and what the retriever is given for it: nothing unless it is asked for."""
    if not isinstance(question, dict) or not question.get("explain"):
        return None, {}
    found: list[Found] = []
    return partial(explain, found), {"on_found": found.append}
