"""How an answer came about, on the terminal: plain text in columns, after the answer and its sources.

Text of documents and models is stripped of control characters and cut, as everywhere on the terminal; the prompt alone
is shown whole, each line of it behind a bar, so that nothing in it can pass for a line of ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from rag_dolly.show import place, plain, shorten

STAGES = ("fused", "dense", "keyword", "named", "rerank")
_CUT = 200


def trace(found: Mapping[str, Any]) -> None:
    """Print a trace as `Trace.to_json` gives it."""
    typer.echo(f"\nHow this was answered\n  {shorten(found['reason'], _CUT)}")
    _searched(found)
    _candidates(found)
    _passages(found)
    _sentences(found["sentences"])
    _quotes(found["quotes"])
    _seconds(found["seconds"])
    _prompt(found["prompt"], found["model"])


def _searched(found: Mapping[str, Any]) -> None:
    near = found["nearness"]
    typer.echo("\nSearch")
    typer.echo(f"  searched for  {shorten(found['searched'], 1000)}")
    if found["filters"]:
        typer.echo(f"  only in       {shorten(found['filters'], _CUT)}")
    said = "enough" if near["enough"] else "not enough"
    typer.echo(
        f"  nearness      {near['score']:.3f} = best cosine {near['cosine']:.2f} + half of the best share of words "
        f"{near['share']:.2f}; {near['needed']:.3f} is needed: {said}"
    )


def _candidates(found: Mapping[str, Any]) -> None:
    candidates = found["candidates"]
    if not candidates:
        return
    typer.echo(f"\nCandidates: the best {len(candidates)} of {found['proposed']}, with score and (rank) in each stage")
    stages = [stage for stage in STAGES if any(one[stage] is not None for one in candidates)]
    rows = [["", *stages, "became", "where"]]
    for one in candidates:
        cells = [_cell(one[stage], one["ranks"].get(stage)) for stage in stages]
        rows.append([str(one["rank"]), *cells, one["became"], _place(one["where"])])
    _table(rows)


def _cell(score: float | None, rank: int | None) -> str:
    return "-" if score is None else f"{score:.3f} ({rank})" if rank else f"{score:.3f}"


def _passages(found: Mapping[str, Any]) -> None:
    if found["prompt"] is None:
        typer.echo("\nPassages")
        _table([[str(one["rank"]), "; ".join([_place(one["where"]), *_notes(one)])] for one in found["passages"]])
        return
    typer.echo("\nPassages, and what they take of the prompt")
    rows = [["", "in the prompt", "tokens", "where"]]
    for one in found["passages"]:
        n = f"as [{one['n']}]" if one["n"] else "no"
        rows.append([str(one["rank"]), n, str(one["tokens"]), "; ".join([_place(one["where"]), *_notes(one)])])
    _table(rows)


def _notes(passage: Mapping[str, Any]) -> list[str]:
    also = shorten("; ".join(passage["also"]), _CUT)
    return [shorten(passage["reason"], _CUT)] * bool(passage["reason"]) + [f"also in: {also}"] * bool(also)


def _sentences(sentences: Sequence[Mapping[str, Any]]) -> None:
    if sentences:
        typer.echo("\nSentences of the model, with how alike the text below each is")
    for one in sentences:
        score = "    " if one["score"] is None else f"{one['score']:.2f}"
        mark = f"shown [{one['n']}]" if one["outcome"] == "shown" else one["outcome"]
        typer.echo(f"  {score}  {mark:<10} {shorten(one['text'], _CUT)}")
        if one["reason"]:
            typer.echo(f"        {'':<10} {shorten(one['reason'], 400)}")
        if one["where"]:
            label = "support" if one["outcome"] == "shown" else "nearest"
            typer.echo(f"        {label:<10} {_place(one['where'])}: {shorten(one['where']['text'], _CUT)}")


def _quotes(quotes: Sequence[Mapping[str, Any]]) -> None:
    if not quotes:
        return
    typer.echo("\nSentences considered for quoting, best first")
    rows = [["score", "cosine", "reader", "", "text"]]
    for one in quotes:
        shown = f"shown [{one['n']}]" if one["n"] else ""
        read = "" if one["read"] is None else f"{one['read']:.2f}"
        rows.append([f"{one['score']:.2f}", f"{one['cosine']:.2f}", read, shown, shorten(one["where"]["text"], 120)])
    _table(rows)


def _prompt(prompt: Mapping[str, Any] | None, model: str) -> None:
    typer.echo(f"\nModel: {shorten(model, _CUT)}")
    if prompt is None:
        return
    typer.echo(f"  window {prompt['window']} tokens, of which {prompt['room']} for the prompt")
    typer.echo(
        f"  prompt {prompt['tokens']} tokens, of which {prompt['frame']} for the question and the model's format"
    )
    typer.echo(f"  answer {prompt['answer_tokens']} tokens")
    if prompt["turns_given"]:
        typer.echo(f"  earlier turns in it: {prompt['turns']} of {prompt['turns_given']}")
    typer.echo("  the exact prompt" + ("" if prompt["was_sent"] else ", which was not sent: the model was not asked"))
    for line in prompt["text"].splitlines():
        typer.echo(f"  | {plain(line)}")


def _seconds(seconds: Mapping[str, float]) -> None:
    typer.echo("\nSeconds")
    _table([[step, f"{taken:.3f}"] for step, taken in seconds.items()])


def _place(where: Mapping[str, Any]) -> str:
    found = place(where["source"], where["page"], where["place"])
    return shorten(f"{found}, characters {where['start']}-{where['end']}", _CUT)


def _table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of cells in columns as wide as their widest cell."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(f"  {'  '.join(cells)}".rstrip())
