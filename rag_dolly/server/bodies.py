"""The body of a request to what is asked: read within limits, checked field by field.

Fields that OpenAI's interface has and that change nothing here (temperature, seed, user and so on) are passed over, for
decoding is greedy; those that would change what the answer is (n, stop, tools, response_format and so on) are refused.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.filters import parse_filters
from rag_dolly.answer import check_question
from rag_dolly.server.failures import Refused
from rag_dolly.server.messages import question_and_history, text_of
from rag_dolly.types import Turn

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 1_000_000
"""Bytes that the body of a request may have."""
PATIENCE = 30.0
"""Seconds in which the body must be there."""
_ONLY: dict[str, tuple[Any, ...]] = {
    "n": (None, 1),
    "best_of": (None, 1),
    "stop": (None, "", []),
    "tools": (None, []),
    "functions": (None, []),
    "logprobs": (None, False),
    "response_format": (None, {"type": "text"}),
    "echo": (None, False),
    "suffix": (None, ""),
}
"""Fields that are understood with these values alone."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as it was sent. `filter` is text as `parse_filters` reads it; None stands for the setting."""

    question: str
    history: tuple[Turn, ...] = ()
    filter: str = ""
    top_k: int | None = None
    max_tokens: int | None = None
    stream: bool = False
    include_usage: bool = False


class _Fields(BaseModel):
    model_config = ConfigDict(strict=True)

    filter: str | list[str] | None = None
    top_k: int | None = Field(None, ge=1, le=100)


class _StreamOptions(BaseModel):
    include_usage: bool | None = None


class _Answer(_Fields):
    max_tokens: int | None = Field(None, ge=1, le=4096)
    max_completion_tokens: int | None = Field(None, ge=1, le=4096)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None


class _Chat(_Answer):
    messages: list[Any]


class _Completion(_Answer):
    prompt: str | list[str]


class _Search(_Fields):
    top_k: int | None = Field(10, ge=1, le=1000)
    query: str | None = None
    question: str | None = None


Kind = TypeVar("Kind", bound=_Fields)


async def read_object(request: "Request", patience: float = PATIENCE) -> dict[str, Any]:
    """Return the JSON object of a body. Raises `Refused` if it is too large, too slow or no JSON object."""
    try:
        async with asyncio.timeout(patience):
            body = await _bytes(request)
    except TimeoutError as error:
        raise Refused(408, f"The body did not come within {patience:g} seconds.", "timeout") from error
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not JSON.", "invalid_json") from error
    if not isinstance(found, dict):
        raise Refused(400, "The body is not a JSON object.", "invalid_json")
    return found


def read_chat(body: dict[str, Any]) -> Asking:
    """Return what a body of /v1/chat/completions asks. Raises `Refused`, `BadFilter` or `EmptyQuestion` and so on."""
    fields = _fields(_Chat, body)
    question, history = question_and_history(fields.messages)
    return _asking(fields, question, tuple(history))


def read_completion(body: dict[str, Any]) -> Asking:
    """Return what a body of /v1/completions asks. Raises as `read_chat`."""
    fields = _fields(_Completion, body)
    prompts = [fields.prompt] if isinstance(fields.prompt, str) else fields.prompt
    if len(prompts) != 1:
        raise Refused(400, "prompt is not understood: expected one text.", "invalid_value", "prompt")
    return _asking(fields, text_of(prompts[0]), ())


def read_search(body: dict[str, Any]) -> Asking:
    """Return what a body of /v1/search asks; its text is `query`, or `question`. Raises as `read_chat`."""
    fields = _fields(_Search, body)
    text = fields.query if fields.query is not None else fields.question
    if text is None:
        raise Refused(400, "query is missing: expected the text to search for.", "missing", "query")
    return Asking(check_question(text_of(text)), filter=_filter(fields.filter), top_k=fields.top_k or 10)


def _asking(fields: _Answer, question: str, history: tuple[Turn, ...]) -> Asking:
    limit = fields.max_completion_tokens or fields.max_tokens
    usage = bool(fields.stream_options and fields.stream_options.include_usage)
    asked = check_question(question), history, _filter(fields.filter), fields.top_k, limit
    return Asking(*asked, bool(fields.stream), usage)


def _filter(given: str | list[str] | None) -> str:
    texts = [given] if isinstance(given, str) else given or []
    return str(parse_filters(*map(text_of, texts)))


def _fields(kind: type[Kind], body: dict[str, Any]) -> Kind:
    for name, values in _ONLY.items():
        if name in body and body[name] not in values:
            line = f"{name} is not supported here: leave it out."
            raise Refused(400, line, "unsupported_parameter", name)
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"][:1]))
        code = "missing" if first["type"] == "missing" else "invalid_value"
        raise Refused(400, f"{name} is not understood: {first['msg'].lower()}.", code, name) from error


async def _bytes(request: "Request") -> bytes:
    declared = request.headers.get("content-length", "0")
    too_large = Refused(413, f"The body is larger than {MOST_BYTES} bytes: send less.", "too_large")
    if not declared.isdecimal() or int(declared[:20]) > MOST_BYTES:
        raise too_large
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)
