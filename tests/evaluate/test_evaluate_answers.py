"""Figures of an evaluation against those worked out by hand, and the questions' and answers' files."""

import json

import numpy as np
import pytest

from rag_dolly import evaluate_answers as ev
from rag_dolly.answer_questions import answer_questions, read_answers, read_questions
from rag_dolly.calibration import as_table, auc, reliability
from rag_dolly.chain import RagChain
from rag_dolly.errors import QuestionTooLong, RagDollyError
from rag_dolly.retrieve import HybridRetriever
from tests.evaluate.answers import CITED, answer, citation, question, refusal, write_lines
from tests.fakes import ScriptedPipeline

KNOWN = {"tower.txt", "bees.md"}


def figures(*pairs):
    questions, answers = zip(*pairs, strict=True)
    return ev.evaluate_answers(questions, answers, KNOWN).figures


def means(row):
    return {measure: figure.mean for measure, figure in row.items()}


def test_one_right_answer():
    row = means(figures((question(), answer()))["overall"])
    assert row == {
        "exact_match": 0,
        "f1": pytest.approx(2 * 2 / (5 + 2)),  # tower is 42 metres tall
        "contains": 1,
        "contains_first": 1,
        "words": 6,
        "citation_precision": 1,
        "citation_precision_passage": 1,
        "citation_document": 1,
        "citation_recall": 1,
        "citation_recall_passage": 1,
        "markers_resolve": 1,
        "supported_sentences": 1,
        "false_refusals": 0,
        "latency_p50": 1,
    }


def test_each_measure_has_its_own_denominator():
    shown = "It was built in 1902. [1] The tower is 42 metres tall. [2] It is nice. [9]"
    citations = [citation(1, text="It was built in 1902."), citation(2), citation(3, "bees.md"), citation(4, "bees.md")]
    found = figures(
        (question("a"), answer(shown, citations, "generated", seconds=3)),
        (question("b"), refusal(seconds=1)),
        (question("c", answerable=False), answer(seconds=2)),
        (question("d", answerable=False), refusal(seconds=4)),
        (question("e", doc="gone.txt"), refusal(seconds=5)),
    )
    overall = found["overall"]
    assert {name: (figure.mean, figure.of) for name, figure in overall.items()} == {
        "exact_match": (0, 2),
        "f1": (pytest.approx((2 * 2 / (13 + 2)) / 2), 2),
        "contains": (0.5, 2),
        "contains_first": (0, 2),
        "words": (pytest.approx((14 + 6) / 2), 2),
        "citation_precision": (0.25, 4),  # one names the height in the right document
        "citation_precision_passage": (0.5, 4),  # both from the right document are from a passage that names it
        "citation_document": (0.5, 4),
        "citation_recall": (1, 1),
        "citation_recall_passage": (1, 1),
        "markers_resolve": (pytest.approx(3 / 4), 4),
        "supported_sentences": (pytest.approx(3 / 4), 4),
        "false_answers": (pytest.approx(1 / 3), 3),
        "false_answers_unanswerable": (0.5, 2),
        "false_answers_out_of_corpus": (0, 1),
        "false_refusals": (0.5, 2),
        "latency_p50": (3, 5),
    }
    assert list(found) == ["overall", "answered", "generated", "quoted", "abstained"]
    assert (found["answered"]["contains"].mean, found["answered"]["contains"].of) == (1, 1)
    assert (found["quoted"]["false_answers"].mean, found["quoted"]["false_answers"].of) == (pytest.approx(1 / 3), 3)
    assert found["generated"]["false_answers"].mean == 0 and "f1" not in found["quoted"]
    assert found["abstained"]["latency_p50"].mean == 4 and "words" not in found["abstained"]


def test_a_page_must_be_right_where_one_is_expected():
    citations = [citation(1, page=3), citation(2, page=4), citation(3, "bees.md", page=3)]
    row = figures((question(pages=(3, 5)), answer("A 42 metres. [1] B. [2] C. [3]", citations)))["overall"]
    assert row["citation_page"].mean == row["citation_precision"].mean == pytest.approx(1 / 3)
    assert row["citation_document"].mean == pytest.approx(2 / 3)


def test_where_nothing_is_expected_nothing_is_measured():
    row = figures((question(answers=(), doc=""), answer()))["overall"]
    assert row["citation_recall"].mean == 1 and not {"f1", "contains", "citation_document"} & row.keys()


