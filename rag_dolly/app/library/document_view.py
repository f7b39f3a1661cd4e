"""One document of the library: what is known of it, what can be done with it, and its text or its pages."""

from pathlib import Path, PurePosixPath

import streamlit as st

from ingest import listing
from ingest.errors import RagDollyError
from ingest.listing import Piece
from ingest.records import DocumentRow, StoredDocument
from rag_dolly.app import markup
from rag_dolly.app.engine import Engine, OpenIndex
from rag_dolly.app.library import document_list, folder_form, run_view
from rag_dolly.app.reflow import reflow
from rag_dolly.app.sizes import counted, size

PER_PAGE = 20
_MAX_FILE_BYTES = 256 * 1024 * 1024
_STATES = {
    "indexed": "read",
    "partial": "read in part",
    "failed": "could not be read",
    "skipped": "passed over",
}


def opened(index: OpenIndex) -> DocumentRow | None:
    """Return the document that the address names, None if it names none of the index."""
    source = st.query_params.get("document", "")
    return listing.row_of(index.database, source) if source else None


def draw(engine: Engine, index: OpenIndex, row: DocumentRow) -> None:
    """Draw a document."""
    st.button(
        "Library", key="document-close", type="tertiary", icon=":material/arrow_back:", on_click=document_list.close
    )
    st.html(
        markup.element("h1", "rd-title rd-name", PurePosixPath(row.source).name or row.source)
        + markup.element("p", "rd-lead", words(row))
    )
    run_view.draw(engine)
    if row.reason:
        st.html(folder_form.reasons([("What was not read" if row.state == "indexed" else "Why", row.reason)]))
    _actions(engine, row)
    document = index.read_document(row.source)
    if row.state == "indexed" and document is not None:
        _content(index, row, document)


def words(row: DocumentRow) -> str:
    """Return what is known of a document, in one line."""
    folder = str(PurePosixPath(row.source).parent)
    parts = [
        _STATES[document_list.state_of(row)],
        row.kind,
        counted(row.passages, "passage") if row.passages else "",
        size(row.bytes) if row.bytes else "",
        f"in {folder}" if folder != "." else "",
    ]
    return " · ".join(part for part in parts if part)


def _actions(engine: Engine, row: DocumentRow) -> None:
    busy = run_view.is_busy()
    with st.container(horizontal=True, gap="small", key="document-actions"):
        st.button(
            "Try again" if row.state == "failed" else "Read again",
            key="document-again",
            icon=":material/refresh:",
            on_click=document_list.again,
            args=(engine, row.source, True),
            disabled=busy,
        )
        st.button(
            "Forget",
            key="document-forget",
            icon=":material/delete:",
            on_click=document_list.ask_to_forget,
            args=(row.source,),
            disabled=busy,
        )
    if st.session_state.get("forget-asked") == row.source:
        document_list.confirm(engine, row.source, [row.source])


def _content(index: OpenIndex, row: DocumentRow, document: StoredDocument) -> None:
    """Draw the pages of a PDF as pictures, one at a time; the passages of others, some at a time."""
    if document.kind == "pdf" and document.page_starts and _is_there(document.path):
        number = _turn(len(document.page_starts), f"page-of-{row.source}", "page")
        picture = _picture(document.path, number - 1)
        if picture is not None:
            st.image(picture, width="stretch", alt=f"Page {number} of {row.source}")
            with st.expander("This page as text", key="page-text"):
                st.html(f'<div class="rd-document" dir="auto">{markup.escape(_page_text(document, number - 1))}</div>')
            return
    number = _turn(-(-row.passages // PER_PAGE), f"part-of-{row.source}", "part")
    pieces = listing.pieces(index.database, row.source, (number - 1) * PER_PAGE, PER_PAGE)
    st.html("".join(_piece(piece) for piece in pieces))


def _turn(pages: int, key: str, what: str) -> int:
    """Draw which page of several is shown, and return it, from 1 on."""
    if pages <= 1:
        return 1
    with st.container(horizontal=True, vertical_alignment="center", key="pages"):
        st.html(markup.element("p", "rd-note", counted(pages, what)))
        return st.pagination(pages, key=key, max_visible_pages=5)


def _piece(piece: Piece) -> str:
    where = [piece.place or (f"page {piece.page}" if piece.page else ""), " › ".join(piece.headings)]
    head = markup.element(
        "h2", "rd-label rd-piece", " · ".join(part for part in where if part) or f"Passage {piece.ordinal + 1}"
    )
    return f'{head}<div class="rd-document" dir="auto">{markup.escape(reflow(piece.text))}</div>'


def _page_text(document: StoredDocument, number: int) -> str:
    begin, *following = document.page_starts[number : number + 2]
    return reflow(document.text[begin : following[0] if following else None]).strip() or "No text on this page."


def _is_there(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size <= _MAX_FILE_BYTES
    except OSError:
        return False


def _picture(path: Path, number: int) -> bytes | None:
    from ingest.loaders import pdf

    try:
        return pdf.render_page(path.read_bytes(), number, 2.0, [])
    except (OSError, RagDollyError):
        return None
