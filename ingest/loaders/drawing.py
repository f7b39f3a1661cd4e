"""Charts and diagrams of Office files (DrawingML) to text: the numbers that a chart shows, the words of a diagram."""

import datetime
from collections.abc import Iterator
from typing import Any

from ingest.loaders.compose import Piece, list_pieces
from ingest.loaders.encoding import clean
from ingest.loaders.table_row import row_lines

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_NO_NODES = ("pres", "parTrans", "sibTrans")
_DAY_ZERO = datetime.date(1899, 12, 30)
_MOST_DAYS = 200_000

Points = dict[int, str]


def chart_pieces(root: Any) -> Iterator[Piece]:
    """Yield the title of a chart, and a table with a line for each category: "2024 | Sales: 12 | Costs: 7"."""
    title = root.find(f"{_C}chart/{_C}title")
    yield Piece("Chart" if title is None else f"Chart: {_words(title)}".rstrip(": "))
    for categories, series in _plots(root):
        labels = ["", *(name for name, _ in series)]
        lines: list[str] = []
        for at in sorted({at for _, values in series for at in values}):
            lines += row_lines(labels, [categories.get(at, str(at + 1)), *(values.get(at, "") for _, values in series)])
        yield Piece("\n".join(lines), "table")


def diagram_pieces(root: Any) -> Iterator[Piece]:
    """Yield the words of a diagram (SmartArt) as a list; how its parts hang together is not told."""
    nodes = (_words(node) for node in root.iter(_DGM + "pt") if node.get("type") not in _NO_NODES)
    yield from list_pieces([f"- {words}" for words in nodes if words])


def _plots(root: Any) -> list[tuple[Points, list[tuple[str, Points]]]]:
    """Return the series by the categories that they share: (categories, [(name, values)])."""
    plots: list[tuple[Points, list[tuple[str, Points]]]] = []
    for number, series in enumerate(root.iter(_C + "ser"), start=1):
        categories = _points(series, "cat", "xVal")
        if not plots or (categories and categories != plots[-1][0]):
            plots.append((categories, []))
        named = series.find(_C + "tx")
        words = "" if named is None else " ".join(value.text or "" for value in named.iter(_C + "v"))
        name = " ".join(clean(words).split()) or f"Series {number}"
        plots[-1][1].append((name, _points(series, "val", "yVal")))
    return plots


def _points(series: Any, *tags: str) -> Points:
    """Return the points below the first of `tags` that there is; of levels of categories the innermost counts."""
    points: Points = {}
    for tag in tags:
        for found in series.findall(_C + tag):
            dated = any("yy" in (code.text or "").lower() for code in found.iter(_C + "formatCode"))
            for point in found.iter(_C + "pt"):
                at, value = point.get("idx", ""), point.find(_C + "v")
                if at.isdecimal() and value is not None:
                    points.setdefault(int(at), _shown(" ".join(clean(value.text or "").split()), dated))
    return points


def _shown(value: str, dated: bool) -> str:
    """Return a number without the noise of its binary form, or the date that it stands for."""
    try:
        number = float(value)
    except ValueError:
        return value
    if dated and 0 < number < _MOST_DAYS:
        return (_DAY_ZERO + datetime.timedelta(days=int(number))).isoformat()
    return f"{number:.10g}"


def _words(element: Any) -> str:
    paragraphs = ("".join(run.text or "" for run in part.iter(A + "t")) for part in element.iter(A + "p"))
    return " ".join(clean(" ".join(paragraphs)).split())
