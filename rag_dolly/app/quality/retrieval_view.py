"""Evaluations of retrieval on the page: their figures, and the questions whose document was not found near the top."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from rag_dolly import retrieval_evaluations
from rag_dolly.app import markup
from rag_dolly.app.quality import evaluation_list
from rag_dolly.app.quality.feedback_view import day
from rag_dolly.retrieval_evaluations import Kept

COLUMNS = {"recall@5": "Among 5", "recall@10": "Among 10", "mrr@10": "MRR@10", "ndcg@10": "nDCG@10"}
"""Measures of the list -> what it calls them."""
STAGES = {
    "keyword": "by words",
    "dense": "by meaning",
    "rrf": "both, fused by rank",
    "fused": "both, as used",
    "reranked": "reranked",
}
PER_PAGE = 10
Row = Mapping[str, Any]


def draw(index_dir: Path, kept: Sequence[Kept]) -> None:
    """Draw the list with what is open of it."""
    st.html(markup.element("h2", "rd-section", "Evaluations of retrieval"))
    rows = [[day(one.time), evaluation_list.described(one), *_figures(one)] for one in kept]
    st.html(evaluation_list.table("Evaluations of retrieval", ("When", "Questions", *COLUMNS.values()), rows))
    chosen = kept[evaluation_list.choose("retrieval", kept, retrieval_evaluations.delete, index_dir)]
    with st.expander("All stages", key="all-stages"):
        st.html(_stages(chosen))
    _queries(retrieval_evaluations.queries(index_dir, chosen.name), chosen)


def _figures(one: Kept) -> list[str]:
    return [_said(one.figure(measure), measure) for measure in COLUMNS]


def _said(figure: float | None, measure: str) -> str:
    """Return recall as a share in per cent, other measures as the numbers that papers give."""
    if figure is None:
        return "–"
    return f"{100 * figure:.0f} %" if measure.startswith("recall") else f"{figure:.3f}"


def _stages(one: Kept) -> str:
    """Return the figures of each stage as HTML, with 95 % intervals; a star where the product differs beyond noise."""
    measures = list(next(iter(one.stages.values()), {}))
    head = "".join(f'<th scope="col">{markup.escape(name)}</th>' for name in ("Stage", *measures))
    rows = "".join(
        f'<tr><th scope="row">{markup.escape(STAGES.get(stage, stage))}</th>'
        + "".join(f"<td>{_cell(cell, one.differences.get(stage, {}).get(name))}</td>" for name, cell in row.items())
        for stage, row in one.stages.items()
    )
    reranker, left = one.facts.get("reranker"), one.facts.get("left_out")
    about = [
        f"Embedder {one.facts.get('embedder', '')}",
        f"{one.facts.get('documents', 0):,} documents",
        f"reranker {reranker}" if reranker != "none" else "",
        f"{left} left out, which no document of the index answers" if left else "",
        "* differs from what is used beyond noise",
    ]
    note = markup.element("p", "rd-note", " · ".join(part for part in about if part))
    return (
        '<div class="rd-scroll" tabindex="0" role="region" aria-label="All stages"><table class="rd-table rd-figures">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _cell(cell: Mapping[str, float], difference: Mapping[str, float] | None) -> str:
    star = "*" if difference and (difference["low"] > 0 or difference["high"] < 0) else ""
    return f"{cell['mean']:.3f}{star}<br><small>{cell['low']:.3f}–{cell['high']:.3f}</small>"


def _queries(rows: Sequence[Row], one: Kept) -> None:
    """Draw the questions in pages, those whose document stands too low first."""
    product = str(one.facts.get("product"))

    def place(row: Row) -> int:
        return row["ranks"].get(product) or 10**9

    sorts: dict[str, Callable[[Row], bool]] = {
        "not among 10": lambda row: place(row) > 10,
        "not first": lambda row: place(row) > 1,
        "all": lambda row: True,
    }
    if not rows:
        st.html(markup.element("p", "rd-note", "The questions are gone: their documents were forgotten."))
        return
    counts = {name: sum(map(is_one, rows)) for name, is_one in sorts.items()}
    chosen = st.pills(
        "The document that should be found is",
        list(sorts),
        default=next(name for name in sorts if counts[name]),
        required=True,
        key=f"found-{one.name}",
        format_func=lambda name: f"{name} {counts[name]}",
    )
    shown = sorted(filter(sorts[str(chosen)], rows), key=place, reverse=True)
    pages = -(-len(shown) // PER_PAGE)
    number = st.pagination(pages, key=f"found-page-{one.name}-{chosen}") if pages > 1 else 1
    st.html("".join(_query(row, product) for row in shown[(number - 1) * PER_PAGE : number * PER_PAGE]))


def _query(row: Row, product: str) -> str:
    """Return one question with where its document stands and, if that is not first, what does, as HTML."""
    rank = row["ranks"].get(product)
    stages = [f"{STAGES[stage]} {row['ranks'].get(stage) or '–'}" for stage in ("keyword", "dense")]
    where = f"{markup.shorten(', '.join(row['wanted']), 160)} ({', '.join(stages)})"
    found = "".join(_found(name, name in row["wanted"]) for name in row["found"])
    parts = [
        markup.element("h3", "rd-question", row["question"]),
        "" if rank == 1 else markup.element("p", "rd-fault", f"At place {rank}" if rank else "Not found"),
        markup.element("p", "rd-note", f"Expected: {where}"),
        "" if rank == 1 else f'<ol class="rd-found">{found}</ol>',
    ]
    return f'<article class="rd-failure">{"".join(parts)}</article>'


def _found(name: str, is_right: bool) -> str:
    said = markup.escape(name)
    return f"<li><strong>{said}</strong></li>" if is_right else f"<li>{said}</li>"
