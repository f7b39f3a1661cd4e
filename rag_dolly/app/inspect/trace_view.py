"""How an answer came about, below it: folded away, and drawn only while it is open.

Text of documents and models is escaped by `markup.element`, like everything foreign on the page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from rag_dolly.app import markup

STAGES = ("fused", "dense", "keyword", "named", "rerank")
_CUT, _SHORT = 240, 24


def draw(turn: int, result: Mapping[str, Any]) -> None:
    """Draw the trace of an answer, if it has one."""
    trace = result.get("trace")
    if not trace:
        return
    with st.expander("How this was answered", key=f"trace-{turn}", on_change="rerun") as panel:
        if panel.open:
            st.html("".join(sections(trace)))


def sections(trace: Mapping[str, Any]) -> list[str]:
    """Return the parts of a trace as HTML, each with its heading; those with nothing in them are left out."""
    parts = [
        ("Search", _search(trace)),
        ("Candidates", _candidates(trace)),
        ("Passages", _passages(trace)),
        ("Sentences of the model", _sentences(trace["sentences"])),
        ("Sentences considered for quoting", _quotes(trace["quotes"])),
        ("Seconds", _table([list(trace["seconds"]), [f"{taken:.3f}" for taken in trace["seconds"].values()]])),
        ("Prompt", _prompt(trace["prompt"])),
    ]
    shown = [_heading(title) + body for title, body in parts if body]
    return [_line(trace["reason"]), *shown]


def _search(trace: Mapping[str, Any]) -> str:
    near = trace["nearness"]
    said = "enough" if near["enough"] else "not enough"
    lines = [
        f"Searched for: {trace['searched']}",
        f"Only in: {trace['filters']}" if trace["filters"] else "",
        f"The passages come {near['score']:.3f} near the question, {near['needed']:.3f} is needed: {said}. That is the "
        f"best cosine, {near['cosine']:.2f}, and half of the best share of the question's words, {near['share']:.2f}.",
    ]
    return "".join(_line(line) for line in lines if line)


def _candidates(trace: Mapping[str, Any]) -> str:
    candidates = trace["candidates"]
    if not candidates:
        return ""
    stages = [stage for stage in STAGES if any(one[stage] is not None for one in candidates)]
    rows = [["", *stages, "became", "where"]]
    for one in candidates:
        cells = [_cell(one[stage], one["ranks"].get(stage)) for stage in stages]
        rows.append([str(one["rank"]), *cells, one["became"], _place(one["where"])])
    said = f"The best {len(candidates)} of {trace['proposed']}, with score and rank in each stage."
    return _line(said) + _table(rows)


def _cell(score: float | None, rank: int | None) -> str:
    return "–" if score is None else f"{score:.3f} · {rank}" if rank else f"{score:.3f}"


def _passages(trace: Mapping[str, Any]) -> str:
    if trace["prompt"] is None:
        return ""
    rows = [["", "in the prompt", "tokens", "where", ""]]
    for one in trace["passages"]:
        also = [f"also in: {'; '.join(one['also'])}"] if one["also"] else []
        n = f"as [{one['n']}]" if one["n"] else "no"
        notes = "; ".join([one["reason"]] * bool(one["reason"]) + also)
        rows.append([str(one["rank"]), n, str(one["tokens"]), _place(one["where"]), notes])
    return _table(rows)


def _sentences(sentences: Sequence[Mapping[str, Any]]) -> str:
    rows = [["", "alike", "sentence", "why"]]
    for one in sentences:
        mark = f"shown [{one['n']}]" if one["outcome"] == "shown" else one["outcome"]
        label = "Supported by" if one["outcome"] == "shown" else "Nearest"
        where = f"{label}: {_place(one['where'])}: {one['where']['text']}" if one["where"] else ""
        score = "" if one["score"] is None else f"{one['score']:.2f}"
        why = ". ".join(part for part in (one["reason"], where) if part)
        rows.append([mark, score, markup.shorten(one["text"], _CUT), markup.shorten(why, 2 * _CUT)])
    return _table(rows) if sentences else ""


def _quotes(quotes: Sequence[Mapping[str, Any]]) -> str:
    rows = [["score", "cosine", "reader", "", "sentence"]]
    for one in quotes:
        shown = f"shown [{one['n']}]" if one["n"] else ""
        read = "" if one["read"] is None else f"{one['read']:.2f}"
        cells = [f"{one['score']:.2f}", f"{one['cosine']:.2f}", read, shown]
        rows.append([*cells, markup.shorten(one["where"]["text"], _CUT)])
    return _table(rows) if quotes else ""


def _prompt(prompt: Mapping[str, Any] | None) -> str:
    if prompt is None:
        return ""
    size = (
        f"{prompt['tokens']} tokens, {prompt['frame']} of them for the question and the model's format. The window has "
        f"{prompt['window']}, of which the prompt may take {prompt['room']}; the answer took {prompt['answer_tokens']}."
    )
    turns = f"{prompt['turns']} of {prompt['turns_given']} earlier turns are in it." if prompt["turns_given"] else ""
    sent = "" if prompt["was_sent"] else "It was not sent: the model was not asked."
    lines = "".join(_line(line) for line in (size, turns, sent) if line)
    return lines + markup.element("pre", "rd-prompt", prompt["text"])


def _place(where: Mapping[str, Any]) -> str:
    within = where["place"] or (f"page {where['page']}" if where["page"] else "")
    parts = [where["source"], within, f"{where['start']}–{where['end']}"]
    return " · ".join(part for part in parts if part)


def _heading(title: str) -> str:
    return markup.element("h3", "rd-label", title)


def _line(text: str) -> str:
    return markup.element("p", "rd-note", text)


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as a table; the first row is its head."""
    lines = [
        "".join(
            markup.element("td" if n else "th", "rd-short" if len(cell) < _SHORT else "rd-long", cell) for cell in row
        )
        for n, row in enumerate(rows)
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="rd-scroll"><table class="rd-table">{body}</table></div>'
