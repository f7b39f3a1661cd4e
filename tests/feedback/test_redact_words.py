"""Names of a user's list are taken out where they stand whole, in whatever case, and nothing else is."""

import time

import pytest

from rag_dolly.errors import RagDollyError
from rag_dolly.redact import redact, rules_of

LIST = "# customers\n\nAnn Lee\nLee\nO'Neil\nMüller\n12 Mill Lane\nStraße\n田中\n김철수\nराम\n"


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text(LIST, encoding="utf-8")
    return rules_of(None, path)


@pytest.mark.parametrize(
    ("text", "clean", "count"),
    [
        ("Ask ANN LEE's boss, or Ann\n  Lee.", "Ask [redacted]'s boss, or [redacted].", 2),
        ("Mr Lee, ann_lee, (Lee)", "Mr [redacted], [redacted], ([redacted])", 3),
        ("Kate O’NEIL wrote", "Kate [redacted] wrote", 1),
        ("Mu\u0308ller and MÜLLER", "[redacted] and [redacted]", 2),
        ("lives at 12 Mill Lane, York", "lives at [redacted], York", 1),
        ("in der STRASSE", "in der [redacted]", 1),
        ("田中さんは来た", "[redacted]さんは来た", 1),
        ("김철수는 왔다", "[redacted]는 왔다", 1),
        ("राम आया", "[redacted] आया", 1),
    ],
)
def test_a_name_is_taken_out(rules, text, clean, count):
    assert redact(text, rules) == (clean, {"word": count})


@pytest.mark.parametrize(
    "text",
    [
        "Ann fell asleep; the sleeve is on Leeds.",
        "Lane 12, Mill",
        "Annlee and Muller",
        "रामायण पढ़ो",
        "O, said Mr Neil",
        "",
    ],
)
def test_what_is_not_on_the_list_stays(rules, text):
    assert redact(text, rules) == (text, {})


def test_an_address_of_mail_goes_whole_before_the_names_in_it(rules):
    assert redact("ann.lee@mail.example is Ann Lee's", rules)[0] == "[e-mail] is [redacted]'s"


def test_both_files_are_applied(rules, tmp_path):
    (tmp_path / "rules.txt").write_text("KD-\\d+\n")
    both = rules_of(tmp_path / "rules.txt", tmp_path / "words.txt")
    assert redact("Lee has KD-7", both) == ("[redacted] has [redacted]", {"rule": 1, "word": 1})


def test_a_long_list_takes_no_time(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("".join(f"Lee {n}\nname{n} other\n" for n in range(50_000)), encoding="utf-8")
    rules = rules_of(None, path)
    began = time.process_time()
    assert redact("Lee " * 50_000 + "Lee 49999", rules)[1] == {"word": 1}
    assert time.process_time() - began < 3


def test_a_line_that_names_nothing_is_said(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("Ann\n---\n")
    with pytest.raises(RagDollyError, match=r"line 2: expected a name or another word, found '---'"):
        rules_of(None, path)
    with pytest.raises(RagDollyError, match="cannot be read"):
        rules_of(None, tmp_path / "none.txt")
