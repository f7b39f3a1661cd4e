"""The messages of a chat to a question and its history.

The last message is the question, earlier pairs of user and assistant are the history that a follow-up leans on. System
and developer messages are passed over: answers are made of the documents alone, and no message changes how. Texts may
be parts; a part that is no text (a picture, a sound) is refused, as are tool messages.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rag_dolly.server.failures import Refused
from rag_dolly.types import Turn

TURNS = 20
"""Earlier exchanges that are kept, the last ones."""
CHARACTERS = 40_000
"""Characters of earlier exchanges that are kept, from the end; whole exchanges only."""
_PASSED_OVER = ("system", "developer")
_MARKER = re.compile(r" ?\[\d{1,3}\]")


def question_and_history(messages: Sequence[Any]) -> tuple[str, list[Turn]]:
    """Return the question and the exchanges before it. Raises `Refused` if the messages are not understood."""
    understood = [_said(n, message) for n, message in enumerate(messages)]
    said = [(role, text) for role, text in understood if role not in _PASSED_OVER]
    if not said or said[-1][0] != "user":
        raise _not_understood("messages", "expected the last message to be the user's")
    turns: list[Turn] = []
    asked = ""
    for role, text in said[:-1]:
        if role == "user":
            asked = f"{asked}\n{text}" if asked else text
        elif asked:
            turns.append((asked, _MARKER.sub("", text)))
            asked = ""
    return said[-1][1], _last([*turns, (asked, "")] if asked else turns)


def text_of(value: Any) -> str:
    """Return text as it can be encoded: a half of a surrogate pair becomes a question mark."""
    return str(value).encode("utf-8", "replace").decode()


def _said(n: int, message: Any) -> tuple[str, str]:
    """Return role and text of a message."""
    where = f"messages[{n}]"
    if not isinstance(message, Mapping):
        raise _not_understood(where, "expected an object with role and content")
    role = message.get("role")
    if role not in (*_PASSED_OVER, "user", "assistant"):
        raise _not_understood(f"{where}.role", "expected system, developer, user or assistant")
    return str(role), _text(f"{where}.content", message.get("content"), may_be_none=role == "assistant")


def _text(where: str, content: Any, may_be_none: bool) -> str:
    if content is None and may_be_none:
        return ""
    if isinstance(content, str):
        return text_of(content)
    if not isinstance(content, Sequence):
        raise _not_understood(where, "expected text")
    parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
    texts = [text for text in parts if isinstance(text, str)]
    if len(texts) < len(content):
        raise _not_understood(where, "expected text, or parts of the type text")
    return text_of("\n".join(texts))


def _last(turns: list[Turn]) -> list[Turn]:
    """Return the last exchanges, as many as are kept."""
    kept: list[Turn] = []
    for turn in reversed(turns[-TURNS:]):
        if sum(len(part) for one in (*kept, turn) for part in one) > CHARACTERS:
            break
        kept.insert(0, turn)
    return kept


def _not_understood(param: str, expected: str) -> Refused:
    return Refused(400, f"{param} is not understood: {expected}.", "invalid_value", param.partition("[")[0])