@pytest.mark.parametrize(
    ("doc", "answerable", "kind"),
    [
        ("tower.txt", True, "answerable"),
        ("b/tower.txt", True, "answerable"),
        ("a/b/tower", True, "answerable"),
        ("a/tower.txt", True, "out_of_corpus"),
        ("", True, "answerable"),
        ("tower.txt", False, "unanswerable"),
        ("", False, "out_of_corpus"),
        ("gone.txt", False, "out_of_corpus"),
    ],
)
def test_what_should_be_done_with_a_question(doc, answerable, kind):
    assert ev.kind_of(question(doc=doc, answerable=answerable), ev.names_in(["a/b/tower.txt"])) == kind


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ((question(), answer()), ()),
        ((question(), refusal()), ("false refusal",)),
        ((question(answerable=False), answer()), ("false answer",)),
        ((question(answerable=False), refusal()), ()),
        ((question(answers=["1902"]), answer()), ("answer not shown",)),
        ((question(), answer(f"{CITED} [1]", [citation(source="bees.md")])), ("no right citation",)),
        ((question(), answer(f"{CITED} [1] [2]")), ("broken marker",)),
        ((question(), answer(f"{CITED} [1] It is 42 metres.")), ("unsupported sentence",)),
    ],
)
def test_what_is_wrong_is_named(given, faults):
    assert ev.judge(*given, ev.kind_of(given[0], KNOWN)).faults == faults


def test_intervals_are_those_of_resampled_questions():
    dice = np.random.default_rng(3)
    of = dice.integers(1, 5, size=300).astype(float)
    got = dice.binomial(of.astype(int), 0.7).astype(float)
    sums = np.zeros((300, 2, 2))
    sums[:, 0, 0], sums[:, 1, 0] = got, of
    figure, none = ev.ratios(sums)
    assert none is None and figure == ev.ratios(sums)[0]
    assert figure.mean == pytest.approx(got.sum() / of.sum()) and figure.of == of.sum()
    residual = got - figure.mean * of  # the error of a ratio by linearisation (Cochran 1977, 2.11)
    error = residual.std() / of.mean() / np.sqrt(300)
    assert figure.high - figure.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_the_area_by_hand():
    scores, can = [0.1, 0.4, 0.4, 0.8], [False, True, False, True]
    assert auc(scores, can).mean == (1 + 0.5 + 1 + 1) / 4  # 0.4 above 0.1 and level with 0.4; 0.8 above both
    assert auc([0.2, 0.1], [False, True]).mean == 0
    assert auc([0.2, 0.1], [True, True]) is None
    found = auc(list(range(200)), [n % 3 > 0 for n in range(200)])
    assert found.low < found.mean < found.high < 0.65


def test_the_curve_has_groups_of_equal_scores():
    scores = [0.1] * 15 + [0.5] * 10 + [0.9] * 15
    bins = reliability(scores, [score > 0.4 for score in scores], [score < 0.4 for score in scores])
    assert [(part.low, part.high, part.count) for part in bins] == [(0.1, 0.1, 15), (0.5, 0.5, 10), (0.9, 0.9, 15)]
    assert bins[0].answerable.mean == 0 and bins[0].refused.mean == 1 and bins[-1].answerable.mean == 1
    assert next(iter(as_table(bins)["refused"])) == "1: 0.10-0.10"
    (whole,) = reliability([0.3, 0.2], [True, False], [False, False])
    assert (whole.count, whole.low, whole.high, whole.answerable.mean) == (2, 0.2, 0.3, 0.5)


def test_areas_are_against_each_kind_and_say_which_score():
    found = ev.evaluate_answers(
        [question("a"), question("b", answerable=False), question("c", doc="gone.txt")],
        [answer(dense=0.6), answer(dense=0.7), refusal(dense=0.2)],
        KNOWN,
    )
    assert {name: area.mean for name, area in found.areas["dense"].items()} == {
        "all": 0.5,
        "unanswerable": 0,
        "out_of_corpus": 1,
    }
    assert found.areas["citation"]["out_of_corpus"].mean == 1 and found.areas["keyword"]["all"].mean == 0.5
    assert [found.count(kind) for kind in ("answerable", "unanswerable", "out_of_corpus")] == [1, 1, 1]


ROWS = [{"id": n, "question": f"Question {n}?", "answers": ["x"], "answerable": True, "doc": "d"} for n in range(4)]


@pytest.fixture
def asked(tmp_path):
    return read_questions(write_lines(tmp_path / "q.jsonl", ROWS))


class Asking:
    """Answers by itself and records what it was asked; stops at the third question if told to."""

    def __init__(self, stops=False):
        self.asked = []
        self.stops = stops

    def __call__(self, text):
        if self.stops and len(self.asked) == 2:
            raise KeyboardInterrupt
        self.asked.append(text)
        return answer(asked=text)


