"""Files built on the spot."""

import io
from collections.abc import Callable

import docx
import pytest
from document_check import check
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest.passage import Document


@pytest.fixture
def checked() -> Callable[[Document], Document]:
    def check_and_return(document: Document) -> Document:
        check(document)
        return document

    return check_and_return


Draw = Callable[[Canvas], None]


@pytest.fixture
def make_pdf() -> Callable[..., bytes]:
    """Build a PDF: one drawing function for each page; keyword arguments go to the canvas."""

    def build(*pages: Draw, title: str = "", **options: object) -> bytes:
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=A4, invariant=True, **options)
        if title:
            canvas.setTitle(title)
        for draw in pages:
            draw(canvas)
            canvas.showPage()
        canvas.save()
        return buffer.getvalue()

    return build


@pytest.fixture
def make_docx() -> Callable[..., bytes]:
    """Build a Word document: a function fills it."""

    def build(fill: Callable[..., None]) -> bytes:
        document = docx.Document()
        fill(document)
        buffer = io.BytesIO()
        document.save(buffer)
        return buffer.getvalue()

    return build
