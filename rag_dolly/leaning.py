"""Whether a question leans on what was said before: pronouns, fragments, comparisons with one side, by language.

Small lists for English, German, French, Spanish, Chinese and Japanese; a question in another language leans only where
it is a fragment. Rules, no model: they know words, not grammar, and where they cannot tell, a whole question stands
alone. A question of more than `LONG` characters is not looked at: it stands alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.keyword import STOP_WORDS

LONG = 300
Leaning = Literal["", "pronoun", "fragment"]
"""How a question leans: not at all, on something it points at, or on the whole question before it."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_WORD = re.compile(r"[^\W_][\w'’.:-]*[^\W_]|[^\W_]")


@dataclass(frozen=True, slots=True)
class _Language:
    """What leaning looks like in one language.

    `empty`: pronouns that point at nothing ("is there a"); `points`: what points back; `lacks`: what lacks the other
    side or the subject; `opens`: openings that go on from before; `asks`: how a whole question begins; `few`: how many
    content words make a fragment of a question with such an opening; `stop`: words that do not count.
    """

    stop: frozenset[str]
    empty: re.Pattern[str]
    points: re.Pattern[str]
    lacks: re.Pattern[str]
    opens: re.Pattern[str]
    asks: re.Pattern[str]
    few: int


def _of(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(pattern, flags)


_NOTHING = _of(r"(?!)")
_END = r"\s*(?:$|[?.,:;!])"
_GOES_ON = r"\s+(?:between|with|and|for|in|to|have|be|hold|do|work)\b"
_BEFORE_THAT = (
    "and|but|so|is|was|does|do|did|can|could|will|would|should|has|why|how|with|without|for|of|to|from|in|on|about|at|"
    "like|than|by|after|before|run|use|call|doing|using|change|avoid|prevent|stop|fix|make|get|turn|set"
)
_AFTER_RELATIVE = "would|will|can|could|is|are|was|were|has|have|had|may|might|of|at|which"
_LANGUAGES = {
    "en": _Language(
        stop=STOP_WORDS | set("'s what's whats s t much many tell please else really".split()),
        empty=_of(
            r"\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were|be)\b|\bon (?:its|their|his|her) own\b"
            r"|\bdoes it take\b|\bit (?:takes?|took)\b|\bit (?=called (?:when|if)\b)|\bit['’]s been\b|(?-i:\bIT\b)"
            r"|\bit (?=(?:\w+ ){0,2}?(?:mean|means|possible|safe|true|necessary|worth|okay|ok|good|bad|hard|easy)"
            r" (?:to|that|if)\b)"
            r"|\bthis (?=(?:book|document|documentation|manual|guide|folder|file|page|text|paper|report)\b)"
        ),
        points=_of(
            r"\b(?:its?|itself|they|them|themselves|their|theirs|this|these|those|he|him|his|she|her|hers|there"
            rf"|the (?:former|latter|opposite|(?:first|second|last|other)(?: one)?(?={_END}|{_GOES_ON})"
            rf"|same(?={_END}| for\b| thing\b)))\b"
            rf"|\bthat{_END}|\b(?:{_BEFORE_THAT}) that\b(?! (?:{_AFTER_RELATIVE})\b)|^that\b"
            rf"|\bones\b|\bone(?={_END}| (?:myself|for|in|with|without|from|by|if|when)\b)"
        ),
        lacks=_of(
            r"^(?:and |is |are |can |does |do |what about |how about )+the other \w|\bdifferences? (?:to|from|with)\b"
            rf"|\bmore (?:details?|examples?|information|info){_END}"
            r"|\b(?:an example|better|worse|faster|slower|safer|simpler|easier|cheaper|bigger|smaller|different|differ"
            rf"|compares?|instead|too|also|as well|again|otherwise|why|why not){_END}"
        ),
        opens=_of(
            r"(?:and|but|so|or|then|also|ok(?:ay)?|vs\.?|versus|compared (?:to|with)|what about|how about|why)\b[\s,]*"
        ),
        asks=_of(
            r"(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|should|will|would|may"
            r"|has|have|tell|explain|describe|define|list|show|give|name|compare|find|summari[sz]e|wat|whats|what's)\b"
        ),
        few=2,
    ),
    "de": _Language(
        stop=frozenset(
            "und aber oder also wie was ist sind wer wo wann warum wieso weshalb kann kannst könnte man ich du wir mit "
            "für von nicht der die das ein eine einen einem einer zu zum zur wird werden gibt es den dem des im in auf "
            "an bei beim auch noch welche welcher welches hat haben einfach denn dann mir mich macht".split()
        ),
        empty=_of(r"\b(?:gibt|gab|dauert|handelt) es\b|\bes (?:gibt|gab|dauert)\b|\bda\w+(?=,)"),
        points=_of(
            r"\b(?:[Ee]r|sie|[Ee]s|ihn|ihm|ihre?[nmrs]?|ihnen|seine[nmrs]?|[Dd]ies(?:e[rsnm]?)?|[Jj]ene[rsnm]?|[Dd]amit"
            r"|[Dd]afür|[Dd]avon|[Dd]arin|[Dd]azu|[Dd]aran|[Dd]arauf|[Dd]abei|[Dd]agegen|[Dd]ort|(?:ersterer?|letzterer?)s?)\b"
            r"|\b(?:ist|geht|kann|macht|wird|warum|ich|man|[Uu]nd) das\b(?!\s+(?:\w+\s+)?[A-ZÄÖÜ]|\s+\S*[<:_`])"
            rf"|\bdas{_END}",
            re.NOFLAG,
        ),
        lacks=_of(r"\bunterschiede? zu[mr]?\b|\b(?:besser|schneller|anders|stattdessen|auch)" + _END),
        opens=_of(r"(?:und|aber|oder|also|dann|was ist mit|wie ist es mit|warum|wieso|weshalb)\b[\s,]*"),
        asks=_of(r"(?:w\w+|ist|sind|kann|können|gibt|hat|haben|wird|muss|darf|soll\w*|erklär\w*|nenne|zeige?|macht)\b"),
        few=3,
    ),
    "fr": _Language(
        stop=frozenset(
            "et mais ou donc le la les l un une des du de d est sont que qu quoi quel quelle quels quelles "
            "comment pourquoi je on nous vous avec pour dans ce qui se sur en au aux pas ne il y a t peut puis "
            "faire fait".split()
        ),
        empty=_of(r"\bil y a\b|\by a-t-il\b|\bil faut\b|\best-il (?:possible|nécessaire)\b"),
        points=_of(r"\b(?:ils?|elles?|lui|leurs?|celui-ci|celle-ci|ceux-ci|ceci|cela|ça|ce dernier|son|sa|ses)\b"),
        lacks=_of(r"\bdifférences? avec\b|\b(?:mieux|aussi|différent\w*)" + _END),
        opens=_of(r"(?:et|mais|ou|donc|alors|pourquoi)\b[\s,]*"),
        asks=_of(r"(?:qu\w*|qu'|comment|pourquoi|où|quand|est|sont|peut|puis|y a|combien|explique\w*|donne\w*)"),
        few=3,
    ),
    "es": _Language(
        stop=frozenset(
            "y e pero o entonces el la los las un una unos unas de del es son que qué cómo como por para con en puedo "
            "puede se cuál cuáles cuánto cuánta cuántos cuántas cuando cuándo dónde quién no me a al "
            "hay ser hacer".split()
        ),
        empty=_NOTHING,
        points=_of(r"\b(?:él|ellas?|ellos|esto|eso|est[ea]s?|es[ea]|esos|lo|su|sus|allí|ahí|aquello)\b"),
        lacks=_of(r"\bdiferencias? con\b|\b(?:mejor|también|diferentes?|por qué)" + _END),
        opens=_of(r"[¿\s]*(?:y|e|pero|o|entonces|por qué|qué tal)\b[\s,]*"),
        asks=_of(
            r"[¿\s]*(?:qu[eé]|c[oó]mo|cu[aá]l\w*|cu[aá]ndo|d[oó]nde|qui[eé]n|por qu[eé]|es|son|puede\w*|hay|tiene\w*)\b"
        ),
        few=3,
    ),
    "zh": _Language(
        stop=frozenset(),
        empty=_of(r"其他|其它|其中|其实|极其|尤其|这里|那么|应该|(?<=.{6})(?:其|[他她它]们?)"),
        points=_of(r"[它他她其该]|这|那|這|前者|后者"),
        lacks=_of(
            r"^(?!.*(?:怎|如何|什么)).{1,30}呢\s*[?？]?\s*$|^\s*(?:为什么|怎么办|例如|比如)\s*[?？]?\s*$|区别\s*[?？]?\s*$"
        ),
        opens=_NOTHING,
        asks=_of(r".*(?:什么|怎|如何|哪|谁|吗|多|几|是否|能|可以|何|为\s*[?？]|\w{7})"),
        few=0,
    ),
    "ja": _Language(
        stop=frozenset(),
        empty=_NOTHING,
        points=_of(r"それ|その|これ|この|あれ|あの|そこ|彼|前者|後者"),
        lacks=_of(r"は\s*[?？]\s*$|^\s*(?:なぜ|どうして|例えば)\S{0,6}\s*[?？]?\s*$"),
        opens=_NOTHING,
        asks=_of(r".*(?:何|どう|なぜ|どこ|いつ|誰|どの|どれ|か\s*[。?？]?\s*$|ますか|ですか)"),
        few=0,
    ),
}
# Where a sentence goes on to another clause: what is named before it may be what a pronoun after it stands for.
_CLAUSE = _of(
    r"[,;]|\b(?:and|but) (?=(?:how|what|why|when|which|who|where|does|is|can|do)\b)|\b(?:when|if|while|once|because)\b"
)
_WITHIN = _of(
    r"\b(?:its?|itself|they|them|themselves|their|he|him|his|she|her|es|er|sie|ihn|ihm|ihnen|ils?|elles?|lo)\b"
)
# "What is a closure?" has one content word and lacks nothing.
_DEFINES = _of(
    r"(?:what(?:'s| is| are| was| were| does)|who (?:is|are|was)|define|explain|describe|tell me about"
    r"|was (?:ist|sind|macht)|wer (?:ist|war)|qu'est-ce|qui est|qué es|quién es)\b"
)
_POSSESSIVE = _of(
    r"\b(?:its|itself|their|theirs|his|her|he|she|themselves|ihre?[nmrs]?|seine[nmrs]?|leurs?|sa|ses|sus?)\b"
)
_NAME = re.compile(r"(?<=\s)(?!I\b)[^\W\d_a-zß-ÿ][\w&'’-]+")
_ASKED_WITHIN = _of(
    r"\b(?:what|which|who|whom|whose|where|why|how|was|wer|wie|wo|wann|welche\w*|quel\w*|qu[eé]|cu[aá]l)\b"
)
_RELATIONAL = _of(
    r"(?:an? )?(?:examples?|differences?|syntax|(?:dis)?advantages?|pros|drawbacks?|limits?|limitations?|reasons?"
    r"|beispiele?)\b"
)
_SWAPPED = ("that", "this", "them", "their", "they", "these", "those", "with")


def leaning(question: str) -> Leaning:
    """Return how the question leans on what was said before it, "" if it stands alone."""
    if len(question) > LONG:
        return ""
    lists = _LANGUAGES[_language(question)]
    text = _unswapped(question.strip())
    if _points(lists, lists.empty.sub(" ", text)):
        return "pronoun"
    opened = lists.opens.match(text)
    rest = text[opened.end() :] if opened else text
    words = _content(lists, rest)
    if lists.lacks.search(text) or (opened and len(words) <= lists.few):
        return "fragment"
    if not lists.asks.match(rest) and not _ASKED_WITHIN.search(rest):
        return "fragment" if _is_fragment(lists, rest, words) else ""
    return "" if words and (_CJK.search(text) or len(words) > 1 or _DEFINES.match(text)) else "fragment"


def _is_fragment(lists: _Language, text: str, words: Sequence[str]) -> bool:
    """Whether a text without a question word or verb to open it is the rest of a question, not a search by keywords."""
    first = _WORD.search(text.lower())
    begins_small = first is not None and first[0] in lists.stop
    return len(words) < 2 or (len(words) <= 3 and begins_small) or (len(words) == 2 and bool(_RELATIONAL.match(text)))


def _language(question: str) -> str:
    """Return the language whose commonest words the question has most of; English where it has none."""
    if _CJK.search(question):
        return "ja" if _KANA.search(question) else "zh"
    words = set(_WORD.findall(question.lower()))
    counts = {name: sum(word in lists.stop for word in words) for name, lists in _LANGUAGES.items()}
    return max(counts, key=lambda name: counts[name])


def _points(lists: _Language, text: str) -> bool:
    """Whether something in the text points at what it does not name itself."""
    found = next(lists.points.finditer(text), None)
    if not found:
        return False
    before = text[: found.start()]
    if _POSSESSIVE.match(text, found.start()) and (_NAME.search(before) or len(_content(lists, before)) > 2):
        return False
    clause = _CLAUSE.search(before)
    if not clause or not _WITHIN.match(text, found.start()):
        return True
    return len(_content(lists, before[: clause.start()])) < 2


def _content(lists: _Language, text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in lists.stop]


def _unswapped(text: str) -> str:
    """Put pronouns right that have two letters swapped ("taht"), so that the lists know them."""
    return re.sub(r"[^\W\d_]{4,5}", lambda match: _right(match[0]), text)


def _right(word: str) -> str:
    lowered = word.lower()
    if lowered in STOP_WORDS:
        return word
    letters = sorted(lowered)
    return next((right for right in _SWAPPED if right[0] == lowered[0] and sorted(right) == letters), word)
