"""An evaluation of answers as one page on which a person reads each answer beside its sources.

The page holds everything it needs: it loads nothing, runs no script (filters are radio buttons and style rules) and
says so in its policy, which only allows its own style sheet. Texts of documents, questions and answers are escaped, and
control characters and changes of direction are taken out.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from rag_dolly.answer_measures import Span, find_any
from rag_dolly.calibration import as_table
from rag_dolly.errors import BadSetting, RagDollyError
from rag_dolly.evaluate_answers import (
    LATENCY,
    MEASURES,
    REFUSAL_SCORE,
    AnswerEvaluation,
    Figure,
    Judged,
    passage_around,
)
from rag_dolly.plot import as_svg, lay_out
from rag_dolly.show import plain

MAX_CHARACTERS = 3000
"""Of a passage that is shown; the place of an expected answer is always among them."""
PASSAGES = 5
"""Retrieved passages shown below an answer with a fault."""
FAULTS = (
    "false refusal",
    "false answer",
    "answer not shown",
    "no right citation",
    "broken marker",
    "unsupported sentence",
)
GROUPS = {
    "fault": ("any fault", "no fault", *FAULTS),
    "kind": ("answerable", "unanswerable", "out_of_corpus"),
    "mode": ("generated", "quoted", "abstained"),
}
"""What can be chosen -> its values; each is also a class of the articles."""

_STYLE = """
body{margin:1.5rem auto;max-width:72rem;padding:0 1rem;font-family:system-ui,sans-serif;line-height:1.45;color:#222}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}small{color:#666}svg{max-width:100%;height:auto}
label{display:inline-block;margin:.15rem .2rem;padding:.15rem .6rem;border:1px solid #aaa;border-radius:1rem}
input{margin:0 .1rem 0 .6rem}article{border-left:.3rem solid #66c2a5;padding:.1rem 1rem;margin:1.2rem 0}
article.any-fault{border-color:#d95f02}blockquote{margin:.4rem 0;padding:.3rem .8rem;background:#f5f5f5}
blockquote,.answer{white-space:pre-wrap;overflow-wrap:anywhere}.answer{font-size:1.05rem}mark{background:#ffe08a}
.fault{color:#a33c00;font-weight:600}u{text-decoration-color:#d95f02;text-decoration-thickness:2px}
"""


def check_suffix(path: Path) -> None:
    """Raise `BadSetting` unless the file is one that a report can be written to."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise BadSetting(f"--report is {path.name!r}: expected a name that ends in .html.")


def write_report(found: AnswerEvaluation, facts: Mapping[str, Any], path: Path) -> None:
    """Write the report; `facts` say what was evaluated. Raises `RagDollyError`."""
    try:
        with path.open("w", encoding="utf-8", errors="replace") as file:
            file.writelines(f"{part}\n" for part in as_html(found, facts))
    except OSError as error:
        raise RagDollyError(f"{path} cannot be written: {error.strerror or error}.") from error


def as_html(found: AnswerEvaluation, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the page in parts."""
    style = _STYLE + "".join(_rules())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = _text(f"Answers to {facts['data']}")
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="referrer" content="no-referrer">'
    yield f"<style>{style}</style></head><body><h1>{title}</h1>"
    yield "<p>" + "; ".join(f"{_text(name)}: {_text(value)}" for name, value in facts.items() if value != "") + "</p>"
    yield from _figures(found)
    yield as_svg(lay_out(as_table(found.bins), calibration_title(found)))
    yield f"<h2>{len(found.judged)} questions</h2><div>"
    for group, values in GROUPS.items():
        yield f"<p>{_choice(group, 'all')}" + "".join(_choice(group, value) for value in values) + "</p>"
    yield "</div><main>"
    for judged in found.judged:
        yield from _article(judged)
    yield "</main></body></html>"


def calibration_title(found: AnswerEvaluation) -> str:
    """Return what stands above the curve: which score it is, and how well that tells the questions apart."""
    area = found.areas[REFUSAL_SCORE].get("all")
    said = f"; area {area.mean:.3f} ({area.low:.3f} to {area.high:.3f})" if area else ""
    return f"Share of questions that can be answered, and refused, by the best cosine retrieved{said}"


def _rules() -> Iterator[str]:
    """Yield the rules that hide what was not chosen."""
    for group, values in GROUPS.items():
        for value in values:
            name = _class(value)
            yield f"body:has(#{group}-{name}:checked) article:not(.{name}){{display:none}}\n"


def _class(value: str) -> str:
    return value.replace(" ", "-").replace("_", "-")


def _choice(group: str, value: str) -> str:
    name, checked = f"{group}-{_class(value)}", " checked" if value == "all" else ""
    shown = f"{group}: all" if value == "all" else value.replace("_", " ")
    return f'<input type="radio" name="{group}" id="{name}"{checked}> <label for="{name}">{shown}</label>'


def _figures(found: AnswerEvaluation) -> Iterator[str]:
    rows = list(found.figures)
    yield "<table><tr><th>measure</th>" + "".join(f"<th>{row}</th>" for row in rows) + "</tr>"
    for measure, meaning in {**MEASURES, LATENCY: "median seconds"}.items():
        if measure in found.figures["overall"]:
            cells = "".join(_cell(found.figures[row].get(measure)) for row in rows)
            yield f"<tr><td>{measure}<br><small>{meaning}</small></td>{cells}</tr>"
    yield "</table>"


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "<td></td>"
    return f"<td>{figure.mean:.3f}<br><small>{figure.low:.3f} to {figure.high:.3f}<br>of {figure.of:.0f}</small></td>"


def _article(judged: Judged) -> Iterator[str]:
    """Yield a question with its answer, what is wrong with it, and its sources."""
    answer, expected = judged.answer, judged.question.answers
    status = ("any fault", *judged.faults) if judged.faults else ("no fault",)
    classes = " ".join(map(_class, (*status, judged.kind, answer["mode"])))
    yield f'<article class="{_text(classes)}"><h3>{_text(judged.question.question)}</h3>'
    if judged.faults:
        yield f'<p class="fault">{_text(", ".join(judged.faults))}</p>'
    yield f'<p class="answer">{_marked(answer["answer"], expected)}</p><p>Expected: {_expected(judged)}</p>'
    scores = ", ".join(f"{name} {value:.3f}" for name, value in judged.scores.items())
    of_text = [f"{name} {judged.fractions[name][0]:.2f}" for name in ("exact_match", "f1") if name in judged.fractions]
    said = ", ".join((str(judged.question.key), judged.kind.replace("_", " "), answer["mode"], scores, *of_text))
    yield f"<p><small>{_text(said)}, {answer['timings']['total']:.2f} s</small></p>"
    for citation in answer["citations"]:
        yield _citation(citation, passage_around(citation, answer["retrieved"]), expected)
    if judged.faults:
        yield from _retrieved(answer["retrieved"], expected)
    yield "</article>"


def _expected(judged: Judged) -> str:
    question = judged.question
    pages = ", ".join(map(str, sorted(question.pages)))
    answers = " | ".join(question.answers) if judged.kind == "answerable" else "a refusal"
    where = f" — {question.doc}" if question.doc else ""
    return f"<mark>{_text(answers)}</mark>{_text(where)}{f', page {pages}' if pages else ''}"


def _citation(citation: Mapping[str, Any], passage: str, expected: Sequence[str]) -> str:
    """Return a citation: its passage, the cited text underlined in it, expected answers marked."""
    head = f"[{citation['n']}] {_place(citation)}, score {citation['score']:.3f}"
    start = passage.find(citation["text"])
    cited = (start, start + len(citation["text"])) if start >= 0 else (0, 0)
    return f"<p><small>{_text(head)}</small></p><blockquote>{_marked(passage, expected, cited)}</blockquote>"


def _retrieved(hits: Sequence[Mapping[str, Any]], expected: Sequence[str]) -> Iterator[str]:
    yield "<details><summary>Passages retrieved</summary>"
    for hit in hits[:PASSAGES]:
        scores = ", ".join(f"{name} {hit[name]:.3f}" for name in ("score", "dense", "keyword") if hit[name] is not None)
        yield f"<p><small>{hit['rank']}. {_text(_place(hit))}; {scores}</small></p>"
        yield f"<blockquote>{_marked(hit['text'], expected)}</blockquote>"
    yield "</details>"


def _place(row: Mapping[str, Any]) -> str:
    page = f", page {row['page']}" if row["page"] else ""
    return f"{row['source']}{page}, characters {row['start']}-{row['end']}"


def _marked(text: str, expected: Sequence[str], cited: Span = (0, 0)) -> str:
    """Return a text, expected answers in <mark> and what is cited in <u>; a long one around the first of these."""
    golds = find_any(expected, text)
    first = min((span[0] for span in [*golds, cited] if span[1]), default=0)
    low = max(0, min(first - MAX_CHARACTERS // 4, len(text) - MAX_CHARACTERS))
    high = min(len(text), low + MAX_CHARACTERS)
    edges = sorted({low, high, *(edge for span in [*golds, cited] for edge in span if low < edge < high)})
    parts = ["…" if low else ""]
    for start, end in pairwise(edges):
        part = _text(text[start:end])
        if cited[0] <= start < cited[1]:
            part = f"<u>{part}</u>"
        parts.append(f"<mark>{part}</mark>" if any(a <= start < b for a, b in golds) else part)
    return "".join(parts) + ("…" if high < len(text) else "")


def _text(value: object) -> str:
    return escape(plain(str(value)))
