"""Questions to begin with, made from the documents' own headings; no model is asked.

A heading becomes a question as a person would ask it where its form tells how (English only); any other is asked about
in quotation marks. Limits: by words and endings alone, so now and then a question reads oddly.
"""

import re
from collections.abc import Sequence

COUNT = 4
_STARTS_WITH_NUMBER = re.compile(
    r"^(?:(?:chapter|part|section|appendix)\s+)?"
    r"(?:[\dIVX]+(?:[.)]\d*)*[.):]?|(?<=appendix )[A-Z][.):]?)\s+(?:[-–—]\s+)?",
    re.IGNORECASE,
)
_DULL = {
    *"abstract acknowledgements acknowledgments appendix bibliography changelog conclusion conclusions".split(),
    *"contents copyright example examples exercise exercises faq features foreword glossary index installation".split(),
    *"introduction license licence links methods motivation notes overview preface quickstart readme".split(),
    *"references requirements results summary usage".split(),
    *("getting started", "table of contents", "see also", "further reading", "next steps"),
}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,’'&/_.+-]*")
_VERBS = {
    *"add ask avoid bring build change check choose clean compare configure connect convert create customise".split(),
    *"customize define delete deploy disable download edit enable find fix follow get give handle import".split(),
    *"install keep leave learn make measure move prepare prevent put read recover remove rename replace".split(),
    *"restore save see send separate share start stop store stream take tell translate turn uninstall update".split(),
    *"upgrade use validate write".split(),
}
_CLAUSES = {"how", "what", "when", "where", "which", "who", "whether", "why"}
_ARTICLES = {"a", "an", "the", "every", "our", "your"}
_LOOSE = set("and or but if in on at of for from to by with without as about after before not no all".split())
_NO_VERBS = set("building evening following heading meeting morning setting spring string thing warning during".split())


def questions(headings: Sequence[str], count: int = COUNT) -> list[str]:
    """Return up to `count` questions, spread over the headings; a heading that is a question stays as it is.

    Those in quotation marks are taken only if there are too few others.
    """
    asked = [_question(title) for title in dict.fromkeys(map(_title, headings)) if title]
    natural = [question for question in asked if "“" not in question]
    pool = natural if len(natural) >= count else asked
    return pool[:: max(1, len(pool) // count)][:count]


def _title(heading: str) -> str:
    """Return a heading without its number, "" if it says too little or too much to ask about."""
    title = _STARTS_WITH_NUMBER.sub("", " ".join(heading.replace("`", "").split())).rstrip(" .:")
    letters = sum(char.isalpha() for char in title)
    fits = 4 <= len(title) <= 70 and letters >= 0.6 * len(title)
    return title if fits and title.casefold() not in _DULL else ""


def _question(title: str) -> str:
    if title.endswith(("?", "？")):
        return title
    first, _, rest = title.partition(" ")
    word = first.casefold()
    if not _PLAIN.fullmatch(title) or word in _LOOSE:
        return f"What do the documents say about “{title}”?"
    if word == "how" and rest.casefold().startswith("to "):
        return f"How do I {_lower(rest[3:])}?"
    if word in _CLAUSES and " " in rest:
        return f"Explain {word} {rest}."
    if word in _VERBS and rest:
        return f"How do I {word} {rest}?"
    if word.endswith("ing") and len(word) >= 5 and rest and word not in _NO_VERBS:
        return f"How does {first if rest != rest.lower() else word} {rest} work?"
    return f"What should I know about {_lower(title) if word in _ARTICLES else title}?"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
