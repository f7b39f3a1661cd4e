"""Bars with confidence intervals as a picture: HTML that needs nothing else (inline SVG), or PNG.

The picture is laid out once, as rectangles, lines and texts, and drawn twice. Names are escaped.
"""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag_dolly.errors import BadSetting, RagDollyError

if TYPE_CHECKING:
    from rag_dolly.evaluate import Estimate, Table

COLOURS = ("#8da0cb", "#66c2a5", "#e5c494", "#d95f02", "#7570b3", "#a6761d")
SUFFIXES = (".html", ".png")
BAR, GAP, LEFT, TOP, HEIGHT, FOOT = 34, 30, 50, 70, 300, 60
PNG_SCALE = 2


class Box(NamedTuple):
    """A filled rectangle in pixels; `says` is shown when the pointer rests on it."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    says: str = ""


class Text(NamedTuple):
    """A text whose anchor ("start", "middle" or "end") is at x and whose baseline is at y."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    size: int = 12


class Picture(NamedTuple):
    """What is drawn, in this order."""

    title: str
    width: int
    height: int
    boxes: list[Box]
    texts: list[Text]


def check_suffix(path: Path) -> None:
    """Raise `BadSetting` unless the file is one that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadSetting(f"--plot is {path.name!r}: expected a name that ends in {' or '.join(SUFFIXES)}.")


def write_plot(table: "Table", title: str, path: Path) -> None:
    """Draw stage -> measure -> estimate as groups of bars, one for each measure. Raises `RagDollyError`."""
    check_suffix(path)
    write_picture(lay_out(table, title), path)


def write_picture(picture: Picture, path: Path) -> None:
    """Write a picture as its name's suffix says. Raises `RagDollyError`."""
    try:
        if path.suffix.lower() == ".html":
            path.write_text(as_html(picture), encoding="utf-8")
        else:
            _write_png(picture, path)
    except OSError as error:
        raise RagDollyError(f"{path} cannot be written: {error.strerror or error}.") from error


def lay_out(table: "Table", title: str) -> Picture:
    """Return the picture of a table, whose stages all have the same measures, with values from 0 to 1."""
    stages = list(table)
    measures = list(table[stages[0]])
    group = len(stages) * BAR + GAP
    width = max(LEFT + len(measures) * group + GAP, 360)
    boxes, texts = list(_grid(width)), [Text(LEFT, 24, title, "start", 16)]
    texts += [Text(LEFT - 8, _y(tenth / 10) + 4, f"{tenth / 10:.1f}", "end") for tenth in range(0, 11, 2)]
    for number, stage in enumerate(stages):
        x, colour = LEFT + number * (width - LEFT) / len(stages), COLOURS[number % len(COLOURS)]
        boxes.append(Box(x, 38, 12, 12, colour))
        texts.append(Text(x + 18, 49, stage, "start"))
    for place, measure in enumerate(measures):
        left = LEFT + GAP / 2 + place * group
        texts.append(Text(left + len(stages) * BAR / 2, TOP + HEIGHT + 42, measure, size=13))
        bars, labels = _bars(table, stages, measure, left)
        boxes += bars
        texts += labels
    return Picture(title, int(width), TOP + HEIGHT + FOOT, boxes, texts)


def as_html(picture: Picture) -> str:
    """Return a page with the picture, which loads nothing from anywhere."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(picture.title)}</title>",
            "<style>body{margin:2rem;font-family:system-ui,sans-serif}svg{max-width:100%;height:auto}</style></head>",
            f"<body>{as_svg(picture)}</body></html>\n",
        ]
    )


def as_svg(picture: Picture) -> str:
    """Return the picture as an element of a page; it has no style of its own that a policy could forbid."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(picture.title)}"',
            f' width="{picture.width}" height="{picture.height}" viewBox="0 0 {picture.width} {picture.height}"',
            ' font-family="system-ui,sans-serif" fill="#222">',
            *map(_svg_box, picture.boxes),
            *map(_svg_text, picture.texts),
            "</svg>",
        ]
    )


def _bars(table: "Table", stages: Sequence[str], measure: str, left: float) -> tuple[list[Box], list[Text]]:
    boxes, texts = [], []
    for number, stage in enumerate(stages):
        found = table[stage][measure]
        x = left + number * BAR
        says = f"{stage}: {measure} {found.mean:.3f} (95 % from {found.low:.3f} to {found.high:.3f})"
        boxes.append(Box(x, _y(found.mean), BAR - 4, _y(0) - _y(found.mean), COLOURS[number % len(COLOURS)], says))
        boxes += _whisker(x + (BAR - 4) / 2, found)
        texts.append(Text(x + (BAR - 4) / 2, TOP + HEIGHT + 16, f"{found.mean:.3f}".removeprefix("0"), size=11))
    return boxes, texts


def _whisker(middle: float, found: "Estimate") -> Iterator[Box]:
    low, high = _y(found.low), _y(found.high)
    yield Box(middle - 0.75, high, 1.5, low - high, "#222222")
    yield Box(middle - 5, high - 0.75, 10, 1.5, "#222222")
    yield Box(middle - 5, low - 0.75, 10, 1.5, "#222222")


def _grid(width: float) -> Iterator[Box]:
    for tenth in range(0, 11, 2):
        yield Box(LEFT, _y(tenth / 10), width - LEFT, 1, "#dddddd")


def _y(value: float) -> float:
    return TOP + HEIGHT * (1 - value)


def _svg_box(box: Box) -> str:
    shape = f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'{shape} fill="{box.colour}"><title>{escape(box.says)}</title></rect>'


def _svg_text(text: Text) -> str:
    place = f'x="{text.x:.1f}" y="{text.y:.1f}" text-anchor="{text.anchor}" font-size="{text.size}"'
    return f"<text {place}>{escape(text.text)}</text>"


def _write_png(picture: Picture, path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont

    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    image = Image.new("RGB", (picture.width * PNG_SCALE, picture.height * PNG_SCALE), "white")
    draw = ImageDraw.Draw(image)
    for x, y, width, height, colour, _ in picture.boxes:
        corners = [value * PNG_SCALE for value in (x, y, x + width, y + max(height, 0.5))]
        draw.rectangle(corners, fill=colour)
    for text in picture.texts:
        font = ImageFont.load_default(text.size * PNG_SCALE)
        place = (text.x * PNG_SCALE, text.y * PNG_SCALE)
        draw.text(place, text.text, fill="#222222", font=font, anchor=anchors[text.anchor])
    image.save(path, format="PNG")
