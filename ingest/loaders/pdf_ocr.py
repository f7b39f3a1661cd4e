"""The text of a page that is only a picture, read with Tesseract if that is installed.

Tesseract is a program of its own (https://tesseract-ocr.github.io): it is looked for on the PATH and called for
one page at a time, on one core, at most `SECONDS` long. It gets the page as pixels and returns words with their
boxes; it finds the direction of the page itself. The same page with the same Tesseract gives the same text. The
languages are those installed, at most four; recognised text has errors, and more so in other languages.
"""

import csv
import hashlib
import io
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium_c

SECONDS = 60
"""A page that takes longer is given up."""

_DPI = 300
_MOST_PIXELS = 20_000_000
_MOST_LANGUAGES = 4
_MOST_OBJECTS = 5000
_LEAST_COVERED = 0.25
"""Share of the page that its pictures cover if it is a scan."""
_LEAST_SURE = 30.0
"""Words of which Tesseract is less sure, in percent, are mostly specks."""
_KEPT = 32
_recent: dict[bytes, str] = {}


class Word(NamedTuple):
    """A word with its box in pixels of the picture, y downwards, and the paragraph and line that it stands in."""

    text: str
    paragraph: tuple[int, int]
    line: int
    left: int
    top: int
    right: int
    bottom: int


class Picture(NamedTuple):
    """A page as gray pixels in the format PGM; a pixel is `points` PDF points wide.

    `origin` is the page's point at the top left corner of the picture; a pixel further to the right or further
    down is `right` or `down` points away from it, each a pair of x and y.
    """

    pgm: bytes
    points: float
    origin: tuple[float, float]
    right: tuple[float, float]
    down: tuple[float, float]

    def place(self, word: Word) -> tuple[float, float, float, float]:
        """Return (left, bottom, right, top) of a word on the page in PDF points."""
        corners = [self._point(word.left, word.top), self._point(word.right, word.bottom)]
        xs, ys = zip(*corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def _point(self, x: int, y: int) -> tuple[float, float]:
        first, second = (self.origin[i] + x * self.right[i] + y * self.down[i] for i in (0, 1))
        return first, second


def available() -> bool:
    """Return whether Tesseract is installed and knows a language."""
    program = shutil.which("tesseract")
    return bool(program and _languages(program))


def languages() -> str:
    """Return the languages that are read, as Tesseract is told them: "eng+deu"; "" if there are none."""
    program = shutil.which("tesseract")
    return _languages(program) if program else ""


def covered(page: pypdfium2.PdfPage) -> float:
    """Return about which share of the page its pictures cover. The caller holds the lock of PDFium."""
    width, height = page.get_size()
    page_area: float = max(1.0, width * height)
    area = 0.0
    for number, item in enumerate(page.get_objects(max_depth=2)):
        if number == _MOST_OBJECTS:
            break
        if item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = (item.container or item).get_bounds()
            area += max(0.0, right - left) * max(0.0, top - bottom)
    return area / page_area


def picture(page: pypdfium2.PdfPage) -> Picture:
    """Return the page as a picture of at most `_MOST_PIXELS`. The caller holds the lock of PDFium."""
    width, height = page.get_size()
    scale = min(_DPI / 72, math.sqrt(_MOST_PIXELS / max(1.0, width * height)))
    bitmap = page.render(scale=scale, grayscale=True)
    image = bitmap.to_pil().convert("L")
    to_page = bitmap.get_posconv(page).to_page
    origin, right, down = to_page(0, 0), to_page(image.width, 0), to_page(0, image.height)
    bitmap.close()
    return Picture(
        b"P5 %d %d 255\n" % image.size + image.tobytes(),
        1 / scale,
        origin,
        ((right[0] - origin[0]) / image.width, (right[1] - origin[1]) / image.width),
        ((down[0] - origin[0]) / image.height, (down[1] - origin[1]) / image.height),
    )


def words(given: Picture) -> list[Word]:
    """Return the words in a picture in the order in which they are read.

    Raises `TimeoutError` after `SECONDS`, `OSError` if Tesseract is not there or fails.
    """
    known = languages()
    key = hashlib.sha256(known.encode() + given.pgm).digest()
    table = _recent.get(key)
    if table is None:
        resolution = str(round(72 / given.points))
        table = _run(["-", "-", "-l", known, "--psm", "1", "--dpi", resolution, "tsv"], given.pgm)
        while len(_recent) >= _KEPT:
            _recent.pop(next(iter(_recent), b""), None)
        _recent[key] = table
    return list(_words(table))


@cache
def _languages(_program: str) -> str:
    found = _run(["--list-langs"], b"").split("\n")[1:]
    names = {name.strip() for name in found} - {"", "osd", "equ", "snum"}
    return "+".join(sorted(names, key=lambda name: (name != "eng", name))[:_MOST_LANGUAGES])


def _words(table: str) -> Iterator[Word]:
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = " ".join((row["text"] or "").split())
        if text and float(row["conf"]) >= _LEAST_SURE:
            left, top, width, height = (int(row[name]) for name in ("left", "top", "width", "height"))
            paragraph = int(row["block_num"]), int(row["par_num"])
            yield Word(text, paragraph, int(row["line_num"]), left, top, left + width, top + height)


def _run(arguments: list[str], given: bytes) -> str:
    program = shutil.which("tesseract")
    if program is None:
        raise FileNotFoundError("Tesseract is not on the PATH")
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run([program, *arguments], input=given, capture_output=True, timeout=SECONDS, env=environment)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"Tesseract took longer than {SECONDS} s") from error
    if done.returncode:
        raise OSError(f"Tesseract failed with exit status {done.returncode}")
    return done.stdout.decode("utf-8", "replace")
