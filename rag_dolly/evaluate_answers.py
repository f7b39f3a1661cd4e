"""How good answers are on questions whose answers are known: each measure over its own questions, and by mode.

A question is out of the corpus if it names no document of the index, whatever else is said of it. A measure is a sum
divided by a sum (right citations by citations), so that each has its own denominator; its interval is a percentile
bootstrap over the questions, as in `evaluate`. `MEASURES` says what each of them is.

Limits: whether a text "contains" an answer is decided by words, not by meaning, so an answer in other words counts as
wrong; expected answers that are no wording of the documents ("yes") say little.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np

from rag_dolly.answer_measures import exact_match, f1, find_any, length, markers, sentences, without_markers
from rag_dolly.answer_questions import Answer, Question
from rag_dolly.calibration import Bin, auc, reliability
from rag_dolly.evaluate import CONFIDENCE, RESAMPLES, SEED, Estimate
from rag_dolly.measures import Floats

Kind = Literal["answerable", "unanswerable", "out_of_corpus"]
MEASURES = {
    "exact_match": "answerable questions whose answer is an expected one",
    "f1": "mean over answerable questions of the F1 of words",
    "contains": "answerable questions whose answer contains an expected one",
    "contains_first": "the same for the first sentence alone",
    "short_exact_match": "answers in short, of answerable questions, that are an expected one",
    "short_f1": "mean F1 of the answers in short, of answerable questions",
    "words": "mean length of the answers shown (Chinese and Japanese: characters)",
    "citation_precision": "citations from the right document and page whose text contains an expected answer",
    "citation_precision_passage": "the same for the passage around the citation",
    "citation_document": "citations from the right document",
    "citation_page": "citations from the right page",
    "citation_recall": "answers shown to answerable questions with a citation as in citation_precision",
    "citation_recall_passage": "the same for the passage around the citation",
    "markers_resolve": "markers in answers that have a citation",
    "supported_sentences": "sentences of answers that carry a citation",
    "false_answers": "unanswerable and out-of-corpus questions that were answered",
    "false_answers_unanswerable": "questions that their document does not answer, answered",
    "false_answers_out_of_corpus": "questions about no document of the index, answered",
    "false_refusals": "answerable questions that were refused",
}
"""Measure -> what is counted, of what."""
LATENCY = "latency_p50"
"""Median of the seconds an answer took."""
ROWS = ("overall", "answered", "generated", "quoted", "abstained")
"""All answers, those not refused, and those of each mode."""
SCORES = ("dense", "keyword", "citation")
"""Scores that could decide on a refusal: see `refusal_scores`."""
REFUSAL_SCORE = "dense"
"""The one that is drawn."""

Fraction = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure, the bounds of its 95 % confidence interval, and its denominator."""

    mean: float
    low: float
    high: float
    of: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, its answer, (what counts, of how much) for each measure, and what is wrong with the answer."""

    question: Question
    answer: Answer
    kind: Kind
    fractions: dict[str, Fraction]
    scores: dict[str, float]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerEvaluation:
    """Row of `ROWS` -> measure -> figure, where there is something to measure; the curve and areas of the scores."""

    judged: list[Judged]
    figures: dict[str, dict[str, Figure]]
    bins: list[Bin]
    areas: dict[str, dict[str, Estimate]]

    def count(self, kind: Kind) -> int:
        """Return the number of questions of a kind."""
        return sum(judged.kind == kind for judged in self.judged)


def names_in(sources: Iterable[str]) -> set[str]:
    """Return all names that `doc` may give the documents of an index."""
    return {name for source in sources for name in _names(source)}


def _names(source: str) -> set[str]:
    """Return a source, its ends ("a/b.txt", "b.txt") and these without the suffix."""
    parts = PurePosixPath(source).parts
    ends = {"/".join(parts[n:]) for n in range(len(parts))} | {source}
    return ends | {str(PurePosixPath(end).with_suffix("")) for end in ends if PurePosixPath(end).name}


def kind_of(question: Question, known: set[str]) -> Kind:
    """Return what should be done with a question: answer it, or refuse it for one of two reasons."""
    if question.doc not in known and (question.doc or not question.answerable):
        return "out_of_corpus"
    return "answerable" if question.answerable else "unanswerable"


def judge(question: Question, answer: Answer, kind: Kind) -> Judged:
    """Compare an answer with what was expected."""
    text = without_markers(answer["answer"])
    is_shown = not answer["abstained"]
    found = sentences(answer["answer"], answer["citations"]) if is_shown else []
    fractions: dict[str, Fraction] = {}
    if kind == "answerable":
        shown, first = (text, found[0].text if found else "") if is_shown else ("", "")
        fractions |= _of_text(question, shown, first) | _of_short(question, answer)
        fractions["false_refusals"] = (float(not is_shown), 1)
    else:
        fractions |= dict.fromkeys(("false_answers", f"false_answers_{kind}"), (float(is_shown), 1.0))
    if is_shown:
        fractions |= _of_form(answer, found, text)
        if kind == "answerable":
            fractions |= _of_citations(question, answer)
    return Judged(question, answer, kind, fractions, refusal_scores(answer), _faults(fractions))


def _of_text(question: Question, shown: str, first: str) -> dict[str, Fraction]:
    golds = question.answers
    if not golds:
        return {}
    return {
        "exact_match": (exact_match(shown, golds), 1),
        "f1": (f1(shown, golds), 1),
        "contains": (float(bool(find_any(golds, shown))), 1),
        "contains_first": (float(bool(find_any(golds, first))), 1),
    }


def _of_short(question: Question, answer: Answer) -> dict[str, Fraction]:
    short = answer.get("short_answer")
    if not question.answers or not short:
        return {}
    said = short["text"]
    return {"short_exact_match": (exact_match(said, question.answers), 1), "short_f1": (f1(said, question.answers), 1)}


def _of_form(answer: Answer, found: Sequence[Any], text: str) -> dict[str, Fraction]:
    numbers = {citation["n"] for citation in answer["citations"]}
    given = markers(answer["answer"])
    return {
        "words": (length(text), 1),
        "markers_resolve": (sum(number in numbers for number in given), len(given)),
        "supported_sentences": (sum(sentence.is_cited for sentence in found), len(found)),
    }


def _of_citations(question: Question, answer: Answer) -> dict[str, Fraction]:
    """Return the measures of citations. Where no document, page or answer is expected, any is right."""
    citations, golds = answer["citations"], question.answers
    count = len(citations)
    documents = [not question.doc or question.doc in _names(citation["source"]) for citation in citations]
    pages = [not question.pages or citation["page"] in question.pages for citation in citations]
    places = [document and page for document, page in zip(documents, pages, strict=True)]
    texts = [[citation["text"], passage_around(citation, answer["retrieved"])] for citation in citations]
    right = [
        [place and (not golds or bool(find_any(golds, text[which]))) for place, text in zip(places, texts, strict=True)]
        for which in (0, 1)
    ]
    fractions: dict[str, Fraction] = {}
    for suffix, flags in zip(("", "_passage"), right, strict=True):
        fractions["citation_precision" + suffix] = (sum(flags), count)
        fractions["citation_recall" + suffix] = (float(any(flags)), 1)
    if question.doc:
        fractions["citation_document"] = (sum(documents), count)
    if question.pages:
        fractions["citation_page"] = (sum(places), count)
    return fractions


def passage_around(citation: Mapping[str, Any], retrieved: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the passage that a citation is from, that of the citation if none of these has it."""
    here = (
        hit["text"]
        for hit in retrieved
        if hit["source"] == citation["source"] and hit["start"] <= citation["start"] and citation["end"] <= hit["end"]
    )
    return str(next(here, citation["text"]))


