"""What holds for every document, whatever it was made from."""

from ingest.passage import Document


def check(document: Document) -> None:
    """Assert the promises of `Document` and `Block`."""
    before = 0
    for block in document.blocks:
        assert before <= block.start < block.end <= len(document.text)
        lines = document.text[block.start : block.end].split("\n")
        assert lines[0].strip() and lines[-1].strip()
        assert (block.kind == "heading") == (block.level > 0) == bool(block.title)
        before = block.end
    if document.page_starts:
        assert document.page_starts[0] == 0
        assert all(a < b for a, b in zip(document.page_starts, document.page_starts[1:], strict=False))
        assert document.page_starts[-1] < len(document.text)
    document.text.encode("utf-8")  # no lone surrogates
    assert document.title.strip()
