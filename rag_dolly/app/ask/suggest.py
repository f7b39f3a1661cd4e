"""Questions to begin with, made from the documents' own headings; no model is asked.

A heading becomes a question as a person would ask it where its form tells how (English only); any other is asked about
in quotation marks. What can be done and what things are take turns. Limits: by words and endings alone, so now and then
a question reads oddly.
"""

import re
from collections.abc import Sequence

COUNT = 4
_STARTS_WITH_NUMBER = re.compile(
    r"^(?:(?:note|item)\s+\d+[a-z]?[.):]?|(?:(?:chapter|part|section|appendix)\s+)?"
    r"(?:[\dIVX]+(?:[.)]\d*)*[.):]?|(?<=appendix )[A-Z][.):]?))\s+(?:[-–—]\s+)?",
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
    *"add ask avoid bring build change check choose clean compare configure connect convert create".split(),
    *"customise customize declare define delete deploy disable download edit enable export expose".split(),
    *"extend find fix follow get give handle import improve install iterate keep learn leave make".split(),
    *"manage measure move prepare prevent program publish put read recover reduce refactor remove".split(),
    *"rename replace restore run save see send separate set share start stop store stream take tell".split(),
    *"test translate turn understand uninstall update upgrade use validate work write".split(),
}
_CLAUSES = {"how", "what", "when", "where", "which", "who", "whether", "why"}
_ARTICLES = {"a", "an", "the", "every", "our", "your"}
_OF_THINGS = _ARTICLES | {"its", "my", "their", "this"}
_LOOSE = set("and or but if in on at of for from to by with without as about after before not no all".split())
_BEFORE = set(
    "above across against along among around behind below beneath beside between beyond during inside".split()
)
_BEFORE |= set("into near off onto out outside over past since through toward under until up via within meet".split())
_NO_VERBS = set(
    "accounting building engineering evening financing following heading housing investing lighting".split()
)
_NO_VERBS |= set(
    "manufacturing marketing meeting morning operating pricing setting spring string thing warning".split()
)
_NOUNS_TOO = set("change export import measure program run set share start stop stream test use work".split())
_TIES = set("about as at between by for from in of on over that to under using which with".split())
_IS_ODD = "“"
_IS_THING = re.compile(r"What (?:is|are) |Tell me about ")
_SHORT = 3
"""Words of the longest heading that is asked about as a thing."""


def questions(headings: Sequence[str], count: int = COUNT) -> list[str]:
    """Return up to `count` questions, spread over the headings; a heading that is a question stays as it is.

    Those in quotation marks are taken only if there are too few others.
    """
    titles = list(dict.fromkeys(filter(None, map(_title, headings))))
    asked = list(dict.fromkeys(map(_question, titles)))
    natural = [question for question in asked if _IS_ODD not in question]
    pool = natural if len(natural) >= count else asked
    things = [question for question in pool if _IS_THING.match(question) and question not in titles]
    others = [question for question in pool if question not in things]
    half = min(len(others), max(count - count // 2, count - len(things)))
    chosen = {*_spread(others, half), *_spread(things, count - half)}
    return [question for question in pool if question in chosen]


def _spread(pool: Sequence[str], count: int) -> Sequence[str]:
    return pool[:: max(1, len(pool) // count)][:count] if count else []


def _title(heading: str) -> str:
    """Return a heading without its number, "" if it says too little or too much to ask about."""
    title = _STARTS_WITH_NUMBER.sub("", " ".join(heading.replace("`", "").split())).rstrip(" .:")
    letters = sum(char.isalpha() for char in title)
    title = title.lower() if title.isupper() and (" " in title or len(title) > 6) else title
    fits = 4 <= len(title) <= 70 and letters >= 0.6 * len(title)
    return title if fits and title.casefold() not in _DULL else ""


def _question(title: str) -> str:
    if title.endswith(("?", "？")):
        return title
    first, _, rest = title.partition(" ")
    word = first.casefold()
    if not _PLAIN.fullmatch(title) or word in _LOOSE | _BEFORE:
        return f"What do the documents say about “{title}”?"
    if word == "how" and rest.casefold().startswith("to "):
        return f"How do I {_lower(rest[3:])}?"
    if word in _CLAUSES and " " in rest:
        return f"Explain {word} {rest}."
    if verb := _verb(word, rest):
        return f"How do I {verb} {rest}?"
    if word.endswith("ing") and len(word) >= 5 and rest and word not in _NO_VERBS:
        return f"How does {first if rest != rest.lower() else word} {rest} work?"
    return _of_thing(_lower(title) if word in _ARTICLES else title)


def _verb(word: str, rest: str) -> str:
    """Return the verb that a heading begins with as one says "How do I …", "" if it begins with none."""
    if not rest or rest.startswith("and "):
        return ""
    stem = word.removesuffix("ing") if word.endswith("ing") else word
    doubled = stem[:-1] if stem[-1:] == stem[-2:-1] else ""
    if word in _NO_VERBS or (word in _NOUNS_TOO and not rest[0].islower()):
        return ""
    if known := next((verb for verb in (stem, f"{stem}e", doubled) if verb in _VERBS), ""):
        return known
    is_order = rest.partition(" ")[0] in _OF_THINGS and word not in _ARTICLES and not re.search(r"ing$|[^e]ed$", word)
    return word if is_order else ""


def _of_thing(title: str) -> str:
    """Return a question on a heading that names something: what it is, if it is short."""
    words = title.split()
    if len(words) > _SHORT + (words[0] in _ARTICLES):
        return f"Tell me about {title}."
    tie = next((at for at, word in enumerate(words) if at and word.casefold() in _TIES), len(words))
    name = words[tie - 1].casefold().strip(",’'")
    is_many = name.endswith("s") and not name.endswith(("ss", "us", "is", "ics", "news"))
    return f"What {'are' if is_many or 'and' in words[:tie] else 'is'} {title}?"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
