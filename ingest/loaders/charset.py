"""Which legacy code page a text is in: a guess from the letters that each language uses.

For each candidate the bytes are decoded and scored by the share of non-ASCII characters that the language
would really use there. charset-normalizer comes after, for what this table does not know: on short Western
texts it often answers with a Central European page, which turns every ñ into ń.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

_SAMPLE = 20000
_GOOD = 0.75
_FAIR = 0.5
_FEW = 4
"""Fewer characters than this say nothing about a script."""

_WESTERN = (
    "äöüß",
    "éèêëàâîïôùûüçœæ",
    "áéíóúñü¿¡ºª",
    "ãõçáéíóúâêôàü",
    "àèéìíîòóùú",
    "åäöé",
    "æøåéò",
    "ëéïüöóèáíú",
    "áðéíóúýþæö",
    "·çàèéíïòóúü",
)
_CENTRAL = (
    "ąćęłńóśźż",
    "áčďéěíňóřšťúůýž",
    "áäčďéíĺľňóôŕšťúýž",
    "áéíóöőúüű",
    "ăâîşţ",
    "čćđšž",
)
_LATIN = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("iso8859_2", _CENTRAL),
    ("iso8859_16", ("ăâîșț",)),
    ("cp1254", ("çğıöşüâ",)),
    ("cp1257", ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")),
    ("mac_roman", _WESTERN),
    ("cp850", _WESTERN),
    ("cp852", _CENTRAL),
)
"""Code page -> the accented letters of each of its languages. Earlier rows win ties."""
_OUTDATED = ("mac_roman", "cp850", "cp852")
"""Code pages to believe in only where there is evidence enough."""
_USUAL = 0.05
"""What Windows Western is given ahead, being by far the most common."""

_SCRIPTS = (
    ("cp1251", "оеаинтсрвлкмд"),
    ("koi8_r", "оеаинтсрвлкмд"),
    ("cp1251", "оаиніветрсклу"),
    ("koi8_u", "оаиніветрсклу"),
    ("cp866", "оеаинтсрвлкмд"),
    ("iso8859_5", "оеаинтсрвлкмд"),
    ("cp1253", "αοιετσνηυρπκό"),
    ("cp1255", "יוהלאתרבמשנ"),
    ("cp1256", "اليمنوترةبعده"),
    ("iso8859_6", "اليمنوترةبعده"),
    ("cp874", "านรกเงอมยลวดท่้"),
)
"""Code page -> the most frequent letters of a language that is not written in Latin letters."""
_SHARE_OF_FREQUENT = 0.6
"""What share of a text in such a language those letters are, at least."""

_EAST_ASIAN = ("cp932", "euc_jp", "cp949", "gb18030", "big5hkscs")
_PUNCTUATION = frozenset("\xa0§©«®°±´¶·»–—‘’‚“”„†‡•…‰‹›€™£¥¢×№¼½¾")

_INSIDE_WORD = re.compile(r"(?<=[^\W\d_])(?:[^\w\s\x00-\x7f’·–—](?=[^\W\d_])|[±¶¼½¾])")
_CAPITAL_INSIDE = re.compile(r"(?<=[a-z])[À-ÖØ-ÞŚŹŻŁŠŽ]")


def guess(data: bytes) -> Iterator[str]:
    """Yield encodings to try, likeliest first. The caller takes the first one that decodes strictly."""
    sample = _sample(data)
    ranked = sorted(_scores(sample), key=lambda pair: -pair[1])
    yield from (encoding for encoding, score in ranked if score >= _GOOD)
    yield from (encoding for encoding, score in ranked[:1] if score >= _FAIR)
    yield from _normalizer(sample)
    yield "cp1252"


def _sample(data: bytes) -> bytes:
    """Return the lines that hold non-ASCII bytes, up to a limit. 0x0A is never part of a longer character."""
    lines = [line for line in data.replace(b"\r", b"\n").split(b"\n") if not line.isascii()]
    sample = b"\n".join(lines)
    return sample if len(sample) <= _SAMPLE else sample[: sample.rfind(b"\n", 0, _SAMPLE) + 1 or None]


def _scores(sample: bytes) -> Iterator[tuple[str, float]]:
    for encoding, languages in _LATIN:
        yield encoding, _latin(sample, encoding, languages)
    for encoding, letters in _SCRIPTS:
        yield encoding, _script(sample, encoding, letters)
    for encoding in _EAST_ASIAN:
        yield encoding, _east_asian(sample, encoding)


def _read(sample: bytes, encoding: str) -> str:
    try:
        return sample.decode(encoding)
    except UnicodeError:
        return ""


def _latin(sample: bytes, encoding: str, languages: Sequence[str]) -> float:
    """Share of non-ASCII characters that are letters of one language or punctuation outside words."""
    text = _read(sample, encoding)
    counts = Counter(char for char in text if not char.isascii())
    known = max(sum(count for char, count in counts.items() if char.lower() in letters) for letters in languages)
    marks = sum(count for char, count in counts.items() if char in _PUNCTUATION)
    wrong = len(_INSIDE_WORD.findall(text)) + len(_CAPITAL_INSIDE.findall(text))
    if counts.total() < _FEW and encoding in _OUTDATED:
        return 0.0
    return (known + marks - wrong) / max(1, counts.total()) + _USUAL * (encoding == "cp1252")


def _script(sample: bytes, encoding: str, letters: str) -> float:
    """Share of the frequent letters, 1 being what the language has at least; 0 for text in Latin letters."""
    text = _read(sample, encoding)
    foreign = [char for char in text if not char.isascii() and char not in _PUNCTUATION]
    native = sum(char.isalpha() or unicodedata.combining(char) > 0 for char in foreign)
    if native * 3 < sum(char.isalpha() for char in text) or len(foreign) < _FEW:
        return 0.0
    frequent = sum(char.lower() in letters for char in foreign)
    swapped = sum(a.islower() and b.isupper() for a, b in pairwise(text))
    shouting = 0.3 if sum(char.isupper() for char in foreign) * 2 > len(foreign) else 0.0
    return (frequent / _SHARE_OF_FREQUENT - swapped - (len(foreign) - native)) / len(foreign) - shouting


def _east_asian(sample: bytes, encoding: str) -> float:
    """Share of non-ASCII characters that are in the first, common part of the language's character set."""
    text = _read(sample, encoding)
    foreign = [char for char in text if not char.isascii()]
    common = sum(_is_common(char, encoding) for char in foreign)
    if encoding in ("cp932", "euc_jp") and not any("ぁ" <= char <= "ヿ" for char in foreign):
        return 0.0
    return common / max(1, len(foreign)) if len(foreign) > 1 else 0.0


def _is_common(char: str, encoding: str) -> bool:
    if "\u3000" <= char <= "\u301f" or "\uff01" <= char <= "\uff5e" or char in _PUNCTUATION:
        return True
    if encoding in ("cp932", "euc_jp"):
        return "ぁ" <= char <= "ヿ" or _lead(char, "euc_jp", 0xB0, 0xCF)
    if encoding == "cp949":
        return "가" <= char <= "힣" and _lead(char, "euc_kr", 0xB0, 0xC8)
    if encoding == "gb18030":
        return _lead(char, "gb2312", 0xB0, 0xD7)
    return _lead(char, "big5", 0xA4, 0xC6)


def _lead(char: str, encoding: str, low: int, high: int) -> bool:
    code = char.encode(encoding, "ignore")
    return len(code) == 2 and low <= code[0] <= high


def _normalizer(sample: bytes) -> list[str]:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_exclusion=["utf_7", "cp037", "cp500", "cp1026", "cp1140", "cp273", "cp424"]).best()
    return [best.encoding] if best else []
