"""What is marked on a page for a piece of a document's text."""

import random

import pypdfium2

from ingest.loaders.pdf import PDFIUM_LOCK, highlight_rects


def page_of(document, at):
    """Return the number from 0 of the page on which an offset stands."""
    return max(number for number, start in enumerate(document.page_starts) if start <= at)


def marked(data, document, start, end):
    """Return the text under the rectangles for a span of the document, one string each."""
    index = page_of(document, start)
    begin = document.page_starts[index]
    rects = highlight_rects(data, index, start - begin, end - begin, document.text[start:end])
    with PDFIUM_LOCK:
        pdf = pypdfium2.PdfDocument(data)
        found = [pdf[index].get_textpage().get_text_bounded(*rect) for rect in rects]
        pdf.close()
    return found


def some_spans(document, seed=0, each=4):
    """Yield spans inside the blocks of a document that begin and end with a visible character."""
    rng = random.Random(seed)
    for block in document.blocks:
        yield block.start, block.end
        for _ in range(each):
            start = rng.randrange(block.start, block.end)
            end = rng.randrange(start, block.end) + 1
            if not document.text[start].isspace() and not document.text[end - 1].isspace():
                yield start, end


def letters(text):
    """Return the letters and digits of a text in order, by which it is compared with what is marked."""
    return sorted(char for char in text if char.isalnum())
