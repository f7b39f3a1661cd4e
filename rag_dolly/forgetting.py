"""Forgetting documents with all that was kept of them: the index, and feedback, evaluations and conversations."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ingest.errors import NothingToIngest
from ingest.forget import forget as remove
from rag_dolly import conversations, evaluations, feedback, retrieval_evaluations
from rag_dolly.errors import BadSetting


class Forgotten(NamedTuple):
    """Files still in their folders, to be indexed by the next run; and what went too, counted: records of feedback,
    answers of evaluations, kept conversations.
    """

    left: list[Path]
    feedback: int
    answers: int
    conversations: int


def forget(sources: Sequence[str], index_dir: Path, *, everything_said: bool = False) -> Forgotten:
    """Remove documents from the index, and feedback, answers of evaluations and conversations that were shown them.

    With `everything_said` all feedback is deleted, whatever it is about. Raises as `ingest.forget.forget`, and
    `BadSetting` if there is nothing to do. A document that is not in the index but quoted is forgotten all the same,
    so that a run that was cut off can be done again.
    """
    if not sources and not everything_said:
        raise BadSetting("Nothing to forget was named: give documents as `rag-dolly ls` shows them, or --feedback.")
    left: list[Path] = []
    if sources:
        try:
            left = remove(sources, index_dir)
        except NothingToIngest:
            if not feedback.quoting(index_dir, sources):
                raise
    said = feedback.delete(index_dir) if everything_said else feedback.forget_documents(index_dir, sources)
    answers, talks = (part.forget_documents(index_dir, sources) for part in (evaluations, conversations))
    answers += retrieval_evaluations.forget_documents(index_dir, sources)
    return Forgotten(left, said, answers, talks)
