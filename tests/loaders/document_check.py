"""What holds for every document, whatever it was made from."""

from ingest.passage import Document


def check(document: Document) -> None:
    """Assert the promises of `Document` and `Block`."""
    before = 0
    for block in document.blocks:
        assert before <= block.start < block.end <= len(document.text)
        lines = document.text[block.start : block.end].split("\n")
        assert lines[0].strip() and lines[-1].strip()
        assert (block.kind == "heading") == (block.level > 0)
        assert bool(block.title) == (block.kind == "heading") or block.kind == "table"
        before = block.end
    if document.page_starts:
        assert document.page_starts[0] == 0
        assert all(a < b for a, b in zip(document.page_starts, document.page_starts[1:], strict=False))
        assert document.page_starts[-1] < len(document.text)
    starts = [place.start for place in document.places]
    assert starts == sorted(set(starts)) and all(0 <= start < len(document.text) for start in starts)
    assert all(warning.strip() and "\n" not in warning for warning in document.warnings)
    document.text.encode("utf-8")  # no lone surrogates
    assert document.title.strip()