def refusal_scores(answer: Answer) -> dict[str, float]:
    """Return the best cosine and the best BM25 score of what was retrieved, and the best score of the citations.

    The fused score is none of them: it is relative to the other passages found for the same question.
    """
    hits = answer["retrieved"]
    return {
        "dense": max((hit["dense"] or 0.0 for hit in hits), default=0.0),
        "keyword": max((hit["keyword"] or 0.0 for hit in hits), default=0.0),
        "citation": max((citation["score"] or 0.0 for citation in answer["citations"]), default=0.0),
    }


def _faults(fractions: Mapping[str, Fraction]) -> tuple[str, ...]:
    """Return what a person should look at."""

    def missed(measure: str) -> bool:
        got, of = fractions.get(measure, (0, 0))
        return got < of

    wrong = {
        "false refusal": fractions.get("false_refusals", (0, 0))[0] > 0,
        "false answer": fractions.get("false_answers", (0, 0))[0] > 0,
        "answer not shown": missed("contains") and not fractions.get("false_refusals", (0, 0))[0],
        "no right citation": missed("citation_recall_passage"),
        "broken marker": missed("markers_resolve"),
        "unsupported sentence": missed("supported_sentences"),
    }
    return tuple(name for name, is_so in wrong.items() if is_so)


def evaluate_answers(questions: Sequence[Question], answers: Sequence[Answer], known: set[str]) -> AnswerEvaluation:
    """Judge the answers to questions, given in the same order; `known` are the names of the index's documents."""
    judged = [judge(q, answer, kind_of(q, known)) for q, answer in zip(questions, answers, strict=True)]
    rows = {row: part for row in ROWS if (part := [one for one in judged if _is_in(one, row)])}
    figures = {row: _figures(part, judged) for row, part in rows.items()}
    can = [one.kind == "answerable" for one in judged]
    drawn = [one.scores[REFUSAL_SCORE] for one in judged]
    bins = reliability(drawn, can, [one.answer["abstained"] for one in judged])
    return AnswerEvaluation(judged, figures, bins, {score: _areas(judged, score) for score in SCORES})


