"""Answers in the shapes of OpenAI's interface, with what this program says beside: mode, citations, passages.

`answer` is the sum of an answer's pieces (docs/chain.md); `Shape` makes of it what one endpoint sends.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MODEL = "rag-dolly"
"""The one model that is listed: the documents and what reads them. Answers name the language model."""
BESIDE = ("mode", "abstained", "citations", "retrieved", "left_out", "timings")
"""Fields of the answer object that stand beside OpenAI's own."""
Answer = Mapping[str, Any]
Kind = Literal["chat", "text"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One completion under way: its id and time are the same in every object of it."""

    kind: Kind
    max_tokens: int
    created: int = field(default_factory=lambda: int(time.time()))
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the object of a finished answer."""
        text, name = answer["answer"], "chat.completion" if self.kind == "chat" else "text_completion"
        said = (
            {"message": {"role": "assistant", "content": text, "refusal": None}}
            if self.kind == "chat"
            else {"text": text}
        )
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": finish_reason(answer, self.max_tokens)}
        return {**self._head(name, answer), "choices": [choice], "usage": usage(answer), **beside(answer)}

    def opening(self, answer: Answer) -> list[dict[str, Any]]:
        """Return the chunks that come before any text."""
        return [self._chunk(answer, {"role": "assistant", "content": ""})] if self.kind == "chat" else []

    def piece(self, answer: Answer, text: str) -> dict[str, Any]:
        """Return the chunk with the next piece of text."""
        return self._chunk(answer, {"content": text} if self.kind == "chat" else text)

    def closing(self, answer: Answer, include_usage: bool) -> list[dict[str, Any]]:
        """Return the chunks that come after the text: the last one has what stands beside it."""
        reason = finish_reason(answer, self.max_tokens)
        last = {**self._chunk(answer, {} if self.kind == "chat" else "", reason), **beside(answer)}
        if not include_usage:
            return [last]
        return [last, {**self._chunk(answer, {}), "choices": [], "usage": usage(answer), **beside(answer)}]

    def _chunk(self, answer: Answer, said: Any, reason: str | None = None) -> dict[str, Any]:
        name = "chat.completion.chunk" if self.kind == "chat" else "text_completion"
        content = {"delta": said} if self.kind == "chat" else {"text": said}
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": reason}
        return {**self._head(name, answer), "choices": [choice]}

    def _head(self, name: str, answer: Answer) -> dict[str, Any]:
        prefix = "chatcmpl" if self.kind == "chat" else "cmpl"
        model = answer.get("model", MODEL)
        return {"id": f"{prefix}-{self.key}", "object": name, "created": self.created, "model": model}


def beside(answer: Answer) -> dict[str, Any]:
    """Return what this program says beside OpenAI's fields."""
    return {name: answer[name] for name in BESIDE}


def finish_reason(answer: Answer, max_tokens: int) -> str:
    """Return "length" if the model was ended by the limit (its unfinished sentence is not shown), else "stop"."""
    cut = answer["mode"] == "generated" and answer["usage"]["answer_tokens"] >= max_tokens - 1
    return "length" if cut else "stop"


def usage(answer: Answer) -> dict[str, int]:
    """Return the tokens that the language model read and wrote; 0 where it was not asked."""
    read, written = answer["usage"]["prompt_tokens"], answer["usage"]["answer_tokens"]
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def model_card(created: int, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of the one model, with what is known of it."""
    return {"id": MODEL, "object": "model", "created": created, "owned_by": MODEL, **about}
