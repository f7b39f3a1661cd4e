"""What must not leave in an export: addresses, numbers and keys of people, and what rules of a user name.

Built in are e-mail addresses, telephone numbers, card numbers (whose check digit is right), IBANs (whose check digits
are right), and keys as services give them out. Each becomes its name in brackets: "[e-mail]".

Limits: names of people and postal addresses are found only where a user lists them (`redact_words`); a telephone
number is only taken for one if it is written as one (with +, 0 or brackets in front, or in groups of 3-3-4). Regular
expressions of a user are given a second for each text.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rag_dolly.errors import RagDollyError
from rag_dolly.redact_words import REDACTED, entries_of, read_words

RULE_SECONDS = 1.0
"""For one rule over one text."""
RULE, WORD = "rule", "word"


class Rule(NamedTuple):
    """A rule of a user: its name in the counts, and a function that returns a text without it and how often it was."""

    name: str
    apply: Callable[[str], tuple[str, int]]


_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[\w-]{35}|\bhf_[A-Za-z0-9]{30,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"
    r"|(?i:\b(?:password|passwort|passwd|secret|api[_ -]?key|token)\s?[:=]\s?[^\s,;]{6,})",
    re.DOTALL,
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")
_CARD = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?!\d)")
_PHONE = re.compile(
    r"(?<![\w.,/-])(?:\+\d{1,3}[ ./-]?)?(?:\(\d{1,5}\)[ ./-]?)?\d{1,5}(?:[ ./-]?\d{2,5}){1,5}(?![\w/-])"
)
_GROUPED = re.compile(r"\d{3}[ .-]\d{3}[ .-]\d{4}|0\d{1,4}[ ./-]\d.*")


def redact(text: str, rules: Sequence[Rule] = ()) -> tuple[str, Counter[str]]:
    """Return a text with what must not leave taken out, and how often what was. Raises `RagDollyError`."""
    found: Counter[str] = Counter()
    for name, pattern, cut in (
        ("key", _KEY, len),
        ("e-mail", _EMAIL, len),
        ("IBAN", _IBAN, _iban_length),
        ("card", _CARD, _card_length),
        ("phone", _PHONE, _phone_length),
    ):
        text = pattern.sub(partial(_replaced, name, cut, found), text)
    for rule in rules:
        text, count = rule.apply(text)
        found[rule.name] += count
    return text, +found


def _replaced(name: str, cut: Callable[[str], int], found: Counter[str], match: re.Match[str]) -> str:
    """Return the name in place of as many letters of a match as are what it says; the match as it was if none are."""
    text = match[0]
    length = cut(text)
    if not length:
        return text
    found[name] += 1
    return f"[{name}]{text[length:]}"


def _iban_length(text: str) -> int:
    """Return how much of a text is an IBAN, 0 for nothing; words in capitals may follow it."""
    for end in range(len(text), 14, -1):
        compact = text[:end].replace(" ", "")
        inside = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
        if len(compact) < 15 or inside:
            continue
        digits = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
        if int(digits) % 97 == 1:
            return len(text[:end].rstrip())
    return 0


def _card_length(text: str) -> int:
    digits = [int(char) for char in text if char.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return len(text) if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1 else 0


def _phone_length(text: str) -> int:
    count = sum(char.isdigit() for char in text)
    as_one = text.startswith(("+", "(")) or _GROUPED.fullmatch(text)
    return len(text) if as_one and 7 <= count <= 15 else 0


def rules_of(expressions: Path | None, words: Path | None) -> list[Rule]:
    """Return the rules of two files: regular expressions, and names and other words. Raises `RagDollyError`."""
    rules = read_rules(expressions) if expressions else []
    return [*rules, Rule(WORD, read_words(words).without)] if words else rules


def read_rules(path: Path) -> list[Rule]:
    """Return the regular expressions of a file, one a line; empty lines and those that begin with # say nothing.

    Raises `RagDollyError`, naming the line.
    """
    import regex  # type: ignore[import-untyped]

    rules = []
    for number, line in entries_of(path):
        try:
            rules.append(Rule(RULE, partial(_without, regex.compile(line))))
        except regex.error as error:
            raise RagDollyError(f"{path}, line {number}: not a regular expression: {error}.") from error
    return rules


def _without(expression: Any, text: str) -> tuple[str, int]:
    try:
        replaced: tuple[str, int] = expression.subn(REDACTED, text, timeout=RULE_SECONDS)
    except TimeoutError as error:
        raise RagDollyError(
            f"The rule {expression.pattern[:80]!r} took over {RULE_SECONDS:.0f} s for one text: expected one without "
            "nested repetition; write it more simply. Nothing was exported."
        ) from error
    return replaced
