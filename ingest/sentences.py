"""Text to sentences, with exact offsets. Works on prose in European and East Asian scripts.

Rule based: a sentence ends at `.`, `!`, `?` (with closing quotes or brackets) before white space and
something that can begin a sentence, at an East Asian full stop, and at blank lines, list items and table
rows. Known abbreviations and initials do not end one, nor does what stands in code between backticks.
"""

import re

_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st sr jr vs etc e.g i.e cf fig figs eq eqs nos vol pp p ch sec approx dept est inc ltd "
    "co corp jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k u.n gen col lt sgt capt rev hon al ca".split()
)
_END = re.compile(
    r"(?P<code>(?<![`\w])`(?![`\s])[^`\n]+(?:\n(?!\s*[-*+•|>\d])[^`\n]+)?(?<!\s)`(?!`))"
    r"|(?P<latin>[.!?]+[\"'”’)\]»*_`]*)(?=\s)"
    r"|(?P<cjk>[。！？]+[」』”’）]*)"
    r"|(?P<line>\n\s*\n|\n(?=\s*(?:[-*+•|]|\d+[.)])\s))"
)
_STARTS = re.compile(r"\s+[\"'“‘(\[«*_`]*[^\W_a-z]")


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence in text[start:end], without surrounding white space."""
    end = len(text) if end is None else end
    spans: list[tuple[int, int]] = []
    begin = start
    for match in _END.finditer(text, start, end):
        if match["code"] or (match["latin"] and not _ends_sentence(text, match, end)):
            continue
        cut = match.start() if match["line"] is not None else match.end()
        _append(spans, text, begin, cut)
        begin = match.end()
    _append(spans, text, begin, end)
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _ends_sentence(text: str, match: re.Match[str], end: int) -> bool:
    if not _STARTS.match(text, match.end(), end) and text[match.end() : end].strip():
        return False
    if not match["latin"].startswith(".") or match["latin"].startswith(".."):
        return True
    before = text[max(0, match.start() - 12) : match.start()]
    word = re.split(r"[\s(\[\"'“‘]", before)[-1]
    return not (word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.isupper()))
