"""The picture of benchmarks/generate.py: a lone answer's tokens a second for each way, and the floor as a line."""

import statistics
from pathlib import Path

from rag_dolly.plot import COLOURS, Box, Picture, Text, check_suffix, write_picture

Rates = tuple[dict[str, list[float]], float]
"""Tokens a second of each way, round by round; and the floor."""
TITLE = "Tokens a second of a lone answer, and what reading the weights alone would allow"
BAR, GAP, LEFT, WIDTH, HEAD = 26, 10, 330, 420, 34


def plot(tables: dict[str, Rates], path: Path) -> None:
    """Draw one group of bars for each table. Raises `BadSetting` for a name that is neither .html nor .png."""
    check_suffix(path)
    boxes: list[Box] = []
    texts: list[Text] = [Text(20, 28, TITLE, "start", 16)]
    top = 50.0
    for title, (ways, floor) in tables.items():
        most = 1.05 * max([floor, *(max(rates) for rates in ways.values())])
        texts.append(Text(20, top + 18, title, "start", 13))
        begin = top + HEAD
        for place, (name, rates) in enumerate(ways.items()):
            y = begin + place * (BAR + GAP)
            middle = statistics.median(rates)
            boxes.append(Box(LEFT, y, WIDTH * middle / most, BAR, COLOURS[place % len(COLOURS)], f"{middle:.1f}"))
            whisker = WIDTH * (max(rates) - min(rates)) / most
            boxes.append(Box(LEFT + WIDTH * min(rates) / most, y + BAR / 2 - 1, max(whisker, 1), 2, "#333333"))
            texts.append(Text(LEFT - 8, y + 17, name, "end"))
            texts.append(Text(LEFT + WIDTH * max(rates) / most + 8, y + 17, f"{middle:.1f}", "start"))
        end = begin + len(ways) * (BAR + GAP)
        boxes.append(Box(LEFT + WIDTH * floor / most, begin - 6, 2, end - begin, "#d62728", f"floor {floor:.0f}"))
        texts.append(Text(LEFT + WIDTH * floor / most, end + 8, f"floor {floor:.0f}"))
        top = end + 30
    write_picture(Picture(TITLE, LEFT + WIDTH + 90, int(top), boxes, texts), path)
