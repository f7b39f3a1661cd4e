"""Evaluations on the page: run one on questions from a file, and read earlier ones; of answers, each failure beside its
sources. Those of retrieval are drawn by `retrieval_view.py`.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from rag_dolly import evaluations, retrieval_evaluations
from rag_dolly.answer_measures import find_any
from rag_dolly.app import markup
from rag_dolly.app.engine import Engine
from rag_dolly.app.quality import evaluation_form, evaluation_list, evaluation_run, retrieval_view
from rag_dolly.app.quality.evaluation_run import Run
from rag_dolly.app.quality.feedback_view import day
from rag_dolly.app.reflow import reflow
from rag_dolly.evaluate_answers import MEASURES, passage_around
from rag_dolly.evaluations import Evaluation

COLUMNS = {
    "contains": "Right",
    "citation_recall_passage": "Cited right",
    "false_refusals": "Wrongly refused",
    "false_answers": "Wrongly answered",
}
"""Measures of the list -> what it calls them."""
PER_PAGE = 5


def draw(engine: Engine) -> None:
    """Draw what runs, the form, and the list with what is open of it."""
    kind = st.segmented_control(
        "Evaluate",
        evaluation_form.KINDS,
        default=evaluation_form.ANSWERS,
        required=True,
        key="evaluation-kind",
        label_visibility="collapsed",
        persist_state="session",
    )
    index_dir = engine.backend.index_dir
    run = evaluation_run.current(engine)
    answers = evaluations.kept(index_dir) if kind == evaluation_form.ANSWERS else []
    found = retrieval_evaluations.kept(index_dir) if kind == evaluation_form.RETRIEVAL else []
    if run is not None and not run.finished:
        st.fragment(_live, run_every=0.5)(run)
    else:
        if run is not None:
            _outcome(run)
        evaluation_form.draw(engine, str(kind), is_first=not answers and not found)
    if found:
        retrieval_view.draw(index_dir, found)
    if answers:
        st.html(markup.element("h2", "rd-section", "Evaluations of answers"))
        _answers(index_dir, answers)


def _live(run: Run) -> None:
    if run.finished:
        st.rerun()
    judging = run.state == "judging"
    line = "Judging…" if judging else f"{markup.label(run.data, 60)}: {run.done} of {len(run.questions)}"
    with st.container(horizontal=True, vertical_alignment="center", key="evaluation-live"):
        st.progress(run.done / len(run.questions), text="Stopping…" if run.stopping.is_set() and not judging else line)
        st.button(
            "Stop", icon=":material/stop_circle:", on_click=run.stopping.set, disabled=run.stopping.is_set() or judging
        )


def _outcome(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="evaluation-outcome"):
        if run.state == "failed":
            st.error(markup.label(run.error, 400), icon=":material/error:")
        elif run.state == "stopped":
            kept = "What was done until then is in the list." if run.name else "Nothing had been done."
            st.info(
                f"Stopped after {run.done} of {len(run.questions)} questions. {kept}", icon=":material/stop_circle:"
            )
        else:
            st.success(
                f"{run.done} {'question' if run.done == 1 else 'questions'} evaluated.", icon=":material/check_circle:"
            )
        st.button("Close", key="close-outcome", type="tertiary", on_click=evaluation_run.dismiss, args=(run,))


def _answers(index_dir: Path, kept: Sequence[Evaluation]) -> None:
    """Draw the list, and the failures of the evaluation that is chosen."""
    st.html(evaluation_list.table("Evaluations", ("When", "Questions", "Model", *COLUMNS.values()), map(_row, kept)))
    chosen = kept[evaluation_list.choose("evaluation", kept, evaluations.delete, index_dir)]
    with st.expander("All figures", key="all-figures"):
        _figures(chosen)
    _failures(evaluations.answers(index_dir, chosen.name), chosen)


def _row(one: Evaluation) -> list[str]:
    cells = [day(one.time), evaluation_list.described(one), markup.shorten(str(one.facts.get("model", "")), 40)]
    return cells + [percent(one.figure(measure)) for measure in COLUMNS]


def percent(share: float | None) -> str:
    """Return a share of one in per cent, "–" for none."""
    return "–" if share is None else f"{100 * share:.0f} %"


def _figures(one: Evaluation) -> None:
    overall = one.measures.get("overall", {})
    rows = "".join(
        f'<tr><th scope="row">{markup.escape(measure.replace("_", " "))}<br><small>{markup.escape(MEASURES[measure])}'
        f"</small></th><td>{figure['mean']:.3f}</td><td>{figure['low']:.3f}–{figure['high']:.3f}</td>"
        f"<td>{figure['of']:.0f}</td></tr>"
        for measure, figure in overall.items()
        if measure in MEASURES
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Measure", "Figure", "95 %", "Of"))
    st.html(f'<table class="rd-table rd-figures"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>')


def _failures(rows: Sequence[Mapping[str, Any]], one: Evaluation) -> None:
    faults = sorted({fault for row in rows for fault in row["faults"]})
    if not faults:
        line = "No fault was found in any answer." if rows else "The answers are gone: their documents were forgotten."
        st.html(markup.element("p", "rd-note", line))
        return
    counted = {fault: sum(fault in row["faults"] for row in rows) for fault in faults}
    fault = st.pills(
        "What went wrong",
        ["any fault", *faults],
        default="any fault",
        required=True,
        key=f"fault-{one.name}",
        format_func=lambda name: f"{name} {counted.get(name, sum(bool(row['faults']) for row in rows))}",
    )
    wrong = [row for row in rows if (row["faults"] if fault == "any fault" else fault in row["faults"])]
    pages = -(-len(wrong) // PER_PAGE)
    number = st.pagination(pages, key=f"fault-page-{one.name}-{fault}") if pages > 1 else 1
    for row in wrong[(number - 1) * PER_PAGE : number * PER_PAGE]:
        st.html(failure(row))


def failure(row: Mapping[str, Any]) -> str:
    """Return one question with its answer, what was expected and what it was answered from, as HTML."""
    expected = row["expected"]
    golds = expected["answers"] if row["kind"] == "answerable" else []
    wanted = " or ".join(golds) or ("an answer" if row["kind"] == "answerable" else "a refusal")
    where = f" — {expected['doc']}" if expected["doc"] else ""
    cited = [(f"[{one['n']}] {_where(one)}", passage_around(one, row["retrieved"])) for one in row["citations"]]
    others = [(_where(hit), hit["text"]) for hit in row["retrieved"][:5]]
    parts = [
        markup.element("h3", "rd-question", row["question"]),
        markup.element("p", "rd-fault", ", ".join(row["faults"])),
        f'<div class="rd-said">{_marked(row["answer"], golds) or "Refused."}</div>',
        f'<p class="rd-note">Expected: {markup.escape(wanted)}{markup.escape(where)}</p>',
        *(_source(where, text, golds, "") for where, text in cited),
        *(_source(where, text, golds, " — found") for where, text in ([] if cited else others)),
    ]
    return f'<article class="rd-failure">{"".join(parts)}</article>'


def _source(where: str, text: str, golds: Sequence[str], note: str) -> str:
    return (
        f'<details class="rd-source"><summary>{markup.escape(where)}{escape(note)}</summary>'
        f'<div class="rd-passage">{_marked(reflow(text), golds)}</div></details>'
    )


def _where(entry: Mapping[str, Any]) -> str:
    within = entry.get("place") or (f"page {entry['page']}" if entry.get("page") else "")
    return " · ".join(part for part in (entry["source"], within) if part)


def _marked(text: str, golds: Sequence[str]) -> str:
    """Return a text as HTML, with expected answers in it marked."""
    parts, last = [], 0
    for start, end in sorted(find_any(golds, text)):
        if start >= last:
            parts += [markup.escape(text[last:start]), f"<mark>{markup.escape(text[start:end])}</mark>"]
            last = end
    return "".join([*parts, markup.escape(text[last:])])
