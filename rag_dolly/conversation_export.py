"""Conversations, or single answers, as Markdown and JSON files that a person takes away.

Text of documents and models is written as it is: Markdown that a document holds is quoted line by line, and a reader of
the file must not trust it more than the document.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rag_dolly.conversations import Turn
from rag_dolly.inert import visible

UNSOURCED = "Unsourced: the model alone, without documents."
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#+!|~$-])")


def to_markdown(turns: Sequence[Turn], title: str = "") -> str:
    """Return questions and answers with their sources below each, as Markdown."""
    head = [f"# {_line(title)}", ""] if title else []
    return "\n".join(head + [line for one in turns for line in _exchange(one)])


def to_json(turns: Sequence[Turn], title: str = "") -> str:
    """Return the same as JSON: {"title", "turns": [{"question", "answer", "mode", "citations", ...}]}."""
    return json.dumps({"title": title, "turns": [_plain(one) for one in turns]}, ensure_ascii=False, indent=2)


def _plain(one: Turn) -> dict[str, Any]:
    result = one["result"]
    names = ("answer", "mode", "model", "citations")
    kept = {"question": one["question"], "filter": one["filter"], "state": one["state"]}
    return kept | {name: result[name] for name in names if name in result} | {"unsourced": one["plain"]}


def _exchange(one: Turn) -> list[str]:
    result = one["result"]
    lines = [f"## {_line(one['question'])}", ""]
    if one["plain"]:
        lines += [f"*{UNSOURCED}*", ""]
    if result.get("abstained"):
        lines += ["*The documents do not answer this.*", ""]
    elif result.get("answer"):
        lines += [_text(str(result["answer"]).strip()), ""]
    if one["state"] != "done":
        lines += [
            f"*{'Stopped: the answer is not complete.' if one['state'] == 'stopped' else _line(one['error'])}*",
            "",
        ]
    citations = sorted(result.get("citations", []), key=lambda citation: citation["n"])
    return lines + [line for citation in citations for line in _source(citation)]


def _source(citation: Mapping[str, Any]) -> list[str]:
    within = citation.get("place") or (f"page {citation['page']}" if citation.get("page") else "")
    where = ", ".join(part for part in (citation["source"], within) if part)
    quoted = [f"> {_escape(line)}" for line in visible(citation["text"]).splitlines()]
    return [f"\\[{citation['n']}\\] {_line(where)}", "", *quoted, ""]


def _line(text: str) -> str:
    return _escape(" ".join(visible(text).split()))


def _text(text: str) -> str:
    return "\n".join(_escape(line) for line in visible(text).splitlines())


def _escape(text: str) -> str:
    """Return one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", text)
