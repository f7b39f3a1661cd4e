"""What is asked of a model server: the fields of a request, and what to change for a server that does not know them."""

import json
from collections.abc import Mapping
from typing import Any

from rag_dolly.generate.remote_http import Event, Refused
from rag_dolly.generate.remote_limits import THINKING_OFF, Prompt
from rag_dolly.prompt import DOLLY_KEYS

STOP_TEXTS = (*DOLLY_KEYS, "<|endoftext|>")
"""What ends an answer to Dolly's format; servers take four at most."""

_DOLLY_END = 50277  # the id of "### End" in the tokenizer of every Dolly v2
_EXTRAS = ("stop_token_ids", "skip_special_tokens", "chat_template_kwargs", "stream_options", "temperature")
"""Fields that a server may not know; the answer is the same or nearly so without them."""


def request_body(kind: str, model: str, prompt: str, max_tokens: int) -> Event:
    """Return the request for a prompt of `render`, in the format `kind`: "dolly", "chat" or "plain"."""
    body: Event = {
        "model": model,
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if kind == "chat":
        sent = as_sent(kind, prompt)
        messages = [{"role": "user", "content": sent}] if isinstance(sent, str) else sent
        return body | {"messages": messages, "chat_template_kwargs": THINKING_OFF}
    body |= {"prompt": prompt, "stop": list(STOP_TEXTS)}
    if kind == "dolly":
        body |= {"stop_token_ids": [_DOLLY_END], "skip_special_tokens": False}
    return body


def as_sent(kind: str, prompt: str) -> Prompt:
    """Return the messages that `render` wrote; any other text is itself."""
    if kind != "chat":
        return prompt
    try:
        messages = json.loads(prompt)
    except (ValueError, RecursionError):
        return prompt
    return messages if _are_messages(messages) else prompt


def changed(body: Event, changes: Mapping[str, str]) -> Event:
    """Return the request with fields renamed, or left out where the new name is empty."""
    return {changes.get(field, field): value for field, value in body.items() if changes.get(field, field)}


def further(changes: Mapping[str, str], body: Event, refusal: Refused) -> Mapping[str, str] | None:
    """Return what to change in a request that was refused, None if nothing is left that could help."""
    if refusal.status not in (400, 422):
        return None
    if "max_completion_tokens" in refusal.text and "max_tokens" not in changes:
        return {**changes, "max_tokens": "max_completion_tokens"}
    sent = [field for field in _EXTRAS if field in body and field not in changes]
    named = [field for field in sent if field in refusal.text]
    dropped = named or [field for field in sent if field != "temperature"]
    return {**changes, **dict.fromkeys(dropped, "")} if dropped else None


def _are_messages(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(m, dict) and m.keys() == {"role", "content"} and all(isinstance(v, str) for v in m.values())
        for m in value
    )
