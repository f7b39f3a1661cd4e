"""Many questions at once, from files to files."""

import json
import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ingest.chunk import context_line
from rag_dolly.beir import trec_name
from rag_dolly.errors import BadSetting, RagDollyError

if TYPE_CHECKING:
    from ingest.filters import Filters
    from ingest.index import Index
    from rag_dolly.chain import RagChain
    from rag_dolly.retrieve import HybridRetriever
    from rag_dolly.types import Hit


def search_all(
    retriever: "HybridRetriever",
    queries: Path | None,
    run: Path | None,
    by: str,
    top_k: int,
    filters: "Filters | None" = None,
) -> None:
    """Search for every line of `queries` ({"_id", "text"}) and write a TREC run (qid Q0 docid rank score rag-dolly).

    `by` "document": the source without its suffix, ranked by `HybridRetriever.search_documents`; "passage":
    `source#ordinal`. With `filters`, only documents that match are searched. Raises `BadFilter`, `BadSetting` on wrong
    usage, `RagDollyError` on a file that cannot be read or written.
    """
    if queries is None or run is None:
        raise BadSetting("--queries FILE and --run FILE go together: give both.")
    if by not in ("document", "passage"):
        raise BadSetting(f"--by is {by!r}: expected 'document' or 'passage'.")
    rows = list(_lines(queries, ("_id", "text")))
    given: dict[str, Any] = {"filters": filters} if filters else {}
    with _writing(run) as file:
        for row in _counted(rows, "queries"):
            search = retriever.search_documents if by == "document" else retriever.search
            hits = search(str(row["text"]), top_k, **given)
            for rank, (name, score) in enumerate(_ranked(hits, by, top_k), 1):
                file.write(f"{trec_name(row['_id'])} Q0 {name} {rank} {score:.6f} rag-dolly\n")


def answer_all(chain: "RagChain", questions: Path | None, out: Path | None, explain: bool = False) -> None:
    """Answer every line of `questions` ({"id", "question"}), an answer object a line in `out`, traced if asked."""
    from rag_dolly.show import answer_json

    if questions is None or out is None:
        raise BadSetting("--questions FILE and --out FILE go together: give both.")
    rows = list(_lines(questions, ("id", "question")))
    with _writing(out) as file:
        for row in _counted(rows, "questions"):
            answer = chain.invoke({"question": str(row["question"]), "explain": explain})
            found = {"id": row["id"], **answer_json(answer)}
            file.write(json.dumps(found, ensure_ascii=False) + "\n")
            file.flush()


def export_passages(index: "Index", out: Path) -> None:
    """Write every passage of the index as a line of JSON."""
    with _writing(out) as file:
        for stored in index.all_passages():
            p = stored.passage
            row = {"source": p.source, "ordinal": p.ordinal, "page": p.page, "start": p.start, "end": p.end}
            row |= {"place": p.place, "heading": context_line(stored.title, p.heading), "text": p.text}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _ranked(hits: "list[Hit]", by: str, top_k: int) -> list[tuple[str, float]]:
    """Return (name, score), best first, each name once.

    Scores fall from rank to rank by a millionth at least: tools that read a run go by the score, not by the rank.
    """
    best: dict[str, float] = {}
    least = math.inf
    for hit in hits:
        name = f"{hit.source}#{hit.ordinal}" if by == "passage" else str(PurePosixPath(hit.source).with_suffix(""))
        if (name := trec_name(name)) not in best:
            least = best[name] = min(round(hit.score, 6), least - 1e-6)
    return list(best.items())[:top_k]


def _lines(path: Path, keys: tuple[str, str]) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RagDollyError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            missing = [key for key in keys if key not in row]
        except (ValueError, TypeError) as error:
            raise RagDollyError(f"{path}, line {number}: expected a JSON object with {keys}, found: {error}") from error
        if missing:
            raise RagDollyError(f"{path}, line {number}: expected a JSON object with {keys}, {missing} is missing.")
        yield row


def _writing(path: Path) -> Any:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise RagDollyError(f"{path} cannot be written: {error.strerror}") from error


def _counted(rows: list[dict[str, Any]], what: str) -> Iterator[dict[str, Any]]:
    """Yield the rows, showing on stderr how far it is."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(rows, description=what, console=console, disable=not console.is_terminal)
