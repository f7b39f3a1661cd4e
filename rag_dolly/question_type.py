"""What kind of thing an English question asks for, and whether a sentence has one that the question does not name.

Cues only: "when" asks for a date, "how many" for a number, "who" and "where" for a name. A question in another
language, or one that asks for anything else, has no type, and then nothing follows from it.
"""

import re
from typing import Literal

from ingest.keyword import STOP_WORDS

Asked = Literal["share", "number", "time", "person", "place", "reason"]
TYPES: tuple[Asked, ...] = ("share", "number", "time", "person", "place", "reason")

_CUES: tuple[tuple[Asked, re.Pattern[str]], ...] = (
    ("share", re.compile(r"\bpercent|\bwhat (?:proportion|share|fraction)")),
    (
        "number",
        re.compile(
            r"\bhow (?:many|much|old|tall|long|far|large|big|high|wide|deep|fast|often|heavy|few)\b"
            r"|\bwhat (?:(?:is|was) the )?(?:number|amount|population|price|cost)\b"
        ),
    ),
    (
        "time",
        re.compile(r"\bwhen\b|\b(?:what|which) (?:years?|dates?|day|month|decade|century|time|era|period)\b"),
    ),
    (
        "person",
        re.compile(
            r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|king|queen|president|author|scientist|company|team|"
            r"player|general|leader|group|people|emperor|actor|artist|band|organization|pope)\b"
        ),
    ),
    (
        "place",
        re.compile(
            r"\bwhere\b|\b(?:what|which) (?:country|countries|city|cities|state|place|town|continent|region|river|"
            r"island|location|province)\b"
        ),
    ),
    ("reason", re.compile(r"\bwhy\b|\bwhat (?:caused|causes|led|reason)\b")),
)
_SHARE = re.compile(r"\d ?%|per ?cent", re.IGNORECASE)
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|"
    r"eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|half|third|quarter|twice|once|double|no)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:1\d{3}|20\d\d)s?\b|\b\d+ ?(?:BCE?|AD|CE)\b|\bcentur(?:y|ies)\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b(?:spring|summer|autumn|winter|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
    r"|\b(?:\d+|two|three|four|five|ten) (?:years?|months?|days?) (?:later|ago|after|before)\b"
)
_NAME = re.compile(r"(?<!\w)[A-Z][\w'’-]*\w")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_REASON = re.compile(
    r"\b(?:because|due to|since|as a result|in order to|so that|owing|led to|caused|result(?:ed)?|reason|therefore|"
    r"to (?:avoid|prevent|protect|allow|make|help))\b",
    re.IGNORECASE,
)


def question_type(question: str) -> Asked | None:
    """Return what an English question asks for, None if its cues do not tell."""
    lowered = question.lower()
    return next((kind for kind, cue in _CUES if cue.search(lowered)), None)


def holds(kind: Asked, sentence: str, question: str) -> bool:
    """Whether a sentence has a thing of this kind that the question does not name itself."""
    if kind == "share":
        return bool(_SHARE.search(sentence))
    if kind == "reason":
        return bool(_REASON.search(sentence))
    lowered = question.lower()
    if kind == "number":
        named = set(_DIGITS.findall(lowered))
        return not named.issuperset(_DIGITS.findall(sentence)) or bool(_NUMBER_WORD.search(sentence))
    if kind == "time":
        return any(found[0].lower() not in lowered for found in _TIME.finditer(sentence))
    known = STOP_WORDS.union(re.findall(r"\w[\w'’-]*", lowered))
    return any(name.lower() not in known for name in _NAME.findall(sentence))
