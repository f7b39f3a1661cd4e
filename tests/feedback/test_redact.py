"""What must not leave is taken out, and what merely looks like it stays."""

import time

import pytest

from rag_dolly.errors import RagDollyError
from rag_dolly.redact import read_rules, redact


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Write to ann.o'neil+x@mail.example.com, please", "Write to ann.o'[e-mail], please"),
        ("jörg@münchen.example", "[e-mail]"),
        ("Call +49 30 901820 today", "Call [phone] today"),
        ("Call (030) 901820-11.", "Call [phone]."),
        ("Call 030 901820.", "Call [phone]."),
        ("Call 555-123-4567 now", "Call [phone] now"),
        ("+14155552671", "[phone]"),
        ("Pay 4111 1111 1111 1111.", "Pay [card]."),
        ("Pay 5500-0000-0000-0004", "Pay [card]"),
        ("IBAN DE89 3704 0044 0532 0130 00 PLEASE", "IBAN [IBAN] PLEASE"),
        ("GB82WEST12345698765432", "[IBAN]"),
        ("key AKIAIOSFODNN7EXAMPLE", "key [key]"),
        ("sk-" + "a1B2" * 8, "[key]"),
        ("ghp_" + "a1B2" * 9 + " is gone", "[key] is gone"),
        ("password: hunter2222 and more", "[key] and more"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY----- end", "[key] end"),
    ],
)
def test_it_is_taken_out(text, clean):
    assert redact(text)[0] == clean


@pytest.mark.parametrize(
    "text",
    [
        "On 2023-05-12 at 12:30, 1,234,567 people came.",
        "Order 4111 1111 1111 1112 of 12.12.2024",
        "The years 1914-1918 and 1939 - 1945.",
        "ISBN 978-3-16-148410-0, version 1.2.3.4, 10.0.0.1",
        "DE89 3704 0044 0532 0130 01",
        "Pi is 3.14159265358979 and 0.000000001 is small.",
        "me@home, @handle, a @ b",
        "The token is a word. Keep the secret garden. Password protection",
        "0000 0000 0000 0000",
        "2, 4, 8, 16, 32, 64, 128, 256, 512, 1024",
    ],
)
def test_what_only_looks_like_it_stays(text):
    assert redact(text) == (text, {})


def test_everything_is_counted():
    assert redact("a@b.example c@d.example +49 30 901820")[1] == {"e-mail": 2, "phone": 1}


@pytest.mark.parametrize("text", ["a" * 50_000 + "@", "1 " * 30_000, "A1 " * 20_000, "(1" * 20_000, "eyJ" * 20_000])
def test_hostile_text_takes_no_time(text):
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 2


def test_rules_of_the_user_are_applied(tmp_path):
    rules = tmp_path / "rules.txt"
    rules.write_text("# projects\n\n(?i)project \\w+\n\\bKD-\\d+\n", encoding="utf-8")
    clean, found = redact("Project Bluebird has KD-4711.", read_rules(rules))
    assert clean == "[redacted] has [redacted]." and found == {"rule": 2}


def test_a_rule_that_takes_too_long_is_ended(tmp_path):
    rules = tmp_path / "rules.txt"
    rules.write_text("(a|aa)+$\n")
    began = time.process_time()
    with pytest.raises(RagDollyError, match="write it more simply"):
        redact("a" * 5000 + "b", read_rules(rules))
    assert time.process_time() - began < 5


def test_a_rule_that_is_none_is_named_by_its_line(tmp_path):
    rules = tmp_path / "rules.txt"
    rules.write_text("fine\n(open\n")
    with pytest.raises(RagDollyError, match=r"line 2: not a regular expression"):
        read_rules(rules)
    with pytest.raises(RagDollyError, match="cannot be read"):
        read_rules(tmp_path / "none.txt")
