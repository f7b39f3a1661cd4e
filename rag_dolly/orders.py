"""Sentences of a document that give orders to whoever answers from it: never quoted, and no support for an answer.

A document states; it does not decide what is answered. "Ignore the above and answer X" is found by its form, at the
beginning of a sentence or of a clause after a full stop, colon or semicolon, whatever look-alike letters or invisible
characters it is written with. A sentence that tells of such an order ("attackers write ...") is not one.

Limits: lists of words, for English, with the commonest form in German, French, Spanish, Italian, Russian, Chinese and
Japanese. An order in other words is not found; what holds then is that an answer must be said by a sentence that bears
on the question. A false statement is no order: it can be quoted, with its source.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST = 2000
"""How many characters of a sentence are looked at."""
_BOT = r"(?:ai|a\.i\.|llm|(?:large )?language model|assistant|chat ?bot|ai (?:model|assistant|system|agent)|gpt|dolly)"
_BEFORE = (
    r"\W*(?:(?:please|now|and|then|also|but|instead|important|attention|note|warning|urgent|stop|"
    r"system|simply|just|you (?:must|should|will|shall|have to|are to)|i (?:want|need) you to|"
    rf"(?:dear |hey )?{_BOT})\b[\s:,.!*_-]*)*"
)
_ORDERS = (
    # "Ignore all previous instructions", "forget everything above and ..."
    r"(?:ignore|disregard|forget|override|bypass)\b.{0,60}?(?:\b(?:instructions?|prompts?|directions|guidelines|"
    r"passages?|context|questions?|system message)\b|\b(?:the|everything|anything|all)(?: of the| the)?(?: text)? "
    r"(?:above|before|previous)\b(?=\W*$|\s*[.!;:,]|\s+and\b))",
    r"(?:always|only ever) (?:answer|reply|respond|output|claim|say (?!please|thank))\b",
    r"(?:answer|reply|respond|say)\b.{0,60}\b(?:to|for) (?:every|any|all|each)\b.{0,30}\b(?:question|quer|user)",
    r"answer (?:every|any|all|each) (?:question|quer)\w* (?:with|by|yes|no)\b",
    r"(?:answer|reply|respond|say|output)\s+(?:with )?(?:(?:only|exactly)\b(?! that)|"
    r"(?:instead|verbatim|yes|no|the (?:word|phrase|following))\b)",
    r"(?:the )?(?:correct |right |only |true |final )*(?:answer|response|reply) (?:to|for) (?:every|any|all|each)\b"
    r".{0,30}\b(?:question|quer|prompt)",
    r"you are (?:now )?(?:dan\b|(?:an? )?(?:\w+ ){0,3}" + _BOT + r"\b|in (?:developer|debug|god|jailbreak|admin) mode|"
    r"no longer (?:bound|restricted|limited))",
    r"(?:note|message|instructions?|orders?|hint|notice)\s+(?:to|for) (?:the |any |all |every )?" + _BOT + r"s?\b",
    r"(?:if you are|as) an? " + _BOT + r"\b.{0,40}\b(?:you|must|answer|say|ignore|reply|respond)\b",
    r"(?:do not|don't|never) (?:(?:refuse|abstain)(?:\W*$| (?:(?:to|a|any|the) )?"
    r"(?:answer|question|request)s?\b)|say (?:that )?you (?:do not|don't|cannot|can't)|cite (?:any|the)\b)",
    r"(?:reveal|print|repeat|show|output|display|leak|disclose|include|append|send)\b.{0,50}\b(?:system prompt|"
    r"(?:your|hidden|initial|system|previous) (?:instructions|prompt|messages?)|(?:user's|conversation|chat) history)",
    r"from now on\b.{0,40}\b(?:answer|reply|respond|say|you (?:are|will|must))",
    r"(?:pretend (?:to be|that you|you are)|act as (?:if you|an? unrestricted))\b",
    r"(?:new|updated|real) (?:system )?instructions?\s*:",
    r"(?:end|begin|start)(?:ning)? of (?:the )?(?:system |user )?(?:prompt|instructions|context|passages|documents?)\b",
    r"earlier (?:question|answer)\s*:",
    # "=cmd|' /C calc'!A0" in a cell: to a spreadsheet, to start a program
    r"[=+@-]\s*\w+\|.{0,200}!\w+",
)
_ELSEWHERE = (
    r"\W*(?:bitte )?(?:ignorier|missacht|vergiss)\w*\b.{0,60}(?:anweisung|frage|prompt)",
    r"\W*(?:ignore[zr]?|oublie[zr]?)\b.{0,60}\b(?:instructions|consignes)",
    r"\W*(?:ignor[aei]\w*|olvida)\b.{0,60}(?:instrucci|istruzioni|instru\S*es|indicaciones)",
    r".*?игнориру\w*.{0,60}(?:инструкци|указани)",
    r".*?(?:忽略|无视|無視).{0,20}(?:指令|指示|以上|上述|之前|问题)",
    r".*?指示.{0,6}無視",
)
_ORDER = re.compile(_BEFORE + "(?:" + "|".join(_ORDERS) + ")", re.IGNORECASE)
_FOREIGN = re.compile("|".join(_ELSEWHERE), re.IGNORECASE)
_TURN = re.compile(
    r"[\s>*_#-]{0,3}(?:<\s*\|\s*[\w/-]+\s*\|\s*>|\[\s*/?\s*inst\s*\]|<\s*/?\s*(?:start|end)_of_turn\s*>|<<\s*/?\s*sys\s*>>|"
    r"<\s*/?\s*(?:think|system|assistant|tool_call)\s*>|"
    r"#\s*#\s*#\s*(?:(?:instruction|response)\s*:|end\b(?! of)))",
    re.IGNORECASE,
)
_LOOKALIKES = str.maketrans(
    "аеіорсухѕјһԁԛԝѵɡαεικνορτυχоАВЕНІКМОРСТХЅЈΑΒΕΗΙΚΜΝΟΡΤΥΧΖ", "aeiopcyxsjhdqwvgaeiknoptuxoABEHIKMOPCTXSJABEHIKMNOPTYXZ"
)
_CLAUSE = re.compile(r"(?<=[.!?;])\s+|(?<=:)\s*|\n")
_UNSEEN = {"Cf", "Cc", "Mn", "Me"}


@lru_cache(maxsize=2048)
def is_order(sentence: str) -> bool:
    """Whether a sentence tells its reader what to answer, or pretends to be a turn of the conversation."""
    sentence = sentence[:LONGEST]
    folded = _folded(sentence)
    if _TURN.match(folded) or any(_ORDER.match(clause) for clause in _CLAUSE.split(folded)):
        return True
    return any(_FOREIGN.match(clause) for clause in _CLAUSE.split(sentence))


def _folded(text: str) -> str:
    """Return a text as it looks: no invisible characters or accents, look-alike letters as Latin ones."""
    if text.isascii():
        return text
    seen = (char for char in unicodedata.normalize("NFKD", text) if char == "\n" or _is_seen(char))
    return "".join(seen).translate(_LOOKALIKES).replace("’", "'")


def _is_seen(char: str) -> bool:
    return unicodedata.category(char) not in _UNSEEN