def _is_in(judged: Judged, row: str) -> bool:
    answer = judged.answer
    return row in ("overall", answer["mode"]) or (row == "answered" and not answer["abstained"])


def _figures(part: Sequence[Judged], all_judged: Sequence[Judged]) -> dict[str, Figure]:
    """Return the figures of a row; false answers of a mode are counted of all that should have been refused."""
    chosen = {id(one) for one in part}
    sums = np.zeros((len(all_judged), 2, len(MEASURES)))
    for row, one in enumerate(all_judged):
        for column, measure in enumerate(MEASURES):
            got, of = one.fractions.get(measure, (0.0, 0.0))
            if id(one) in chosen:
                sums[row, :, column] = got, of
            elif measure.startswith("false_"):
                sums[row, 1, column] = of
    found = {measure: figure for measure, figure in zip(MEASURES, ratios(sums), strict=True) if figure}
    return found | {LATENCY: _median([one.answer["timings"]["total"] for one in part])}


def ratios(sums: Floats) -> list[Figure | None]:
    """Return the sum of numerators by that of denominators of each measure, None where there is nothing to measure.

    `sums` has the shape (questions, 2, measures), numerators first. All measures see the same resamples; one that has
    nothing to measure in a resample leaves it out.
    """
    count, _, width = sums.shape
    flat = sums.reshape(count, -1)
    generator = np.random.default_rng(SEED)
    drawn = np.empty((RESAMPLES, 2 * width))
    for row in range(RESAMPLES):
        drawn[row] = np.bincount(generator.integers(count, size=count), minlength=count) @ flat
    tail = (1 - CONFIDENCE) / 2
    figures: list[Figure | None] = []
    for got, of, gots, ofs in zip(*sums.sum(axis=0), drawn[:, :width].T, drawn[:, width:].T, strict=True):
        low, high = np.quantile(gots[ofs > 0] / ofs[ofs > 0], [tail, 1 - tail]) if of else (0, 0)
        figures.append(Figure(float(got / of), float(low), float(high), float(of)) if of else None)
    return figures


def _median(values: Sequence[float]) -> Figure:
    generator = np.random.default_rng(SEED)
    drawn = [np.median(generator.choice(values, size=len(values))) for _ in range(RESAMPLES)]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Figure(float(np.median(values)), float(low), float(high), float(len(values)))


def _areas(judged: Sequence[Judged], score: str) -> dict[str, Estimate]:
    """Return the area of a score against all that should be refused, and against each kind of it."""
    against: dict[str, tuple[str, ...]] = {
        "all": ("unanswerable", "out_of_corpus"),
        "unanswerable": ("unanswerable",),
        "out_of_corpus": ("out_of_corpus",),
    }
    found = {}
    for name, kinds in against.items():
        part = [one for one in judged if one.kind in ("answerable", *kinds)]
        area = auc([one.scores[score] for one in part], [one.kind == "answerable" for one in part]) if part else None
        if area:
            found[name] = area
    return found
