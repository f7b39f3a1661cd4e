"""What an RTF file is put together to: paragraphs and rows of tables, with what is anchored in them."""

from typing import NamedTuple

from ingest.loaders.encoding import clean


class Paragraph(NamedTuple):
    """`level` is that of a heading from 1, else 0; `marker` is what stands before a list item, at `depth` from 0.

    `aside` are footnotes and text boxes anchored in it.
    """

    text: str
    level: int = 0
    marker: str = ""
    depth: int = 0
    aside: tuple[str, ...] = ()


class Row(NamedTuple):
    """The cells of a table row; None for one that goes on from the row above."""

    cells: list[str | None]
    is_header: bool = False
    aside: tuple[str, ...] = ()


class Body:
    """`parts` is the text of the paragraph or cell that is being read; `content` is what is complete."""

    def __init__(self) -> None:
        self.content: list[Paragraph | Row] = []
        self.parts: list[str] = []
        self.aside: list[str] = []
        self.marker = ""
        self._cells: list[str] = []
        self._goes_on: list[bool] = []
        self._next_goes_on = self._is_header = False

    def end_paragraph(self, level: int, depth: int) -> None:
        """Complete a paragraph, if it has any text; `level` and `depth` are those of `Paragraph`."""
        text = self._take()
        if text.strip() or self.aside:
            self.content.append(Paragraph(text, level, self.marker, min(depth, 8), self._take_aside()))
        self.marker = ""

    def end_cell(self) -> None:
        """Complete a cell."""
        self._cells.append(" ".join(self._take().split()))
        self.marker = ""

    def end_row(self) -> None:
        """Complete a row, if it has cells."""
        if not self._cells:
            return
        flags = [*self._goes_on, *[False] * len(self._cells)]
        cells = [None if goes_on else cell for cell, goes_on in zip(self._cells, flags, strict=False)]
        self.content.append(Row(cells, self._is_header, self._take_aside()))
        self._cells = []

    def define_row(self) -> None:
        """Forget how the cells of the row before were defined."""
        self._goes_on, self._next_goes_on, self._is_header = [], False, False

    def define_header(self) -> None:
        """The row is a header."""
        self._is_header = True

    def define_going_on(self) -> None:
        """The cell that is defined next goes on from the row above."""
        self._next_goes_on = True

    def define_cell(self) -> None:
        """A cell of the row is defined."""
        self._goes_on.append(self._next_goes_on)
        self._next_goes_on = False

    def _take(self) -> str:
        text = whole("".join(self.parts)).strip("\n")
        self.parts.clear()
        return text

    def _take_aside(self) -> tuple[str, ...]:
        aside, self.aside = tuple(self.aside), []
        return aside


class Sink:
    """Where the text of a destination goes; `kind` "" is nowhere."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.parts: list[str] = []
        self.is_endnote = False
        self.counts_pages = False


class State:
    """What a group changes and its end restores."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.unicode_skip = 1
        self.font = -1
        self.is_hidden = self.is_deleted = False
        self.plain_paragraph()

    def plain_paragraph(self) -> None:
        """Take back what is set for the paragraph."""
        self.in_table = False
        self.outline = self.depth = 0
        self.style = -1


def whole(text: str) -> str:
    """Return `text` with halves of characters joined; a half that is alone becomes U+FFFD."""
    return clean(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
