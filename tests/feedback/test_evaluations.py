"""Evaluations are kept beside the index, read again, and forget documents."""

from answering import hit, result

from rag_dolly import evaluations
from rag_dolly.answer_questions import Question


def question(n, answers=("morning",), doc="garden.md"):
    return Question(n, f"Question {n}?", tuple(answers), bool(answers), doc, frozenset())


def answer(n, **given):
    return {"id": n, "question": f"Question {n}?", **result(**given)}


def kept(folder):
    asked = [question(0), question(1), question(2, (), "")]
    secret = hit("secret.md", "The vault opens with 4711.")
    given = [answer(0), answer(1, answer="At 4711. [1]", hits=[secret]), answer(2, mode="abstained", cited=())]
    return evaluations.save(folder, asked, given, {"garden.md"}, {"data": "q.jsonl", "asked": 3, "total": 5})


def test_figures_and_faults_are_kept(tmp_path):
    saved = kept(tmp_path)
    (read,) = evaluations.kept(tmp_path)
    assert read == saved and read.facts == {"data": "q.jsonl", "asked": 3, "total": 5}
    assert (read.figure("contains"), read.figure("false_answers"), read.figure("nothing")) == (0.5, 0.0, None)
    rows = evaluations.answers(tmp_path, saved.name)
    assert [row["kind"] for row in rows] == ["answerable", "answerable", "out_of_corpus"]
    assert rows[0]["faults"] == [] and "answer not shown" in rows[1]["faults"]
    assert rows[1]["expected"] == {"answers": ["morning"], "doc": "garden.md", "pages": []}


def test_the_latest_comes_first_and_each_can_be_deleted(tmp_path):
    first, second = kept(tmp_path), kept(tmp_path)
    assert {one.name for one in evaluations.kept(tmp_path)} == {first.name, second.name}
    evaluations.delete(tmp_path, first.name)
    assert evaluations.kept(tmp_path) == [second] and evaluations.answers(tmp_path, first.name) == []
    assert len(list((tmp_path / evaluations.FOLDER).iterdir())) == 2


def test_forgetting_a_document_takes_its_answers_and_leaves_the_figures(tmp_path):
    saved = kept(tmp_path)
    assert evaluations.forget_documents(tmp_path, ["secret.md"]) == 1
    assert evaluations.kept(tmp_path) == [saved] and len(evaluations.answers(tmp_path, saved.name)) == 2
    assert not any(b"4711" in path.read_bytes() for path in (tmp_path / evaluations.FOLDER).iterdir())
    assert evaluations.forget_documents(tmp_path, ["secret.md"]) == 0


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path):
    saved = kept(tmp_path)
    folder = tmp_path / evaluations.FOLDER
    for name, text in (("torn.json", '{"time": "x'), ("other.json", "[]"), ("more.json", '{"time": "x", "odd": 1}')):
        (folder / name).write_text(text)
    assert evaluations.kept(tmp_path) == [saved]


def test_a_name_leads_nowhere_else(tmp_path):
    kept(tmp_path)
    (tmp_path / "x.answers.jsonl").write_text("{}\n")
    assert evaluations.answers(tmp_path, "../x") == []
    evaluations.delete(tmp_path, "../x")
    assert (tmp_path / "x.answers.jsonl").exists()
