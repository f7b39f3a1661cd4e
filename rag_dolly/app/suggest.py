"""Questions to begin with, made from the documents' own headings; no model is asked."""

import re
from collections.abc import Sequence

COUNT = 4
_STARTS_WITH_NUMBER = re.compile(r"^[\dIVXivx]+([.)]\d*)*[.):]?\s+")
_DULL = {
    *("abstract", "acknowledgements", "acknowledgments", "appendix", "bibliography", "changelog", "conclusion"),
    *("conclusions", "contents", "copyright", "index", "introduction", "license", "licence", "notes", "overview"),
    *(
        "getting started",
        "installation",
        "preface",
        "readme",
        "references",
        "summary",
        "table of contents",
        "usage",
        "examples",
        "example",
        "see also",
    ),
}


def questions(headings: Sequence[str], count: int = COUNT) -> list[str]:
    """Return up to `count` questions, spread over the headings; a heading that is a question stays as it is."""
    titles = list(dict.fromkeys(title for title in map(_title, headings) if title))
    step = max(1, len(titles) // count)
    return [title if title.endswith(("?", "？")) else _question(title) for title in titles[::step][:count]]


def _title(heading: str) -> str:
    """Return a heading without its number, "" if it says too little or too much to ask about."""
    title = _STARTS_WITH_NUMBER.sub("", " ".join(heading.split())).rstrip(" .:")
    letters = sum(char.isalpha() for char in title)
    fits = 4 <= len(title) <= 70 and letters >= 0.6 * len(title)
    return title if fits and title.casefold() not in _DULL else ""


def _question(title: str) -> str:
    return f"What do the documents say about “{title}”?"
