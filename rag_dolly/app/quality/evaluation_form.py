"""The form that begins an evaluation: of answers, or of what is found, on questions from a file."""

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from rag_dolly import retrieval_evaluations
from rag_dolly.answer_questions import Question, read_questions
from rag_dolly.app import markup
from rag_dolly.app.ask.feedback_form import try_to
from rag_dolly.app.engine import Engine, OpenIndex
from rag_dolly.app.privacy import is_alone
from rag_dolly.app.quality import evaluation_run, retrieval_run
from rag_dolly.beir import read_collection
from rag_dolly.errors import RagDollyError
from rag_dolly.retrieval_evaluations import Wanted

ANSWERS, RETRIEVAL = KINDS = ("Answers", "Retrieval")
"""What can be evaluated."""
MAX_QUESTIONS = 10_000
_LEADS = {
    ANSWERS: "Ask questions whose answers you know, and see how many are answered right, cited right, or refused.",
    RETRIEVAL: "Search for questions whose document you know, and see how often it is found. No model is asked.",
}
_LINES = {
    ANSWERS: '{"id": 1, "question": "…", "answers": ["…"], "answerable": true, "doc": "guide.pdf"}',
    RETRIEVAL: '{"id": 1, "question": "…", "answerable": true, "doc": "guide.pdf"}',
}
_FILE, _FOLDER = "questions.jsonl", "or a folder with corpus.jsonl, queries.jsonl and qrels.tsv"


def draw(engine: Engine, kind: str, is_first: bool) -> None:
    """Draw the form for one of `KINDS`, open and with a word on what it is for if nothing was evaluated yet."""
    if is_first:
        st.html(markup.element("p", "rd-lead", _LEADS[kind]))
    with (
        st.expander("Run an evaluation", icon=":material/play_arrow:", expanded=is_first, key=f"evaluate-{kind}"),
        st.form("evaluation", border=False, enter_to_submit=False),
    ):
        st.html(
            markup.element("p", "rd-note", "A file of JSON lines, one question each:")
            + markup.element("pre", "rd-command", _LINES[kind])
        )
        given = st.file_uploader("Upload it", type=["jsonl", "json"], key="evaluation-file")
        path = _path(kind) if is_alone(engine) else ""
        limit = st.number_input("Questions at most", 1, MAX_QUESTIONS, 50, key="evaluation-limit")
        asked = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
    if asked and try_to(lambda: _start(engine, kind, given, path, int(limit)), "no-evaluation"):
        st.rerun()
    if problem := st.session_state.pop("no-evaluation", ""):
        st.error(markup.label(problem, 400), icon=":material/error:")


def _path(kind: str) -> str:
    """Ask for a path, which only whoever sits at this machine may name."""
    hint = f"{_FILE}, {_FOLDER}" if kind == RETRIEVAL else _FILE
    return st.text_input("Or its path on this machine", key="evaluation-path", placeholder=hint).strip()


def _start(engine: Engine, kind: str, given: Any, path: str, limit: int) -> None:
    """Begin an evaluation. Raises `RagDollyError` if the file is not one of questions."""
    index = engine.index
    if index is None or not index.passage_count:
        raise RagDollyError("There are no documents to ask yet: add some in the Library.")
    if given is None and not path:
        raise RagDollyError("No questions were given: upload a file, or name its path.")
    if kind == RETRIEVAL:
        retrieval_run.start(engine, *_wanted(index, given, path, limit))
    else:
        evaluation_run.start(engine, *_questions(given, path, limit))


def _wanted(index: OpenIndex, given: Any, path: str, limit: int) -> tuple[str, Wanted]:
    sources = [row.source for row in index.documents() if row.state == "indexed"]
    folder = Path(path).expanduser()
    if given is None and folder.is_dir():
        return folder.resolve().name, retrieval_evaluations.of_collection(read_collection(folder), sources, limit)
    name, questions = _questions(given, path, limit)
    return name, retrieval_evaluations.of_questions(questions, sources)


def _questions(given: Any, path: str, limit: int) -> tuple[str, list[Question]]:
    if given is None:
        file = Path(path).expanduser()
        if file.suffix.lower() not in (".jsonl", ".json"):
            raise RagDollyError(f"{file.name} cannot be read: expected a file of questions that ends in .jsonl.")
        return file.name, read_questions(file, limit)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "questions.jsonl")
        file.write_bytes(given.getvalue())
        try:
            return str(given.name), read_questions(file, limit)
        except RagDollyError as error:  # the name that the visitor knows
            raise RagDollyError(str(error).replace(str(file), str(given.name))) from error