def test_a_run_that_was_killed_goes_on(asked, tmp_path):
    out, steps = tmp_path / "out.jsonl", []
    with pytest.raises(KeyboardInterrupt):
        answer_questions(asked, Asking(stops=True), out)
    assert len(out.read_text().splitlines()) == 2
    with out.open("a", encoding="utf-8") as file:
        file.write('{"id": 2, "question": "Quest')  # killed while it wrote
    again = Asking()
    found = answer_questions(asked, again, out, lambda *step: steps.append(step))
    assert again.asked == ["Question 2?", "Question 3?"]
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines == found and [line["id"] for line in lines] == [0, 1, 2, 3]
    assert steps == [("questions answered", n, 4) for n in (2, 3, 4)]
    nobody = Asking()
    assert answer_questions(asked, nobody, out) == found and nobody.asked == []


def test_a_character_cut_in_two_is_a_cut_line(asked, tmp_path):
    out = tmp_path / "out.jsonl"
    answer_questions(asked[:1], Asking(), out)
    out.write_bytes(out.read_bytes() + '{"id": "é'.encode()[:-1])
    assert list(read_answers(out, asked)) == ["0"]
    assert len(answer_questions(asked, Asking(), out)) == 4 and len(read_answers(out, asked)) == 4


def test_half_a_pair_of_characters_can_be_kept(asked, tmp_path):
    out = tmp_path / "out.jsonl"
    answer_questions(asked[:1], lambda text: answer("half \ud800 a pair", asked=text), out)
    assert read_answers(out, asked)["0"]["answer"] == "half \ud800 a pair"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"id": 0, "question": "Question 0?"}\n', "line 1: expected an answer as"),
        ("[1]\n", "line 1: expected a JSON object"),
        ("what\n", "line 1: not JSON"),
        (json.dumps(answer(asked="Another?", key=1)) + "\n", "line 1 answers another question than '1'"),
    ],
)
def test_a_file_of_something_else_is_left_alone(asked, tmp_path, content, says):
    out = tmp_path / "out.jsonl"
    out.write_text(content + "rest")
    with pytest.raises(RagDollyError, match=says):
        answer_questions(asked, Asking(), out)
    assert out.read_text() == content + "rest"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": None}, "expected id"),
        ({"id": 0}, "the id '0' has been given before"),
        ({"question": 7}, "expected question"),
        ({"question": "  "}, "The question is empty"),
        ({"answers": "x"}, "expected answers"),
        ({"answerable": "yes"}, "expected answerable"),
        ({"doc": ["a"]}, "expected doc"),
        ({"page": 0}, "expected page"),
        ({"page": [1, "2"]}, "expected page"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, change, says):
    path = write_lines(tmp_path / "q.jsonl", [ROWS[0], {**ROWS[1], **change}])
    with pytest.raises(RagDollyError, match="line 2") as error:
        read_questions(path)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_questions_are_read(tmp_path):
    rows = [{**ROWS[0], "page": 2}, {**ROWS[1], "page": [3, 4], "doc": None, "answers": [" "]}, ROWS[2]]
    found = read_questions(write_lines(tmp_path / "q.jsonl", rows), 2)
    assert [(q.id, set(q.pages), q.doc, q.answers) for q in found] == [(0, {2}, "d", ("x",)), (1, {3, 4}, "", ())]
    (tmp_path / "q.jsonl").write_text("\n")
    with pytest.raises(RagDollyError, match="has no questions"):
        read_questions(tmp_path / "q.jsonl")


def test_a_question_that_does_not_fit_is_named(asked):
    def ask(_):
        raise QuestionTooLong("too long.")

    with pytest.raises(RagDollyError, match=r"Question '0': too long\."):
        answer_questions(asked, ask)


def test_answers_come_from_the_chain(index, tmp_path):
    honey = "How many kilograms of honey does a hive need to survive the winter?"
    says = "A hive needs 15 kilograms of honey to survive the winter in central Europe."
    rows = [
        {"id": "a", "question": honey, "answers": ["15 kilograms"], "answerable": True, "doc": "bees.md"},
        {"id": "b", "question": "Quarterly zloty xylophone?", "answers": [], "answerable": False},
    ]
    questions = read_questions(write_lines(tmp_path / "q.jsonl", rows))
    chain = RagChain(index, HybridRetriever(index).search, lambda: ScriptedPipeline(says))
    answers = answer_questions(questions, chain.invoke, tmp_path / "out.jsonl")
    found = ev.evaluate_answers(questions, answers, ev.names_in(row.source for row in index.documents()))
    assert means(found.figures["generated"])["contains"] == means(found.figures["generated"])["citation_recall"] == 1
    assert found.figures["overall"]["false_answers_out_of_corpus"].of == 1
    assert [one.kind for one in found.judged] == ["answerable", "out_of_corpus"]
